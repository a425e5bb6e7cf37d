"""What rarely used forms mean, computed and by the interpreter, beside the same in numpy."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import indexlang as il

RANDOM = np.random.default_rng(5)
S, X, x, y, L = (RANDOM.standard_normal(shape) for shape in ((4, 5), (7,), (3,), (4,), (12,)))
T = RANDOM.standard_normal(10)


def softmax(s: np.ndarray) -> np.ndarray:
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def residues(a: np.ndarray) -> np.ndarray:
    out = np.zeros(4)
    np.add.at(out, np.arange(len(a)) % 4, a)
    return out


# what it is about: the text, its input, what is expected
ROWS: dict[str, tuple[str, dict[str, Any], Callable[[], np.ndarray]]] = {
    "minus a call": ("input S[4,5]\np[B,K] = -Softmax(S)", {"S": S}, lambda: -softmax(S)),
    "a choice of calls": (
        "input S[4,5]\np[B,K] = Softmax(S) if S > 0 else 2*Softmax(S)",
        {"S": S},
        lambda: np.where(S > 0, 1, 2) * softmax(S),
    ),
    "a call that is compared": (
        "input S[4,5]\np[B,K] = 1 if Softmax(S) > 0.2 else S",
        {"S": S},
        lambda: np.where(softmax(S) > 0.2, 1, S),
    ),
    "a function of a join": (
        "input x[3]\ninput y[4]\nY[I] = relu(x ; y)",
        {"x": x, "y": y},
        lambda: np.maximum(np.concatenate([x, y]), 0),
    ),
    "a sum of joins": (
        "input x[3]\ninput y[4]\nY[I] = 2*(x ; y) + (y ; x)",
        {"x": x, "y": y},
        lambda: 2 * np.concatenate([x, y]) + np.concatenate([y, x]),
    ),
    "a derivative of a sum": (
        "input x[3]\nY[j] = d(sum[i] x[i]^3)/d(x[j])",
        {"x": x},
        lambda: 3 * x**2,
    ),
    "nothing to differentiate": (
        "input x[3]\ninput y[4]\nL = sum y[i]\nY[i] = d(L)/d(x[i])",
        {"x": x, "y": y},
        lambda: np.zeros(3),
    ),
    "residues that meet": ("input L[12]\nY[i%4] += L[i]", {"L": L}, lambda: residues(L)),
    "fewer residues than the divisor": ("input x[3]\nY[i%4] += x[i]", {"x": x}, lambda: x),
    "a group that begins at 1": (
        "input L[12]\nY[i:2,k:3] = L[(i+1,k)]",
        {"L": L},
        lambda: L[(np.arange(2)[:, None] + 1) * 3 + np.arange(3)],
    ),
    "a constant with a name": (
        "def f(x, scale s = 2) = x*s\ninput x[3]\nY[i] = f(x[i], scale 3) + f(x[i])",
        {"x": x},
        lambda: 5 * x,
    ),
    "a constant by place": (
        "def F(x[I], scale a = 2, shift b = 3):\n    z[i] = a*x[i] + b\n    return z\ninput x[3]\nY = F(x, 5, shift 4)",
        {"x": x},
        lambda: 5 * x + 4,
    ),
    "rounded to ints": ("input x[3]\ntensor Y[3] : int\nY[i] = round(x[i])", {"x": x}, lambda: np.rint(x)),
    "fractions in subscripts": (
        "input T[10]\nY[i:4] = T[floor(i/2+i/3)] + 2*T[ceil(i/2)] + 3*T[floor((i+1)/2)]",
        {"T": T},
        lambda: T[[0, 0, 1, 2]] + 2 * T[[0, 1, 1, 2]] + 3 * T[[0, 1, 1, 2]],
    ),
    "fractions in constants": (
        "c = abs(-3/2)\nd = ceil(7/2) + 10*floor(-7/2)\ninput x[3]\nY[i] = c*x[i] + d",
        {"x": x},
        lambda: 1.5 * x + 4 - 40,
    ),
    "a sum beside a sum without a list": (
        "input S[4,5]\nY[i] = sum (sum[j] S[i,j])*S[i,k]",
        {"S": S},
        lambda: S.sum(1) ** 2,
    ),
    "a sum of what is compared": (
        "input x[3]\nY = sum (1 if x[i] > 0 else 2)",
        {"x": x},
        lambda: np.where(x > 0, 1, 2).sum(),
    ),
    "a sum of negatives": ("input x[3]\nY = sum -x[i]", {"x": x}, lambda: -x.sum()),
    "whole powers": ("input x[3]\nY[i] = x[i]^0 + x[i]^(-2)", {"x": x}, lambda: 1 + x**-2.0),
    "a chosen subscript": ("input x[3]\nY[i:5] = x[i if i < 3 else 2]", {"x": x}, lambda: x[[0, 1, 2, 2, 2]]),
    "a table in a loop": (
        "input x[3]\nfor l in 0..1:\n    T = [2, 3, 5]\n    Y_{l}[i] = T[l+1]*T[2-l]*x[i]\nY[i] = Y_{0}[i] - Y_{1}[i]",
        {"x": x},
        lambda: (3 * 5 - 5 * 3) * x,
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_form_means_what_numpy_computes(name: str) -> None:
    text, inputs, wanted = ROWS[name]
    net = il.compile(text, dtype="f64")
    np.testing.assert_allclose(net(**inputs), wanted(), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(net.interpret(**inputs), wanted(), rtol=1e-12, atol=1e-12)


def test_a_split_gives_its_parts() -> None:
    found = il.compile("input X[7]\nA[3] ; C[4] = X\noutput A, C", dtype="f64")(X=X)
    np.testing.assert_array_equal(found["A"], X[:3])
    np.testing.assert_array_equal(found["C"], X[3:])
