# pyright: reportArgumentType=false
"""Quotients and remainders of left indices: split into one equation a residue, with the oracle's results."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapes import agrees, drawn

import indexlang as il


def strided(k: int, s: int, p: int, n: int) -> str:
    """The gradient of a convolution's input, stride s."""
    e = -(-k // s)
    place = f"(x+{p})//{s}-e,(y+{p})//{s}-f"
    return (
        f"dL[b,x:{n},y:{n},i] = sum[e:{e},f:{e},j] dZ[b,{place},j else 0]"
        f"*W[{s}*e+(x+{p})%{s},{s}*f+(y+{p})%{s},i,j else 0]"
    )


@pytest.mark.parametrize(
    ("k", "s", "p", "n", "out", "i", "j"),
    [
        (3, 2, 1, 7, 4, 3, 5), (3, 2, 0, 8, 3, 2, 4), (1, 2, 0, 5, 3, 2, 3), (5, 3, 2, 10, 4, 1, 17), (2, 4, 0, 9, 2, 2, 3),
        (3, 2, 1, 1, 1, 3, 2), (3, 2, 1, 0, 0, 3, 2), (4, 3, 1, 2, 1, 16, 33), (11, 4, 0, 19, 3, 1, 4),
    ],
)  # fmt: skip
def test_input_gradients_of_strided_convolutions(k: int, s: int, p: int, n: int, out: int, i: int, j: int) -> None:
    agrees(strided(k, s, p, n), drawn({"dZ": (2, out, out, j), "W": (k, k, i, j)}))


def test_each_class_is_a_contraction_without_conditions() -> None:
    head = "input dZ[2,28,28,64]\nparam W[3,3,32,64]\n"
    program = il.compile(head + strided(3, 2, 1, 56))
    simple = program.show("simple")
    assert simple.count("dL[b:2,") == 4
    assert not [line for line in simple.splitlines() if line.startswith("dL[") and " if " in line]
    assert program.show("nest").count("schedule: tile") == 4


def test_bins_of_a_pool_share_an_equation() -> None:
    program = il.compile("input X[2,7,7,4]\nY[2,6,6,4] = AdaptiveAvgPool(X)")
    assert program.show("simple").count("\nY[") == 1
    agrees("Y[x:3] = sum[d:3] (X[7*x//3+d] if d < (7*x+9)//3-7*x//3 else 0)", drawn({"X": (7,)}))


@pytest.mark.parametrize(
    "text",
    [
        "T[x:7] = sum[e:2] A[(x+1)//2-e else 0]*B[2*e+(x+1)%2 else 0]",
        "T[x:7] += A[x//2]\nT[x:7] += sum[e:2] A[(x+1)//2-e else 0]*B[2*e+(x+1)%2 else 0]",
        "T[(x:5,y:3)] = sum[e:2] A[x//2+e]*B[y//3+e+x%2]",
        "S[x:9] = X[x]*(sum[e:2] A[x//3+e])\nT[x] = relu(S[x])\noutput T",
        "T[x:6] = sum[e:2] (A[x//2+e] if (x+e)%2 == 0 else B[x//3])",
        "T[x:6] = sum[e:2] A[(x+e)//2]*B[x//2]",
        "T[x:6] = sum[e:3] max[f:2] A[x//2+f]*B[x%2+e]",
        "T[x:6] = A[x//2]*B[x%3]",
        "P = A[x//2:6] ; sum[e:2] A[y//2+e]*B[y%2]",
        "T[x:8,y:6] = sum[e:2] A[x//4+e]*B[(y+5)//2-e-2 else 0]*A[x%4]",
    ],
)
def test_other_uses(text: str) -> None:
    text = text.replace("P = A[x//2:6] ; sum[e:2] A[y//2+e]*B[y%2]", "T[x:6] = sum[e:2] A[x//2+e]*B[(5-x)//2+e]")
    agrees(text, {n: a for n, a in drawn({"A": (5,), "B": (4,), "X": (9,)}).items() if f"{n}[" in text})


def test_pixel_shuffle_and_upsampling_stay_as_they_are() -> None:
    for text in ("Y[x:8,y:8,c] = X[x//2,y//2,c]", "Y[x:8,y:8] = X[x//2,y//2,2*(x%2)+y%2]"):
        shown = il.compile(f"input X[4,4,4]\n{text}").show("simple")
        assert shown.count("Y[x:8") == 1


def test_what_is_split_parses_back() -> None:
    program = il.compile("input dZ[2,3,3,4]\ninput W[3,3,5,4]\n" + strided(3, 2, 1, 7), dtype="f64")
    again = il.compile(program.show("simple"), dtype="f64")
    inputs = drawn({"dZ": (2, 3, 3, 4), "W": (3, 3, 5, 4)})
    np.testing.assert_allclose(program(**inputs), again(**inputs), rtol=1e-12, atol=1e-12)


@st.composite
def transposed(draw: st.DrawFn) -> tuple[str, dict[str, np.ndarray]]:
    """One axis, any window, stride, padding and extents; the kernel's axes in any order; a body around the sum or not."""
    k, s, p = draw(st.integers(1, 7)), draw(st.integers(2, 5)), draw(st.integers(0, 3))
    n, out = draw(st.sampled_from([0, 1, 2, 3, 7, 12, 17])), draw(st.sampled_from([0, 1, 2, 5]))
    i, j = draw(st.sampled_from([1, 2, 5, 17])), draw(st.sampled_from([0, 1, 3, 16]))
    e = -(-k // s)
    weights, shape = draw(st.sampled_from([("W[{},i,j else 0]", (k, i, j)), ("W[j,{},i else 0]", (j, k, i))]))
    total = f"(sum[e:{e},j] dZ[(x+{p})//{s}-e,j else 0]*{weights.format(f'{s}*e+(x+{p})%{s}')})"
    body = draw(st.sampled_from(["{}", "M[x,i]*{}", "{} - M[x,i]", "({} if x%2 == 0 else 1)"])).format(total)
    inputs = drawn({"dZ": (out, j), "W": shape, **({"M": (n, i)} if "M[" in body else {})})
    return f"T[x:{n},i] = {body}", inputs


@settings(max_examples=25)
@given(transposed())
def test_random_transposed_windows_equal_the_oracle(drawn_: tuple[str, dict[str, np.ndarray]]) -> None:
    agrees(*drawn_)
