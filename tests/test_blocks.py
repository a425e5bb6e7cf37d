"""`for`, `if` and computed names: blocks become plain equations."""

import re

import numpy as np
import pytest

import indexlang as il

NET = """
input L_0[5,4]
depth = 3
for l in 1..depth:
    k = 2*l                       # a constant of one turn
    param W_{l}[4,4]
    if l < depth:
        L_{l}[x,j] = relu(sum W_{l}[i,j]*L_{l-1}[x,i]) + k
    else:
        L_{l}[x,j] = sum W_{l}[i,j]*L_{l-1}[x,i]
for x,j
Y[x,j] = 2*L_{depth}[x,j]
"""


def test_a_loop_is_written_out() -> None:
    net = il.compile(NET)
    x = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    want = x
    for layer in (1, 2, 3):
        want = want @ net.params[f"W_{layer}"]
        want = np.maximum(want, 0) + 2 * layer if layer < 3 else want
    np.testing.assert_allclose(net(x), 2 * want, rtol=1e-5, atol=1e-5)
    assert list(net.params) == ["W_1", "W_2", "W_3"]


def test_two_subscripts_in_one_bracket() -> None:
    """`H_{k,m}` is `H_{k}_{m}`, inside a loop and outside."""
    text = "input H_{0,0}[3]\nfor k in 0..1:\n    for m in 1..2:\n        H_{k,m}[i] = 2*H_{k,m-1}[i]\n    H_{k+1,0} = H_{k,2}\n"
    net = il.compile(text + "output H_{2,0}, H_1_1")
    np.testing.assert_array_equal(net(np.ones(3, np.float32))["H_2_0"], 16)
    assert list(net.outputs) == ["H_2_0", "H_1_1"]


def test_a_part_of_a_computed_package() -> None:
    """`Φ_{k}.A` is the package A inside Φ_1, and `Φ_{k}.A_{m}.W` a tensor of one of its parts."""
    text = "input L_0[5,4]\nfor k in 1..2:\n    L_{k}[5,4] = Linear(L_{k-1}, Φ_{k}.A_{k+1}, bias 0)\n"
    text += "    N_{k} = sum[i,j] Φ_{k}.A_{k+1}.W[i,j]^2\noutput L_2, N_2"
    net = il.compile(text)
    assert list(net.params) == ["Φ_1.A_2.W", "Φ_2.A_3.W"]
    w = net.params["Φ_2.A_3.W"]
    np.testing.assert_allclose(net(np.ones((5, 4), np.float32))["N_2"], (w**2).sum(), rtol=1e-5)


def test_ranges_before_an_equation() -> None:
    net = il.compile("input a[5]\ntensor U[9]\nfor x:3, dx:4\nU[2*x+dx] += a[x]", dtype="f64")
    a = np.arange(1.0, 6.0)
    want = np.zeros(9)
    np.add.at(want, 2 * np.arange(3)[:, None] + np.arange(4), a[:3, None])
    np.testing.assert_array_equal(net(a), want)
    np.testing.assert_array_equal(net.interpret(a), want)


def test_places_in_tables() -> None:
    text = """c = [1, 2, 4]
d = [2, 0, 1]
input L_0[3]
for l in 1..3:
    k = [5, 7]
    L_{l} = c[d[l-1]]*c[l//2]*c[min(l,2)]*k[l%2]*L_{l-1}
output L_3
"""
    factor = (4 * 1 * 2 * 7) * (1 * 2 * 4 * 5) * (2 * 2 * 4 * 7)
    np.testing.assert_array_equal(il.compile(text)(np.ones(3, np.float32)), factor)


def test_the_depth_can_be_set_from_outside() -> None:
    assert len(il.compile(NET, constants={"depth": 7}).params) == 7


def test_what_it_prints_is_the_same_program() -> None:
    net = il.compile(NET)
    assert str(il.compile(str(net))) == str(net)


def test_constants_behind_a_condition_decide_blocks() -> None:
    """Tables too, and conditions on constants that are behind conditions themselves."""
    text = """
if kind == 1:
    n = [2, 3]
    if n[0] == 2:
        m = n[1]
else:
    n = [1]
    m = n[0]
kind = 1
input L_0[3]
for l in 1..m:
    L_{l} = n[0]*L_{l-1}
output L_{m}
"""
    np.testing.assert_array_equal(il.compile(text)(np.ones(3, np.float32)), 8)
    np.testing.assert_array_equal(il.compile(text, constants={"kind": 2})(np.ones(3, np.float32)), 1)


@pytest.mark.parametrize(("rounded", "value"), [("floor", 3), ("ceil", 4), ("round", 4)])
def test_a_rounded_constant_is_an_integer(rounded: str, value: int) -> None:
    """So it can be an extent: widths of layers are rounded."""
    net = il.compile(f"alpha = 0.35\nc = {rounded}(alpha*10 + 0.04)\ninput X[N]\nY[i:c] = X[0]+i")
    assert net.tensors["Y"].extents == (value,)


def test_equal_layers_share_their_kernels() -> None:
    text = "input L_0[B, 8, 8]\nfor l in 1..20:\n    param W_{l}[8,8]\n    L_{l}[b,x,j] = relu(sum W_{l}[i,j]*L_{l-1}[b,x,i])"
    net = il.compile(text).bound(B=2)
    assert len(set(re.findall(r"def (kernel_\w+)", net.show("source")))) == 1


def test_200_layers_check_in_a_second() -> None:
    from time import process_time

    text = (
        "input L_0[B,16,16,8]\nfor l in 1..200:\n    param W_{l}[3,3,8,8]\n    L_{l}[b,x:16,y:16,j] = L_{l-1}[b,x,y,j]"
    )
    text += " + relu(sum W_{l}[dx,dy,i,j]*L_{l-1}[b,x+dx-1,y+dy-1,i else 0])"
    start = process_time()
    assert il.check(text) == []
    assert process_time() - start < 1.5


RESIDUAL = """
def Step(L[X,Y,J], Φ): 
    H = relu(Conv(L, Φ, width 3, pad 1, features J))
    return H + L
input L_0[B,8,8,4]
for l in 1..200:
    L_{l} = Step(L_{l-1}, Φ_{l})
output L_200
"""


def test_200_calls_check_in_a_second_and_share_their_kernels() -> None:
    from time import process_time

    il.check(RESIDUAL)  # the grammar and the library are read once
    start = process_time()
    assert il.check(RESIDUAL) == []
    assert process_time() - start < 2  # 0.7 s by itself; other tests run beside it
    net = il.compile(RESIDUAL).bound(B=1)
    assert len(net.params) == 400
    few = il.compile(RESIDUAL.replace("200", "3")).bound(B=1)
    deep, shallow = (set(re.findall(r"def (kernel_\w+)", n.show("source"))) for n in (net, few))
    assert deep == shallow  # depth adds no structure
    assert len(deep) <= 6


def test_a_subscript_with_a_constant_of_zero_is_no_bare_index() -> None:
    """`2*g+i` is the part of an axis in every turn, the first included."""
    text = "input W[3,2]\ninput X[6]\nfor g in 0..2:\n    Y_{g} = sum W[g,i]*X[2*g+i]\noutput Y_0, Y_1, Y_2"
    net = il.compile(text, dtype="f64")
    w, x = np.random.default_rng(0).normal(size=(3, 2)), np.arange(6.0)
    np.testing.assert_allclose(list(net(w, x).values()), (w * x.reshape(3, 2)).sum(1))
    assert str(il.compile(str(net))) == str(net)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("for l in 1..1000000000:\n    L_{l}[i] = X[i]", "E0903"),
        ("A[i] = X[i]\nif q:\n    C[i] = X[i]", "E0312"),
        ("for l in 1..2:\n    A[i] = X[i]", "E0202"),
        ("for b,x\nA[b] = sum X[b,i]", "E0302"),
        ("for l in 1..3:\nA[i] = X[i]", "E0109"),
        ("else:\n    A[i] = X[i]", "E0109"),
    ],
)
def test_mistakes_in_blocks(text: str, code: str) -> None:
    assert [d.code for d in il.check(text)] == [code]


@pytest.mark.parametrize(
    "text",
    [
        "if + :\n  a = 1\nelse:\n  a = 2\nA[i] = a*X[i]",
        "for l in 1..:\n  A_{l}[i] = X[i]\n  if l:\n    B[i] = 1\nC[i] = B[i] + A_1[i]",
        "def F(L[:\n  K[i] = 1\n  return K\nC[i] = 2*X[i]",
    ],
)
def test_a_broken_head_costs_one_message(text: str):
    assert len(il.check(text)) == 1


def test_an_outer_if_decides_a_loop() -> None:
    """The constants of an `if` at the outer level are those of the whole text."""
    text = """
if depth > 2:
    repeats = [3, 4]
else:
    repeats = [1, 2]
    if depth == 2:
        last = 1
depth = 2
input L_0[3]
for l in 1..repeats[last]:
    L_{l} = 2*L_{l-1}
output L_{repeats[1]}
"""
    np.testing.assert_array_equal(il.compile(text)(np.ones(3, np.float32)), 4)
    deeper = il.compile(text.replace("        last = 1", "        last = 0") + "last = 1", constants={"depth": 3})
    np.testing.assert_array_equal(deeper(np.ones(3, np.float32)), 16)
