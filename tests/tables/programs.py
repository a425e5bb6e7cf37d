"""Whole texts: normalisations, distances, attention, several equations in any order, extents and ranks at their ends."""
# fmt: off
# ruff: noqa: C408  (a row a line; names of inputs read better unquoted)

import numpy as np

from .case import Case, ints, padded, pos, softmax, win2

es = np.einsum
QKV = dict(Q=(5, 4), K=(6, 4), V=(6, 3))


def normal(x, axes, ddof=0, eps=0.0):
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True, ddof=ddof) + eps)


def layer(L, W, B, s):
    return np.maximum(es("bxpyqi,pqij->bxyj", win2(L, W.shape[0], s), W) - B, 0)


ROWS = (
    # normalisations, as on the slides
    Case("batch mean", "mu[j] = 1/B * sum[b] x[b,j]", dict(x=(6, 3)), lambda x: x.mean(0)),
    Case("spatial mean", "mu[j] = 1/(B*X*Y) * sum[b,x,y] L[b,x,y,j]", dict(L=(2, 3, 4, 5)), lambda L: L.mean((0, 1, 2))),
    Case("batch norm",
         "mu[j] = 1/B * sum[b] x[b,j]\nsd[j] = sqrt(1/(B-1) * sum[b] (x[b,j] - mu[j])^2)\nxn[b,j] = (x[b,j] - mu[j]) / sd[j]",
         dict(x=(6, 3)), lambda x: normal(x, 0, 1)),
    Case("batch norm in the slide's letters",
         "μ̂[j] = 1/B · Σ_{b} x[b,j]\nσ̂[j] = √(1/(B-1) · Σ_{b} (x[b,j] - μ̂[j])^2)\nx̃[b,j] = (x[b,j] - μ̂[j]) / σ̂[j]",
         dict(x=(6, 3)), lambda x: normal(x, 0, 1)),
    Case("spatial batch norm",
         "mu[j] = 1/(B*X*Y) * sum[b,x,y] x[b,x,y,j]\n"
         "sd[j] = sqrt(1/(B*X*Y - 1) * sum[b,x,y] (x[b,x,y,j] - mu[j])^2)\n"
         "xn[b,x,y,j] = (x[b,x,y,j] - mu[j]) / sd[j]", dict(x=(2, 3, 4, 5)), lambda x: normal(x, (0, 1, 2), 1)),
    Case("batch norm, then scale and offset",
         "mu[j] = mean[b] x[b,j]\nv[j] = mean[b] (x[b,j] - mu[j])^2\ny[b,j] = γ[j]*(x[b,j] - mu[j])/sqrt(v[j] + 1e-5) + β[j]",
         dict(x=(6, 3), γ=(3,), β=(3,)), lambda x, g, b: g * normal(x, 0, eps=1e-5) + b),
    Case("layer norm",
         "m[t] = mean[j] x[t,j]\nv[t] = mean[j] (x[t,j] - m[t])^2\ny[t,j] = (x[t,j] - m[t]) * rsqrt(v[t] + 1e-5)",
         dict(x=(4, 7)), lambda x: normal(x, 1, eps=1e-5)),
    Case("group norm",
         "m[b,g:2] = mean[x,i] L[b,x,(g,i)]\nv[b,g:2] = mean[x,i] (L[b,x,(g,i)] - m[b,g])^2\n"
         "y[b,x,(g,i)] = (L[b,x,(g,i)] - m[b,g]) / sqrt(v[b,g] + 1e-5)", dict(L=(2, 3, 6)),
         lambda L: normal(L.reshape(2, 3, 2, 3), (1, 3), eps=1e-5).reshape(2, 3, 6)),
    Case("instance norm", "m[b,j] = mean[x] L[b,x,j]\ny[b,x,j] = L[b,x,j] - m[b,j]", dict(L=(2, 5, 3)),
         lambda L: L - L.mean(1, keepdims=True)),
    Case("RMS norm", "y[t,j] = g[j] * x[t,j] / sqrt(mean[k] x[t,k]^2 + 1e-6)", dict(g=(7,), x=(4, 7)),
         lambda g, x: g * x / np.sqrt((x**2).mean(1, keepdims=True) + 1e-6)),
    Case("unit rows", "y[i,j] = A[i,j] * rsqrt(sum[k] A[i,k]^2)", dict(A=(4, 7)), lambda A: A / np.linalg.norm(A, axis=1, keepdims=True)),
    Case("min-max scaling", "y[i] = (a[i] - min[j] a[j]) / (max[j] a[j] - min[j] a[j])", dict(a=(9,)), lambda a: (a - a.min()) / np.ptp(a)),
    # distances, statistics
    Case("squared distances", "D[i,j] = sum (X[i,k] - Y[j,k])^2", dict(X=(5, 3), Y=(4, 3)), lambda X, Y: ((X[:, None] - Y) ** 2).sum(2)),
    Case("distances", "D[i,j] = sqrt(sum[k] (X[i,k] - Y[j,k])^2)", dict(X=(5, 3), Y=(4, 3)), lambda X, Y: np.linalg.norm(X[:, None] - Y, axis=2)),
    Case("distances within one set", "D[i,j] = sum[k] (X[i,k] - X[j,k])^2", dict(X=(5, 3)), lambda X: ((X[:, None] - X) ** 2).sum(2)),
    Case("city-block distances", "D[i,j] = sum abs(X[i,k] - Y[j,k])", dict(X=(5, 3), Y=(4, 3)), lambda X, Y: np.abs(X[:, None] - Y).sum(2)),
    Case("largest coordinate difference", "D[i,j] = max[k] abs(X[i,k] - Y[j,k])", dict(X=(5, 3), Y=(4, 3)), lambda X, Y: np.abs(X[:, None] - Y).max(2)),
    Case("Gaussian kernel", "G[i,j] = exp(-0.5 * sum[k] (X[i,k] - Y[j,k])^2)", dict(X=(5, 3), Y=(4, 3)),
         lambda X, Y: np.exp(-0.5 * ((X[:, None] - Y) ** 2).sum(2))),
    Case("nearest neighbour", "n[i] = argmin[j] D[i,j]\nD[i,j] = sum[k] (X[i,k] - Y[j,k])^2", dict(X=(7, 3), Y=(4, 3)),
         lambda X, Y: ((X[:, None] - Y) ** 2).sum(2).argmin(1)),
    Case("cosines", "C[i,j] = (sum[k] X[i,k]*Y[j,k]) / sqrt((sum[k] X[i,k]^2) * (sum[k] Y[j,k]^2))", dict(X=(5, 3), Y=(4, 3)),
         lambda X, Y: X @ Y.T / np.outer(np.linalg.norm(X, axis=1), np.linalg.norm(Y, axis=1))),
    Case("covariance", "m[j] = mean[n] X[n,j]\nC[i,j] = 1/(N-1) * sum[n] (X[n,i] - m[i])*(X[n,j] - m[j])", dict(X=(9, 3)),
         lambda X: np.cov(X.T)),
    Case("moments", "m1 = mean a[i]\nm2 = mean (a[i] - m1)^2\nm3 = mean (a[i] - m1)^3\ns = m3 / m2^1.5", dict(a=(20,)),
         lambda a: ((a - a.mean()) ** 3).mean() / a.std() ** 3),
    Case("weighted mean", "m[j] = (sum[i] w[i]*X[i,j]) / (sum[i] w[i])", dict(w=pos((6,)), X=(6, 3)), lambda w, X: w @ X / w.sum()),
    # attention, a cell, layers
    Case("attention",
         "S[i,j] = (sum[d] Q[i,d]*K[j,d]) / sqrt(4)\nE[i,j] = exp(S[i,j] - max[m] S[i,m])\n"
         "P[i,j] = E[i,j] / sum[m] E[i,m]\nO[i,k] = sum[j] P[i,j]*V[j,k]", QKV,
         lambda Q, K, V: softmax(Q @ K.T / 2) @ V),
    Case("attention with its extent", "S[i,j] = (sum[d] Q[i,d]*K[j,d]) / sqrt(D)\ninput Q[N, D]\ninput K[M, D]", dict(Q=(5, 3), K=(6, 3)),
         lambda Q, K: Q @ K.T / np.sqrt(3)),
    Case("causal attention",
         "S[i,j] = 0.5*(sum[d] Q[i,d]*K[j,d]) if j <= i else -inf\nP[i,j] = exp(S[i,j] - logsumexp[m] S[i,m])\nO[i,k] = sum[j] P[i,j]*V[j,k]",
         QKV, lambda Q, K, V: softmax(np.where(np.tri(5, 6) > 0, Q @ K.T / 2, -np.inf)) @ V),
    Case("several heads",
         "S[b,h:2,i,j] = 0.5 * sum[d] Q[b,i,(h,d)]*K[b,j,(h,d)]\nP[b,h,i,j] = exp(S[b,h,i,j]) / sum[m] exp(S[b,h,i,m])\n"
         "O[b,i,(h,d)] = sum[j] P[b,h,i,j]*V[b,j,(h,d)]", dict(Q=(2, 5, 6), K=(2, 4, 6), V=(2, 4, 6)),
         lambda Q, K, V: es("bhij,bjhd->bihd", softmax(0.5 * es("bihd,bjhd->bhij", Q.reshape(2, 5, 2, 3), K.reshape(2, 4, 2, 3))),
                            V.reshape(2, 4, 2, 3)).reshape(2, 5, 6)),
    Case("a recurrent cell, one step", "h1[b,j] = tanh(sum[i] x[b,i]*W[i,j] + sum[k] h[b,k]*U[k,j] + c[j])",
         dict(x=(3, 4), W=(4, 5), h=(3, 5), U=(5, 5), c=(5,)), lambda x, W, h, U, c: np.tanh(x @ W + h @ U + c)),
    Case("a gated unit", "y[b,j] = (sum x[b,i]*W[i,j]) * sigmoid(sum x[b,i]*V[i,j])", dict(x=(3, 4), W=(4, 5), V=(4, 5)),
         lambda x, W, V: x @ W / (1 + np.exp(-(x @ V)))),
    Case("two layers", "h[b,j] = relu(sum x[b,i]*W[i,j] - c[j])\ny[b,k] = sum h[b,j]*V[j,k]", dict(x=(5, 4), W=(4, 7), c=(7,), V=(7, 3)),
         lambda x, W, c, V: np.maximum(x @ W - c, 0) @ V),
    Case("two layers, last first", "y[b,k] = sum h[b,j]*V[j,k]\nh[b,j] = relu(sum x[b,i]*W[i,j])", dict(V=(7, 3), x=(5, 4), W=(4, 7)),
         lambda V, x, W: np.maximum(x @ W, 0) @ V),
    Case("conv, pool, fully connected",
         "L1[b,x,y,j] = relu(sum W[dx,dy,i,j]*L0[b,x+dx,y+dy,i] - B1[j])\nL2[b,x,y,j] = max[dx:2,dy:2] L1[b,2*x+dx,2*y+dy,j]\n"
         "F[b,k] = sum W7[k,(x,y,j)]*L2[b,x,y,j]\np[b,k] = exp(F[b,k]) / sum[m] exp(F[b,m])",
         dict(W=(3, 3, 2, 4), L0=(2, 8, 6, 2), B1=(4,), W7=(5, 24)),
         lambda W, L, B, V: softmax(win2(layer(L, W, B, 1), 2, 2).max((2, 4)).reshape(2, 24) @ V.T)),
    Case("a residual block",
         "R[b,x:5,y:4,j] = relu(sum W[dx,dy,i,j]*L[b,x+dx-1,y+dy-1,i else 0])\nM[b,x,y,j] = L[b,x,y,j] + R[b,x,y,j]",
         dict(W=(3, 3, 3, 3), L=(2, 5, 4, 3)), lambda W, L: L + layer(padded(L, 1), W, 0, 1)),
    Case("squeeze and excite", "g[b,j] = mean[x,y] L[b,x,y,j]\nh[b,k] = relu(sum[j] g[b,j]*W[j,k])\ne[b,j] = sigmoid(sum[k] h[b,k]*V[k,j])\n"
         "Y[b,x,y,j] = L[b,x,y,j]*e[b,j]", dict(L=(2, 4, 3, 5), W=(5, 2), V=(2, 5)),
         lambda L, W, V: L / (1 + np.exp(-np.maximum(L.mean((1, 2)) @ W, 0) @ V))[:, None, None]),
    # several equations, outputs
    Case("two outputs", "a[i] = 2*x[i]\nb[i] = x[i]^2", dict(x=(5,)), lambda x: dict(a=2 * x, b=x**2)),
    Case("two outputs, two ranks", "m[j] = mean[b] x[b,j]\ns = sum x[b,j]", dict(x=(5, 3)), lambda x: dict(m=x.mean(0), s=x.sum())),
    Case("outputs named", "a[i] = 2*x[i]\nb[i] = a[i]^2\noutput a, b", dict(x=(5,)), lambda x: dict(a=2 * x, b=4 * x**2)),
    Case("one output named of two", "a[i] = 2*x[i]\nb[i] = a[i]^2\noutput a", dict(x=(5,)), lambda x: 2 * x),
    Case("outputs of three types", "m[b] = argmax[k] F[b,k]\nt = max F[b,k]\nany1[b] = any[k] (F[b,k] > 1)", dict(F=(5, 3)),
         lambda F: dict(m=F.argmax(1), t=F.max(), any1=(F > 1).any(1))),
    Case("five in no order", "e[i] = d[i] + b[i]\nd[i] = c[i]*2\nb[i] = a[i] + 1\nc[i] = b[i] - x[i]\na[i] = 3*x[i]",
         dict(x=(5,)), lambda x: 2 * (2 * x + 1) + 3 * x + 1),
    Case("one tensor read by many", "h[i] = exp(x[i])\na = sum h[i]\nb = max h[i]\nc[i] = h[i]^2", dict(x=(5,)),
         lambda x: dict(a=np.exp(x).sum(), b=np.exp(x).max(), c=np.exp(2 * x))),
    Case("accuracy", "c[b] = 1 if label[b] == argmax[k] F[b,k] else 0\nacc = mean c[b]", dict(label=ints((20,), 0, 3), F=(20, 3)),
         lambda label, F: (F.argmax(1) == label).mean()),
    Case("whole tensors", "input A[N, M]\ninput B[N, M]\nC = A + 2*B", dict(A=(3, 4), B=(3, 4)), lambda A, B: A + 2 * B),
    Case("whole tensor in a function", "input A[N, M]\nC = relu(A) - 1", dict(A=(3, 4)), lambda A: np.maximum(A, 0) - 1),
    Case("comments, blank lines, a long line",
         "# doubled\n\ninput x[N]   # any length\ny[i] = x[i] +\n       x[i]    # goes on after an operator\n", dict(x=(3,)), lambda x: 2 * x),
    Case("CRLF, tab and byte-order mark", "\ufeffinput x[N]\r\ny[i]\t=\t2*x[i]\r\n", dict(x=(3,)), lambda x: 2 * x),
    Case("names with primes and accents", "L'[i] = 2*Δx[i]\nÉ[i] = L'[i] + 1", dict(Δx=(4,)), lambda x: 2 * x + 1),
    Case("names of Python", "class[lambda] = 2*None[lambda] + self[lambda]",
         {"None": (4,), "self": (4,)}, lambda n, s: 2 * n + s),
    Case("subscripted names are one name", "L_1[i] = 2*x[i]\ny[i] = L_{1}[i]", dict(x=(4,)), lambda x: 2 * x),
    Case("composed and decomposed letters are one name", "\u00e9[i] = 2*x[i]\ny[i] = e\u0301[i]", dict(x=(4,)), lambda x: 2 * x),
    # extents and ranks at their ends
    Case("named extents", "input A[N, M]\ninput B[M, N]\nC[i,j] = A[i,j] + B[j,i]", dict(A=(3, 4), B=(4, 3)), lambda A, B: A + B.T),
    Case("named axis", "input A[x:3, N]\ny[n] = sum[x] A[x,n]", dict(A=(3, 4)), lambda A: A.sum(0)),
    Case("declared result", "input A[N, 4]\ntensor C[N, 4]\nC[i,j] = 2*A[i,j]", dict(A=(3, 4)), lambda A: 2 * A),
    Case("extents of constants", "K = 8\nJ = K//4\ninput A[K, J]\ny[j] = sum[k] A[k,j]", dict(A=(8, 2)), lambda A: A.sum(0)),
    Case("rank 0", "y = 2*x + 1", dict(x=()), lambda x: 2 * x + 1),
    Case("rank 0 by functions", "y = exp(x)*z", dict(x=(), z=()), lambda x, z: np.exp(x) * z),
    Case("rank 5", "Y[e,d,c,b,a] = 2*A[a,b,c,d,e]", dict(A=(2, 3, 1, 2, 3)), lambda A: 2 * A.T),
    Case("rank 6", "Y[a,b,c,d,e,f] = A[a,b,c,d,e,f] + B[f,e,d]", dict(A=(2, 1, 2, 3, 2, 2), B=(2, 2, 3)), lambda A, B: A + B.T),
    Case("rank 6 to 0", "s = sum A[a,b,c,d,e,f]", dict(A=(2, 1, 2, 3, 2, 2)), lambda A: A.sum()),
    Case("rank 6 from outer products", "Y[a,b,c,d,e,f] = A[a,c,e]*B[b,d,f]", dict(A=(2, 1, 3), B=(1, 2, 2)), lambda A, B: es("ace,bdf->abcdef", A, B)),
    Case("no elements", "y[i] = 2*x[i]", dict(x=(0,)), lambda x: x),
    Case("no elements in one axis of two", "y[j,i] = 2*x[i,j]", dict(x=(3, 0)), lambda x: x.T),
    Case("one element", "y[i,j,k] = 2*x[i,j,k]", dict(x=(1, 1, 1)), lambda x: 2 * x),
    Case("a million and three elements", "y[i] = 2*x[i] + 1", dict(x=(1000003,)), lambda x: 2 * x + 1, oracle=False),
    Case("a million and three, neighbours", "y[i] = x[i+1] - x[i+2]", dict(x=(1000003,)), lambda x: x[1:-1] - x[2:], oracle=False),
    Case("a million and three, every eighth", "y[i] = max[k:8] x[8*i+k]", dict(x=(1000003,)), lambda x: x[:1000000].reshape(-1, 8).max(1), oracle=False),
    Case("a million and three, reversed", "input x[N]\ny[i] = x[N-1-i]", dict(x=(1000003,)), lambda x: x[::-1], oracle=False),
    Case("a million and three, histogram", "tensor H[7]\nH[c[i]] += x[i]", dict(c=ints((1000003,), 0, 7), x=pos((1000003,))),
         lambda c, x: np.bincount(c, x, 7), oracle=False),
    Case(
        "extents and tensors are named apart",
        "input L[X,Y]\nY[x,y] = L[x,y] - m[x]\nm[x] = 1/Y * sum[y] L[x,y]\noutput Y",
        {"L": (3, 5)},
        lambda L: L - L.mean(1, keepdims=True),
    ),
    Case(
        "an index of a reduction named like a tensor",
        "input L[X,4]\nm[i] = sum[y] L[y,i]\ny[j] = 2*m[j]\noutput y",
        {"L": (3, 4)},
        lambda L: 2 * L.sum(0),
    ),
    Case(
        "a product with 0 still sums over its index",
        "Y[i:2] = sum[j] A[j]*0",
        {"A": (3,)},
        lambda A: np.zeros(2),
    ),
    Case("a split by numbers", "input L[B,5]\nP[b,2] ; Q[b,3] = L[b,J]", dict(L=(2, 5)), lambda L: dict(P=L[:, :2], Q=L[:, 2:])),
    Case("a split of a whole tensor", "input L[B,5]\nP[B,2] ; Q[B,J] = L", dict(L=(2, 5)), lambda L: dict(P=L[:, :2], Q=L[:, 2:])),
    Case("a split in three", "J = 2\ninput L[B,6]\nP[b,J] ; Q[b,J] ; R[b,J] = L[b,J+J+J]", dict(L=(2, 6)),
         lambda L: dict(P=L[:, :2], Q=L[:, 2:4], R=L[:, 4:])),
)
