"""Convolutions and pooling: one to three axes, strides, dilation, negative coefficients, groups, and every border rule."""
# fmt: off
# ruff: noqa: C408  (a row a line; names of inputs read better unquoted)

import numpy as np

from .case import Case, padded, sigmoid, win, win2

es = np.einsum
LW = dict(L=(2, 9, 8, 3), W=(3, 3, 3, 4))
SAME = "L3[b,x:9,y:8,j] = sum W[dx,dy,i,j] * L[b, x+dx-1, y+dy-1, i else {}]"
AW = dict(A=(7,), W=(5,))


def conv(L, W, s=1, d=1):
    """The lecture's convolution, valid, with stride s and dilation d."""
    return es("bxpyqi,pqij->bxyj", win2(L, W.shape[0], s, d), W)


def same(mode="constant", **options):
    """The convolution after padding by one element with numpy's `mode`."""
    return lambda L, W: conv(padded(L, 1, mode, **options), W)


def around(mode="constant", p=2, **options):
    """The one-dimensional sum over 2p+1 neighbours after padding with numpy's `mode`."""
    return lambda A, W: win(padded(A, p, mode, axes=(0,), **options), len(W)) @ W


ROWS = (
    Case("conv 1-D", "Y[x] = sum W[dx]*X[x+dx]", dict(W=(3,), X=(10,)), lambda W, X: win(X, 3) @ W),
    Case("conv 1-D, one output", "Y[x] = sum W[dx]*X[x+dx]", dict(W=(10,), X=(10,)), lambda W, X: win(X, 10) @ W),
    Case("conv 1-D over nothing", "Y[x] = sum W[dx]*X[x+dx]", dict(W=(5,), X=(0,)), lambda W, X: np.zeros(0)),
    Case("conv 1-D, stride 2", "Y[x] = sum W[dx]*X[2*x+dx]", dict(W=(3,), X=(12,)), lambda W, X: win(X, 3, 2) @ W),
    Case("conv 1-D, stride 3", "Y[x] = sum W[dx]*X[3*x+dx]", dict(W=(2,), X=(12,)), lambda W, X: win(X, 2, 3) @ W),
    Case("conv 1-D, stride 4", "Y[x] = sum W[dx]*X[4*x+dx]", dict(W=(5,), X=(17,)), lambda W, X: win(X, 5, 4) @ W),
    Case("conv 1-D, dilation 2", "Y[x] = sum W[dx]*X[x+2*dx]", dict(W=(3,), X=(11,)),
         lambda W, X: win(X, 3, 1, 2) @ W),
    Case("conv 1-D, stride 2, dilation 3", "Y[x] = sum W[dx]*X[2*x+3*dx]", dict(W=(3,), X=(16,)),
         lambda W, X: win(X, 3, 2, 3) @ W),
    Case("conv 1-D, channels", "Y[b,x,j] = sum W[dx,i,j]*X[b,x+dx,i]", dict(W=(3, 2, 4), X=(2, 9, 2)),
         lambda W, X: es("bxdi,dij->bxj", win(X, 3, axis=1), W)),
    Case("conv 1-D, channels first", "Y[b,j,x] = sum W[j,i,dx]*X[b,i,x+dx]", dict(W=(4, 2, 3), X=(2, 2, 9)),
         lambda W, X: es("bixd,jid->bjx", win(X, 3, axis=2), W)),
    Case("true convolution", "Y[x] = sum W[dx]*X[x-dx+2]", dict(W=(3,), X=(8,)), lambda W, X: np.convolve(X, W, "valid")),
    Case("full convolution", "Y[x:10] = sum W[dx]*X[x-dx else 0]", dict(W=(3,), X=(8,)), lambda W, X: np.convolve(X, W)),
    Case("conv 2-D", "Y[x,y] = sum W[dx,dy]*X[x+dx,y+dy]", dict(W=(2, 3), X=(7, 6)),
         lambda W, X: es("xpyq,pq->xy", win(win(X, 2), 3, axis=2), W)),
    Case("conv layer", "Y[b,x,y,j] = sum W[dx,dy,i,j]*L[b,x+dx,y+dy,i]", LW, conv),
    Case("conv layer, stride by a constant", "s = 2\nY[b,x,y,j] = sum W[dx,dy,i,j]*L[b,s*x+dx,s*y+dy,i]", LW,
         lambda L, W: conv(L, W, 2)),
    Case("conv layer, dilation by a constant", "d = 2\nY[b,x,y,j] = sum W[dx,dy,i,j]*L[b,x+d*dx,y+d*dy,i]", LW,
         lambda L, W: conv(L, W, 1, 2)),
    Case("conv layer, dilation 3", "Y[b,x,y,j] = sum W[dx,dy,i,j]*L[b,x+3*dx,y+3*dy,i]", LW,
         lambda L, W: conv(L, W, 1, 3)),
    Case("conv layer, other stride each way", "Y[b,x,y,j] = sum W[dx,dy,i,j]*L[b,3*x+dx,2*y+dy,i]", LW,
         lambda L, W: es("bxpyqi,pqij->bxyj", win(win(L, 3, 3, axis=1), 3, 2, axis=3), W)),
    Case("conv layer 1 by 1", "Y[b,x,y,j] = sum W[i,j]*L[b,x,y,i]", dict(W=(5, 7), L=(2, 3, 4, 5)), lambda W, L: L @ W),
    Case("conv layer of the slide", "L1[b,x,y,j] = relu((sum_{dx,dy,i} W[dx,dy,i,j] L0[b,x+dx,y+dy,i]) - B[j])",
         dict(W=(3, 3, 2, 4), L0=(2, 7, 6, 2), B=(4,)), lambda W, L, B: np.maximum(conv(L, W) - B, 0)),
    Case("conv layer in the slide's letters",
         "L_{1}[b,x,y,j] = σ((Σ_{Δx,Δy,i} W[Δx,Δy,i,j] · L_{0}[b,s·x+Δx,s·y+Δy,i]) - B[j])\ns = 2",
         dict(W=(3, 3, 2, 4), L_0=(2, 7, 6, 2), B=(4,)), lambda W, L, B: sigmoid(conv(L, W, 2) - B)),
    Case("conv layer, 17 outputs, 33 channels", "Y[b,x,y,j] = sum W[dx,dy,i,j]*L[b,x+dx,y+dy,i]",
         dict(L=(1, 9, 19, 33), W=(3, 3, 33, 17)), conv, oracle=False),
    Case("conv layer, 64 outputs, stride 4", "Y[b,x,y,j] = relu(sum W[dx,dy,i,j]*L[b,4*x+dx,4*y+dy,i])",
         dict(L=(2, 39, 43, 3), W=(11, 11, 3, 64)), lambda L, W: np.maximum(conv(L, W, 4), 0), oracle=False),
    Case("conv layer, channels first", "Y[b,j,x,y] = sum W[j,i,dx,dy]*L[b,i,x+dx,y+dy]",
         dict(W=(4, 2, 3, 3), L=(2, 2, 6, 7)), lambda W, L: es("bixpyq,jipq->bjxy", win2(L, 3, axis=2), W)),
    Case("conv 3-D", "Y[x,y,z] = sum W[dx,dy,dz]*A[x+dx,y+dy,z+dz]", dict(W=(2, 2, 2), A=(4, 5, 6)),
         lambda W, A: es("xpyqzr,pqr->xyz", win(win2(A, 2, axis=0), 2, axis=4), W)),
    Case("conv 3-D layer, stride 2", "Y[b,x,y,z,j] = sum W[dx,dy,dz,i,j]*A[b,2*x+dx,2*y+dy,2*z+dz,i]",
         dict(W=(2, 2, 2, 2, 3), A=(2, 4, 5, 6, 2)),
         lambda W, A: es("bxpyqzri,pqrij->bxyzj", win(win2(A, 2, 2), 2, 2, axis=5), W)),
    Case("grouped conv", "Y[b,x,y,(g,j)] = sum W[g,dx,dy,i,j]*L[b,x+dx,y+dy,(g,i)]",
         dict(W=(2, 3, 3, 2, 3), L=(2, 6, 5, 4)),
         lambda W, L: es("bxpyqgi,gpqij->bxygj", win2(L, 3).reshape(2, 4, 3, 3, 3, 2, 2), W).reshape(2, 4, 3, 6)),
    Case("depthwise conv", "Y[b,x,y,j] = sum W[dx,dy,j]*L[b,x+dx,y+dy,j]", dict(W=(3, 3, 5), L=(2, 6, 5, 5)),
         lambda W, L: es("bxpyqj,pqj->bxyj", win2(L, 3), W)),
    Case("depthwise, then pointwise", "D[b,x,y,i] = sum W[dx,dy,i]*L[b,x+dx,y+dy,i]\nY[b,x,y,j] = sum V[i,j]*D[b,x,y,i]",
         dict(W=(3, 3, 5), L=(2, 6, 5, 5), V=(5, 3)), lambda W, L, V: es("bxpyqi,pqi->bxyi", win2(L, 3), W) @ V),
    Case("transposed conv, scattered", "tensor Y[9]\nY[2*x+dx] += W[dx]*X[x]", dict(W=(3,), X=(4,)),
         lambda W, X: np.convolve(np.repeat(X, 2) * (np.arange(8) % 2 == 0), W)[:9]),
    Case("separable blur", "H[x,y] = sum w[dx]*A[x+dx,y]\nV[x,y] = sum w[dy]*H[x,y+dy]", dict(w=(3,), A=(6, 7)),
         lambda w, A: win(np.tensordot(win(A, 3), w, (1, 0)), 3, axis=1) @ w),
    Case("difference", "D[x:5] = A[x+1] - A[x]", dict(A=(6,)), lambda A: np.diff(A)),
    Case("two affine reads, the shorter wins", "D[x] = A[x+2] - A[x+1]", dict(A=(7,)), lambda A: A[2:] - A[1:-1]),
    Case("Laplacian", "D[x:5,y:4] = A[x,y+1] + A[x+2,y+1] + A[x+1,y] + A[x+1,y+2] - 4*A[x+1,y+1]", dict(A=(7, 6)),
         lambda A: A[:-2, 1:-1] + A[2:, 1:-1] + A[1:-1, :-2] + A[1:-1, 2:] - 4 * A[1:-1, 1:-1]),
    # pooling
    Case("max pooling", "P[b,x,y,j] = max[dx:3,dy:3] L[b,2*x+dx,2*y+dy,j]", dict(L=(2, 9, 8, 3)),
         lambda L: win2(L, 3, 2).max((2, 4))),
    Case("max pooling, underscore list", "s = 2\nP[b,x,y,i] = max_{dx:2,dy:2} L[b,s*x+dx,s*y+dy,i]", dict(L=(2, 6, 8, 3)),
         lambda L: win2(L, 2, 2).max((2, 4))),
    Case("max pooling, 17 channels", "P[b,x,y,j] = max[dx:3,dy:3] L[b,2*x+dx,2*y+dy,j]", dict(L=(1, 9, 9, 17)),
         lambda L: win2(L, 3, 2).max((2, 4))),
    Case("average pooling", "P[b,x,y,j] = mean[dx:2,dy:2] L[b,2*x+dx,2*y+dy,j]", dict(L=(2, 6, 9, 3)),
         lambda L: win2(L, 2, 2).mean((2, 4))),
    Case("average pooling by a sum", "P[x,y] = 1/4 * sum[dx:2,dy:2] L[2*x+dx,2*y+dy]", dict(L=(6, 9)),
         lambda L: win2(L, 2, 2, axis=0).mean((1, 3))),
    Case("min pooling of one axis", "P[x] = min[dx:4] A[3*x+dx]", dict(A=(17,)), lambda A: win(A, 4, 3).min(1)),
    Case("logsumexp pooling", "P[x] = logsumexp[dx:2] A[2*x+dx]", dict(A=(8,)), lambda A: np.logaddexp(A[::2], A[1::2])),
    Case("max pooling, padded", "P[x:5,y:4] = max[dx:3,dy:3] A[2*x+dx-1, 2*y+dy-1 else -inf]", dict(A=(9, 8)),
         lambda A: win2(padded(A, 1, axes=(0, 1), constant_values=-np.inf), 3, 2, axis=0).max((1, 3))[:5, :4]),
    Case("max pooling, padded with −∞", "P[x:4] = max[dx:3] A[2*x+dx-1 else -∞]", dict(A=(8,)),
         lambda A: win(padded(A, 1, axes=(0,), constant_values=-np.inf), 3, 2).max(1)),
    Case("global average", "P[b,j] = mean[x,y] L[b,x,y,j]", dict(L=(2, 5, 3, 4)), lambda L: L.mean((1, 2))),
    Case("pooling over blocks by groups", "P[x,y] = max[p:2,q:3] A[(x,p),(y,q)]", dict(A=(6, 9)),
         lambda A: A.reshape(3, 2, 3, 3).max((1, 3))),
    Case("upsampling", "U[x:8,y:6] = A[x//2, y//2]", dict(A=(4, 3)), lambda A: A.repeat(2, 0).repeat(2, 1)),
    # borders
    Case("same conv, zeros", SAME.format("0"), LW, same()),
    Case("same conv, ones", SAME.format("1"), LW, same(constant_values=1)),
    Case("same conv, a fraction", SAME.format("-0.25"), LW, same(constant_values=-0.25)),
    Case("same conv, edge", SAME.format("edge"), LW, same("edge")),
    Case("same conv, wrap", SAME.format("wrap"), LW, same("wrap")),
    Case("same conv, mirror", SAME.format("mirror"), LW, same("symmetric")),
    Case("same conv, reflect", SAME.format("reflect"), LW, same("reflect")),
    Case("same conv, a constant", "m = 0.5\n" + SAME.format("m"), LW, same(constant_values=0.5)),
    Case("same conv, stride 2", "Y[b,x:5,y:4,j] = sum W[dx,dy,i,j]*L[b,2*x+dx-1,2*y+dy-1,i else 0]", LW,
         lambda L, W: conv(padded(L, 1), W, 2)),
    Case("same conv, dilation 2", "Y[b,x:9,y:8,j] = sum W[dx,dy,i,j]*L[b,x+2*dx-2,y+2*dy-2,i else 0]", LW,
         lambda L, W: conv(padded(L, 2), W, 1, 2)),
    Case("same conv, 33 outputs", "Y[b,x:6,y:17,j] = relu(sum W[dx,dy,i,j]*L[b,x+dx-2,y+dy-2,i else 0])",
         dict(W=(5, 5, 4, 33), L=(2, 6, 17, 4)), lambda W, L: np.maximum(conv(padded(L, 2), W), 0), oracle=False),
    Case("same conv, grouped", "Y[x:6,y:5,(g,j)] = sum W[g,dx,dy,i,j]*L[x+dx-1,y+dy-1,(g,i) else 0]",
         dict(W=(2, 3, 3, 2, 3), L=(6, 5, 4)),
         lambda W, L: es("xpyqgi,gpqij->xygj", win2(padded(L, 1, axes=(0, 1)), 3, axis=0).reshape(6, 3, 5, 3, 2, 2), W)
         .reshape(6, 5, 6)),
    Case("line, zeros", "Y[x:7] = sum W[dx]*A[x+dx-2 else 0]", AW, around()),
    Case("line, edge", "Y[x:7] = sum W[dx]*A[x+dx-2 else edge]", AW, around("edge")),
    Case("line, wrap", "Y[x:7] = sum W[dx]*A[x+dx-2 else wrap]", AW, around("wrap")),
    Case("line, mirror", "Y[x:7] = sum W[dx]*A[x+dx-2 else mirror]", AW, around("symmetric")),
    Case("line, reflect", "Y[x:7] = sum W[dx]*A[x+dx-2 else reflect]", AW, around("reflect")),
    Case("line, kernel wider than the data", "Y[x:3] = sum W[dx]*A[x+dx-4 else 0]", dict(A=(3,), W=(9,)), around(p=4)),
    Case("wrap, more than once around", "Y[x:17] = A[x-7 else wrap]", dict(A=(3,)), lambda A: A[(np.arange(17) - 7) % 3]),
    Case("mirror, more than once", "Y[x:17] = A[x-7 else mirror]", dict(A=(3,)),
         lambda A: np.pad(A, 7, "symmetric")),
    Case("reflect, more than once", "Y[x:17] = A[x-7 else reflect]", dict(A=(3,)), lambda A: np.pad(A, 7, "reflect")),
    Case("edge of one element", "Y[x:5] = A[x-2 else edge]", dict(A=(1,)), lambda A: A.repeat(5)),
    Case("reflect of one element", "Y[x:5] = A[x-2 else reflect]", dict(A=(1,)), lambda A: A.repeat(5)),
    Case("mirror of one element", "Y[x:5] = A[x-2 else mirror]", dict(A=(1,)), lambda A: A.repeat(5)),
    Case("zeros around nothing", "Y[x:4] = A[x-2 else 0]", dict(A=(0,)), lambda A: np.zeros(4)),
    Case("edge at one corner of two axes", "Y[x:5,y:5] = A[x-1,y-1 else edge]", dict(A=(3, 3)),
         lambda A: np.pad(A, 1, "edge")),
    Case("wrap of two axes", "Y[x:7,y:6] = A[x-2,y+1 else wrap]", dict(A=(3, 4)),
         lambda A: A[(np.arange(7) - 2) % 3][:, (np.arange(6) + 1) % 4]),
    Case("roll", "input A[N]\nY[i:N] = A[i-1 else wrap]", dict(A=(7,)), lambda A: np.roll(A, 1)),
    Case("shift by one, zero in front", "input A[N]\nY[i:N] = A[i-1 else 0]", dict(A=(7,)), lambda A: np.r_[0, A[:-1]]),
    Case("central difference, periodic", "input u[N]\nD[i:N] = (u[i+1 else wrap] - u[i-1 else wrap]) / 2", dict(u=(9,)),
         lambda u: (np.roll(u, -1) - np.roll(u, 1)) / 2),
    Case("strided border", "Y[x:5] = A[3*x-4 else 0]", dict(A=(7,)), lambda A: np.array([0, 0, A[2], A[5], 0])),
    Case("reversed border", "Y[x:9] = A[7-x else edge]", dict(A=(7,)),
         lambda A: A[np.clip(7 - np.arange(9), 0, 6)]),
    Case("border in a product with itself", "Y[x:6] = sum[dx:3] A[x+dx-1 else 0]*A[x else 0]", dict(A=(6,)),
         lambda A: win(np.pad(A, 1), 3).sum(1) * A),
    Case("border around an int input", "input a[N] : int\nY[i:N] = a[i-2 else 7]",
         dict(a=lambda rng: rng.integers(0, 9, 5)), lambda a: np.r_[7, 7, a[:-2]]),
)
