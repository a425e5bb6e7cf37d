# pyright: reportArgumentType=false
"""Gradients of pools and of what goes element by element: odd extents, windows that overlap, touch or leave gaps."""

import numpy as np
import pytest
from shapes import agrees, drawn

import indexlang as il


def pool(k: int, s: int, n: int) -> str:
    """The first place of each window's maximum, and the signal at the places that won."""
    e = -(-k // s)
    at = f"at[b,x//{s}-e,y//{s}-f,i else {k * k}]"
    return (
        f"at[b,x,y,i] = min[dx:{k},dy:{k}] ({k}*dx+dy if L[b,{s}*x+dx,{s}*y+dy,i] == M[b,x,y,i] else {k * k})\n"
        f"dL[b,x:{n},y:{n},i] = sum[e:{e},f:{e}] (dM[b,x//{s}-e,y//{s}-f,i else 0]"
        f" if {at} == {k}*({s}*e+x%{s})+{s}*f+y%{s} and {s}*f+y%{s} < {k} else 0)\noutput dL, at\n"
    )


@pytest.mark.parametrize(
    ("k", "s", "n", "i"),
    [(3, 2, 7, 5), (2, 2, 6, 17), (2, 2, 7, 1), (3, 1, 5, 3), (2, 3, 8, 2), (1, 2, 5, 3), (3, 2, 3, 0)],
)
def test_max_pools(k: int, s: int, n: int, i: int) -> None:
    out = (n - k) // s + 1
    image = np.round(drawn({"L": (2, n, n, i)})["L"], 1)  # with ties
    windows = np.lib.stride_tricks.sliding_window_view(image, (k, k), (1, 2))[:, ::s, ::s]
    signal = drawn({"dM": (2, out, out, i)})["dM"]
    given = {"L": image, "M": windows.max((-1, -2), initial=-np.inf), "dM": signal}
    head = "".join(f"input {name}[{', '.join(map(str, a.shape))}]\n" for name, a in given.items())
    given = {name: np.float64(np.float32(a)) for name, a in given.items()}
    agrees(head + pool(k, s, n), given)


def test_a_pool_gradient_is_vectors_without_conditions_inside() -> None:
    head = "input L[4,55,55,32]\ninput M[4,27,27,32]\ninput dM[4,27,27,32]\n"
    shown = il.compile(head + pool(3, 2, 55)).show("nest", "dL")
    assert shown.count("parallel") == 4
    assert "serial" not in shown


@pytest.mark.parametrize(("b", "k"), [(0, 3), (1, 1), (5, 17), (67, 130)])
def test_softmax(b: int, k: int) -> None:
    text = "s[b] = sum[k] p[b,k]*dp[b,k]\ndF[b,k] = p[b,k]*(dp[b,k]-s[b])\noutput dF"
    agrees(text, drawn({"p": (b, k), "dp": (b, k)}))


def test_batch_norm() -> None:
    given = drawn({"Z": (3, 7, 5, 17), "L": (3, 7, 5, 17), "a": (17,), "c": (17,), "d": (17,), "m": (17,)})
    text = (
        "Y[b,x,y,j] = a[j]*Z[b,x,y,j] + c[j] + d[j]*(L[b,x,y,j]-m[j])\nS[j] = sum[b,x,y] Z[b,x,y,j]*(L[b,x,y,j]-m[j])"
    )
    agrees(text + "\noutput Y, S", given)
