"""Operands that are laid along the columns of a sum, beside the interpreter; which are, and which are left where they are."""

from typing import Any

import numpy as np
import pytest

import indexlang as il
from indexlang.nest.moves import block, lay

# Text, shapes in letters, and the copies that are made: n rows, m columns, c terms.
CASES = {
    "distances": ("Y[i,j] = sum[c] abs(A[i,c]-B[j,c])", {"A": "nc", "B": "mc"}, ("B_laid",)),
    "a function of distances": ("Y[i,j] = exp(-sum[c] (A[i,c]-B[j,c])^2)", {"A": "nc", "B": "mc"}, ("B_laid",)),
    "one tensor with itself": ("Y[i:{n},j] = max[c] (A[i,c]*A[j,c])", {"A": "mc"}, ("A_laid",)),
    "backwards": ("Y[i:{n},j:{m}] = sum[c] A[i,c]*(B[j,c] + D[i-j+{m}-1,c])", {"A": "nc", "B": "mc", "D": "2c"}, ("B_laid", "D_laid")),
    "steps": ("Y[i:{n},j:{m}] = min[c] (A[i,c] + D[i+j,c])", {"A": "nc", "D": "2c"}, ("D_laid",)),
    "batches": ("Y[b,i,j] = sum[c] abs(E[b,i,c]-F[b,j,c])", {"E": "3nc", "F": "3mc"}, ("F_laid",)),
    "one read along, one across": (
        "Y[i,j] = sum[c] abs(A[i,c]*B[j,c] - G[c,j])", {"A": "nc", "B": "mc", "G": "cm"}, ("B_laid",),
    ),
    "columns in two axes": ("Y[i:{n},j:{m}] = sum[c] abs(A[i,c] - H[j,j,c])", {"A": "nc", "H": "mmc"}, ()),
    "every other row": ("Y[i:{n},j:{m}] = sum[c] abs(A[i,c] - D[2*j,c])", {"A": "nc", "D": "2c"}, ()),
    "a border": ("Y[i:{n},j:{m}] = sum[c] abs(A[i,c] - B[j-1,c else 0])", {"A": "nc", "B": "mc"}, ()),
    "a product": ("Y[i,j] = sum[c] A[i,c]*B[j,c]", {"A": "nc", "B": "mc"}, ()),
}  # fmt: skip
SIZES = [(1, 32, 16), (5, 33, 17), (2, 67, 16)]  # the interpreter takes its time


@pytest.fixture(autouse=True)
def small_equations_are_laid_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block, "_LEAST_WORK", 0)
    monkeypatch.setattr(lay, "_LEAST_WORK", 0)
    monkeypatch.setattr(lay, "_LEAST_USES", 0)


def _program(name: str, n: int, m: int, c: int, dtype: str, threads: int = 1) -> tuple[il.Program, dict[str, Any]]:
    text, shapes, _ = CASES[name]
    sizes = {"n": n, "m": m, "c": c, "2": n + 2 * m, "3": 3}
    kind = np.float32 if dtype == "f32" else np.float64
    random = np.random.default_rng(n)
    arrays = {k: random.standard_normal([sizes[x] for x in s]).astype(kind) for k, s in shapes.items()}
    declared = "".join(f"input {k}{list(a.shape)}\n" for k, a in arrays.items())
    sized = text.replace("{n}", str(n)).replace("{m}", str(m))
    return il.compile(declared + sized, dtype=dtype, threads=threads), arrays


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("name", CASES)
def test_results_are_those_of_the_interpreter(name: str, dtype: str) -> None:
    for n, m, c in SIZES if dtype == "f32" else SIZES[1:2]:
        net, arrays = _program(name, n, m, c, dtype)
        got, want = np.asarray(net(**arrays)), np.asarray(net.interpret(**arrays))
        close = 5e-6 if dtype == "f32" else 1e-14
        np.testing.assert_allclose(got, want, rtol=close, atol=close * np.abs(want).max(), err_msg=f"{n} {m} {c}")


@pytest.mark.parametrize("name", CASES)
def test_structure_decides(name: str) -> None:
    simple = _program(name, 13, 67, 31, "f32")[0].show("simple")
    copies = CASES[name][2]
    assert simple.count("_laid[u0") + simple.count("_laid[u1") == len(copies)
    assert all(f"{copy}[" in simple for copy in copies)


@pytest.mark.parametrize("name", ["distances", "backwards"])
def test_threads_do_not_change_bits(name: str) -> None:
    one, three = (np.asarray(net(**a)) for net, a in (_program(name, 70, 97, 40, "f32", threads) for threads in (1, 3)))
    np.testing.assert_array_equal(one, three)


def test_small_sums_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert "_laid" not in _program("distances", 13, 67, 31, "f32")[0].show("simple")
    assert "_laid" in _program("distances", 130, 67, 31, "f32")[0].show("simple")


def test_what_equations_share_is_copied_once() -> None:
    text = "Y[i,j] = sum[c] abs(A[i,c]-B[j,c])\nZ[i,j] = max[c] abs(A[i,c]+B[j,c])\noutput Y, Z"
    simple = il.compile(f"input A[40,20]\ninput B[50,20]\n{text}", dtype="f32").show("simple")
    assert simple.count("_laid[u") == 1
