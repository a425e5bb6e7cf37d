"""Blocks of the well-known families of networks, as a writer of one would put them: functions, tables, loops, packages."""

from typing import Any

import numpy as np
import pytest
from shown import assert_same_when_shown, typed

import indexlang as il

NETS = {
    "resnet": """
def Block(L[X,Y,I], Φ, features J, stride s = 1):
    A = relu(Norm(Conv(L, Φ.A, width 3, pad 1, stride s, features J, bias 0), Φ.N1))
    R = Norm(Conv(A, Φ.B, width 3, pad 1, features J, bias=0), Φ.N2)
    if s != 1 or I != J:
        S = Norm(Conv(L, Φ.S, width 1, stride s, features J, bias 0), Φ.NS)
    else:
        S = L
    return relu(R + S)
def Norm(L[X,Y,I], Φ):
    param gamma[I] = 1
    state mean[I] = 0.1
    N[x,y,i] = (L[x,y,i] - mean[i])*gamma[i]
    return N
c = [2, 3]
input X[B,6,6,3]
S_0 = relu(Conv(X, stem, width 3, pad 1, features c[0]))
for k in 1..2:
    S_{k} = Block(S_{k-1}, s_{k}, features c[k-1], stride k)
y[B,4] = FC(GlobalAvgPool(S_2))
output y
""",
    "densenet": """
def Dense(L_0[X,Y,I], Φ, layers n, grow g):
    for l in 1..n:
        R_{l} = Conv(relu(Conv(L_{l-1}, Φ.A_{l}, width 1, features 2*g)), Φ.B_{l}, width 3, pad 1, features g)
        L_{l} = L_{l-1} ; R_{l}
    return L_{n}
def Transition(L[X,Y,I], Φ) = AvgPool(Conv(L, Φ, width 1, features I//2), width 2)
input X[B,6,6,2]
n = [2, 3]
D_0 = X
for k in 0..1:
    E_{k} = Dense(D_{k}, layers n[k], grow 2)
    D_{k+1} = Transition(E_{k})
y[B,4] = FC(GlobalAvgPool(D_2))
output y
""",
    "inception, googlenet": """
def Inception(L[X,Y,I], Φ, a a, b b, c c):
    P = relu(Conv(L, Φ.P, width 1, features a))
    Q = relu(Conv(relu(Conv(L, Φ.Q1, width 1, features b)), Φ.Q2, width_x 1, width_y 5, pad_y 2, features b))
    R = relu(Conv(MaxPool(L, width 3, stride 1, pad 1), Φ.R, width 1, features c))
    return P ; Q ; R
input X[B,6,6,2]
A = Inception(X, a 2, b 3, c 1)
D = Inception(A, Φ2, a=2, b=1, c=2)
y[B,4] = FC(GlobalAvgPool(D))
output y, D
""",
    "shufflenet": """
def Unit(L[X,Y,I], Φ):
    J = I//2
    P[x,y,J] ; Q[x,y,J] = L[x,y,J+J]
    A = relu(Conv(Q, Φ.A, width 1, features J))
    D = Conv(A, Φ.D, width 3, pad 1, groups J, features J, bias 0)
    E = relu(Conv(D, Φ.E, width 1, features J))
    return ChannelShuffle(P ; E, groups 2)
input X[B,5,5,6]
Y = Unit(Unit(X))
""",
    "mobilenet, mnasnet": """
def Inverted(L[X,Y,I], Φ, features J, stride s = 1, expand t = 2, width w = 3):
    A = clip(Conv(L, Φ.A, width 1, features t*I), 0, 6)
    D = clip(Conv(A, Φ.D, width w, pad w//2, stride s, groups t*I, features t*I), 0, 6)
    E = Conv(D, Φ.E, width 1, features J)
    if s == 1 and I == J:
        R = L + E
    else:
        R = E
    return R
c = [2, 3]
n = [2, 1]
s = [1, 2]
input X[B,6,6,2]
H_{0,0} = X
for k in 0..1:
    for m in 1..n[k]:
        if m == 1:
            stride = s[k]
        else:
            stride = 1
        H_{k,m} = Inverted(H_{k,m-1}, M_{k,m}, features c[k], stride stride)
    H_{k+1,0} = H_{k,n[k]}
y[B,4] = FC(GlobalAvgPool(H_{2,0}))
output y
""",
    "squeezenet": """
def Fire(L[X,Y,I], Φ, squeeze s, expand e):
    S = relu(Conv(L, Φ.S, width 1, features s))
    return relu(Conv(S, Φ.A, width 1, features e) ; Conv(S, Φ.B, width 3, pad 1, features e))
input X[B,6,6,2]
Y = Fire(Fire(X, F1, squeeze 2, expand 3), F2, squeeze 2, expand 2)
y[B,4] = FC(MaxPool(Dropout(Y), width 3, stride 2, ceil 1))
output y
""",
    "training with momentum": """
η = 0.1
input X[B,4]
input label[B] : int
param W[3,4] ~ xavier
state v[3,4] = 0.5
s[b,j] = sum W[j,i]*X[b,i]
p = Softmax(s)
loss = CrossEntropy(s, label)
g[j,i] = 1/B * sum[b] X[b,i]*(p[b,j] - (1 if label[b] == j else 0))
next[j,i] = 0.9*v[j,i] + g[j,i]
if training:
    v <- next
    W[j,i] <- W[j,i] - η*next[j,i]
output loss
""",
}


@pytest.mark.parametrize("name", NETS)
def test_a_network_computes_what_it_means(name: str) -> None:
    net = il.compile(NETS[name], dtype="f64")
    rng = np.random.default_rng(0)
    given: dict[str, Any] = {"X": rng.normal(size=tuple(1 if n == "B" else int(n) for n in net.inputs["X"].extents))}
    if "label" in net.inputs:
        given["label"] = np.array([2])
    wanted, found = net.interpret(**given), net(**given)
    for n in net.outputs:
        one, other = (wanted, found) if len(net.outputs) == 1 else (wanted[n], found[n])
        np.testing.assert_allclose(other, one, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("training", [False, True], ids=["", "training"])
@pytest.mark.parametrize("name", NETS)
def test_a_network_as_it_is_shown(name: str, training: bool) -> None:
    assert_same_when_shown(typed(NETS[name], training), training)
