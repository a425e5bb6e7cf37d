"""Which nodes and edges a program has."""

from pathlib import Path

import pytest

import indexlang as il
from indexlang.checking import checked
from indexlang.graph.build import graph
from indexlang.graph.nodes import Graph, Kind
from indexlang.ir.dtypes import DType
from indexlang.text.source import Source

EXAMPLES = Path(__file__).parents[2] / "examples"


def graph_of(text: str, folder: Path | None = None) -> Graph:
    program = checked(Source("net.idx", text), None, DType.F32, folder).program
    assert program is not None
    return graph(program)


def lines(g: Graph) -> list[str]:
    """`name: title; steps that follow <- sources`, a line a node."""
    out: list[str] = []
    for k, n in enumerate(g.nodes):
        sources = ", ".join(g.nodes[a].name for a, b in g.edges if b == k)
        title = "; ".join((n.title, *n.then))
        out.append(f"{n.name}: {title} <- {sources}")
    return out


ROWS = [
    ("one equation", "input X[B, 4]\nparam W[4, 3]\nY[b,j] = relu(sum W[i,j]*X[b,i])", """
X: X <-
Y: sum 4, relu <- X"""),
    ("a skip connection", """
input X[B, 8, 8, 4]
R = BatchNorm(Conv(relu(Conv(X, width 3, pad 1, features 4)), width 3, pad 1, features 4))
Y = relu(X + R)""", """
X: X <-
R.Conv.arg: Conv 3×3, 4; relu <- X
R: Conv 3×3, 4; BatchNorm <- R.Conv.arg
Y: X + R, relu <- X, R"""),
    ("a step that two read stays by itself", "input X[5]\nA[i] = 2*X[i]\nE[i] = relu(A[i])\nC[i] = E[i] + A[i]", """
X: X <-
A: 2*X <- X
E: relu <- A
C: E + A <- A, E"""),
    ("an output is not swallowed", "input X[5]\nA[i] = 2*X[i]\nE[i] = relu(A[i])\noutput A, E", """
X: X <-
A: 2*X <- X
E: relu <- A"""),
    ("a step across elements does not follow", "input X[5]\nA[i] = 2*X[i]\nE[i:4] = A[i+1]\nF = Softmax(E)", """
X: X <-
A: 2*X <- X
E: part of A <- A
F: Softmax <- E"""),
    ("a slice that is changed", "input X[5]\nA[i] = 2*X[i]\nE[i:4] = relu(A[i+1])\nF[i] = A[4-i]", """
X: X <-
A: 2*X <- X
E: part of A, relu <- A
F: A <- A"""),
    ("parts of one length", "input X[B, 4]\nP = 2*X\nQ = 3*X\nY = P ; Q ; P", """
X: X <-
P: 2*X <- X
Q: 3*X <- X
Y: join 4+4+4 <- P, Q"""),
    ("branches and a join", """
input X[B, 8, 8, 3]
P = Conv(X, width 1, features 2)
Q = MaxPool(X, width 3, stride 1, pad 1)
Y = P ; Q""", """
X: X <-
P: Conv 1×1, 2 <- X
Q: MaxPool 3×3 <- X
Y: join 2+3 <- P, Q"""),
    ("a draw", "input X[3]\nNoise[3] ~ uniform(0, 1)\nY[i] = X[i]*Noise[i]", """
X: X <-
Noise: random <-
Y: X*Noise <- X, Noise"""),
    ("a function of one's own is opened", """
def Residual(L[X,Y,J], Φ):
    H = relu(Conv(L, Φ, width 3, pad 1, features J))
    return L + H
input X[B, 8, 8, 4]
A = Residual(X)
C = Residual(A)""", """
X: X <-
A.H: Conv 3×3, 4; relu <- X
A: X + H <- X, A.H
C.H: Conv 3×3, 4; relu <- A
C: A + H <- A, C.H"""),
    ("a copy is no node", """
input X[B, 4]
U[b,i] = X[b,i]
V[b,j] = max[i] (U[b,i] + j)
P[b,i] = 0.5*U[b,i]
Q[b,i] = P[b,i]
R[b,i] = sum[d:1] Q[b,i+d]
S[b,i] = relu(R[b,i])
output S, V""".replace("V[b,j]", "V[b,j:4]"), """
X: X <-
V: max 4 <- X
Q: 0.5*U <- X
S: sum 1; relu <- Q"""),
    ("one without calls is a layer", "def F(L[I]):\n    m = 1/I * sum[i] L[i]\n    R[i] = L[i] - m\n    return R\ninput X[B,5]\nY = F(X)", """
X: X <-
Y: F <- X"""),
    ("keywords that matter", "input X[B,9,9,4]\nY = Conv(X, width 3, stride 2, groups 2, features 6, pad 1, bias 0)", """
X: X <-
Y: Conv 3×3, 6, stride 2, groups 2 <- X"""),
    ("what nothing needs is left out", "input X[5]\nA[i] = 2*X[i]\nE[i] = 3*X[i]\noutput E", """
X: X <-
E: 3*X <- X"""),
    ("without inputs, parameters begin", "param P[5]\nparam Q[5]\nA[i] = P[i]*Q[i]\nE[i] = P[i] + A[i]\noutput E", """
P: P <-
A: P*Q <- P
E: P + A <- P, A"""),
    ("a constant", "tensor one[3]\none[i:3] = 1\noutput one", "one: 1 <-"),
    ("an input that is returned", "input X[5]\noutput X", "X: X <-"),
    ("added up", "input X[5]\ninput k[5] : int\ntensor H[9]\nH[k[i]] += X[i]\nH[k[i]+1] += 1\nY[j:8] = sum[d:2] H[j+d]", """
X: X <-
k: k <-
H: += X <- X, k
Y: sum 2 <- H"""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), [pytest.param(t, e, id=n) for n, t, e in ROWS])
def test_nodes_and_edges(text: str, expected: str) -> None:
    assert [line.rstrip() for line in lines(graph_of(text))] == expected.strip().split("\n")


def test_the_lecture_s_networks() -> None:
    alexnet = graph_of((EXAMPLES / "alexnet.idx").read_text(encoding="utf-8"))
    assert len(alexnet.nodes) == 12
    assert alexnet.edges == tuple((n, n + 1) for n in range(11))
    residual = (EXAMPLES / "lecture" / "24-residual.idx").read_text(encoding="utf-8")
    found = graph_of(residual, EXAMPLES / "lecture")
    number = {n.name: k for k, n in enumerate(found.nodes)}
    for n in range(3):  # the skip, and the way around it
        assert (number[f"L_{n}"], number[f"L_{n + 1}"]) in found.edges
        assert (number[f"R_{n + 1}"], number[f"L_{n + 1}"]) in found.edges


def test_kinds() -> None:
    found = graph_of("input X[B,4,4,2]\nA = Conv(X, width 1, features 3)\nY = A ; X\noutput Y, A")
    assert {n.name: n.kind for n in found.nodes} == {"X": Kind.INPUT, "A": Kind.CONTRACTION, "Y": Kind.JOIN}
    assert [n.name for n in found.nodes if n.is_output] == ["A", "Y"]
    assert found.nodes[1].extents == "B×4×4×3"


INSIDE = """
def G(x[I], y[I]):
    s = sum[i] x[i]*y[i]
    e = s^3
    g[i] = d(e)/d(x[i])
    return g
input X[4]
Y[i] = 2*X[i]
Q = Softmax(Y)
Z = G(Y, Q)
output Z"""


def test_a_call_that_differentiates_inside_is_drawn_equation_by_equation() -> None:
    """The way back through Q reads s, and what G returns reads the way back: as one node G would read what reads it."""
    found = graph_of(INSIDE)
    assert [n.name for n in found.nodes] == ["X", "Y", "Q", "dZ.s", "dQ", "dQ.z", "dQ.e", "Z"]
    assert all(a < b for a, b in found.edges)


def test_every_example_has_a_picture() -> None:
    for path in sorted(EXAMPLES.rglob("*.idx")):
        if path.name not in ("layers.idx", "picture.idx", "loss.idx"):  # parts of others
            net = il.load(path)
            assert net.svg() == net.svg()
            assert net.dot().startswith("digraph")
