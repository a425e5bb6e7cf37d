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


def test_the_depth_can_be_set_from_outside() -> None:
    assert len(il.compile(NET, constants={"depth": 7}).params) == 7


def test_what_it_prints_is_the_same_program() -> None:
    net = il.compile(NET)
    assert str(il.compile(str(net))) == str(net)


def test_equal_layers_share_their_kernels() -> None:
    text = "input L_0[B, 8, 8]\nfor l in 1..20:\n    param W_{l}[8,8]\n    L_{l}[b,x,j] = relu(sum W_{l}[i,j]*L_{l-1}[b,x,i])"
    net = il.compile(text).bound(B=2)
    assert len(set(re.findall(r"def (kernel_\w+)", net.show("source")))) == 1


def test_200_layers_check_in_a_second() -> None:
    from time import perf_counter

    text = (
        "input L_0[B,16,16,8]\nfor l in 1..200:\n    param W_{l}[3,3,8,8]\n    L_{l}[b,x:16,y:16,j] = L_{l-1}[b,x,y,j]"
    )
    text += " + relu(sum W_{l}[dx,dy,i,j]*L_{l-1}[b,x+dx-1,y+dy-1,i else 0])"
    start = perf_counter()
    assert il.check(text) == []
    assert perf_counter() - start < 1.5


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
