# pyright: reportArgumentType=false
"""Which equations move into their readers, and which stay."""

import numpy as np
import pytest

import indexlang as il
from indexlang.infer.scope import Options
from indexlang.ir.dtypes import DType
from indexlang.passes.dce import drop_dead
from indexlang.passes.fuse import fuse_readers
from indexlang.pipeline import typed
from indexlang.syntax.parse import parse
from indexlang.text.source import Source

INPUTS = "input X[4, 6]\ninput A[4, 5]\ninput W[6, 5]\ninput B[5]\ninput J[4] : int\n"
PRODUCT = "R[b,j] = sum[i] W[i,j]*X[b,i] - B[j]\n"

FUSED = {
    "the relu of a product": (PRODUCT + "Y[b,j] = relu(R[b,j])", "Y"),
    "a residual": (PRODUCT + "Y[b,j] = A[b,j] + R[b,j]", "Y"),
    "two steps": (PRODUCT + "S[b,j] = R[b,j] + A[b,j]\nY[c,j] = relu(S[c,j])", "Y"),
    "under a condition": (PRODUCT + "Y[b,j] = R[b,j] if j < 3 else A[b,j]", "Y"),
    "names that meet": (PRODUCT + "Y[i,k] = relu(R[i,k]) + A[i,k]", "Y"),
    "a map before a transposition": ("R[b,j] = 2*A[b,j]\nY[j,b] = R[b,j] + 1", "Y"),
    "a map before a sum": ("R[b,j] = A[b,j]*A[b,j]\nY[j] = sum[b] R[b,j]", "Y"),
    "a map before a maximum of a sum": ("R[b,i] = 2*X[b,i]\nY = max[b] (sum[i] R[b,i])", "Y"),
    "a reshaped copy before a maximum": ("R[b,g:3,j:2] = X[b,2*g+j]\nY[g:3,u:4] = max[b,j:2] R[b,g,j]*A[b,u]", "Y"),
    "a reshaped copy in a window": ("R[b,g:3,j:2] = X[b,2*g+j]\nY[b:2,g:3,j:2] = max[u:3] R[b+u,g,1-j]", "Y"),
    "a reshaped copy at a border": ("R[b,g:3,j:2] = X[b,2*g+j]\nY[b:7,g:3,j:2] = 2*R[b-1,g,j else 0]", "Y"),
    "a scalar": ("R = sum[b,j] A[b,j]\nY = R/20", "Y"),
}
KEPT = {
    "read twice": (PRODUCT + "Y[b,j] = R[b,j]*R[b,j]", "Y", 2),
    "wanted": (PRODUCT + "Y[b,j] = relu(R[b,j])", "R, Y", 2),
    "a sum in another order": (PRODUCT + "Y[j,b] = relu(R[b,j])", "Y", 2),
    "a sum that would be done again": ("R[b] = sum[i] X[b,i]\nY[b,j] = A[b,j] - R[b]", "Y", 2),
    "a map of fewer indices": ("R[j] = exp(B[j])\nY[b,j] = A[b,j]*R[j]", "Y", 2),
    "two sums": (PRODUCT + "Y[b,j] = R[b,j] + sum[i] X[b,i]", "Y", 2),
    "a map before a product": ("R[b,i] = relu(X[b,i])\nY[b,j] = sum[i] R[b,i]*W[i,j]", "Y", 2),
    "a window": ("R[b,j] = exp(A[b,j])\nY[b,j:4] = R[b,j] + R[b,j+1]", "Y", 2),
    "one element": ("R[b,j] = exp(A[b,j])\nY[b] = R[b,2]", "Y", 2),
    "a border": ("R[b,j] = exp(A[b,j])\nY[b,j:6] = R[b,j else 0]", "Y", 2),
    "a reshaped copy at a border inside": ("R[b,g:3,j:2] = X[b,2*g+j]\nY[b,g:4,j:2] = R[b,g,j else 0]", "Y", 2),
    "a reshaped copy before a product": ("R[b,g:3,j:2] = X[b,2*g+j]\nY[j:2,k] = sum[b,g:3] R[b,g,j]*A[b,k]", "Y", 2),
    "a copy that moves elements": ("R[b,j:2,g:3] = X[b,2*g+j]\nY[j:2,u:3] = max[b,g:3] R[b,j,g]*u", "Y", 2),
    "a part of a tensor": ("R[b,g:2,j:2] = X[b,2*g+j]\nY[g:2,u:3] = max[b,j:2] R[b,g,j]*u", "Y", 2),
    "a subscript": ("R[b] = J[b] % 4\nY[b,j] = A[R[b],j]", "Y", 2),
    "a gather": ("R[b,j] = A[J[b],j]\nY[b,j] = R[b,j] + 1", "Y", 2),
    "a sum that becomes a bool": (PRODUCT + "Y[b,j] = 1 if R[b,j] > 0 else 0", "Y", 2),
}


def texts() -> list[tuple[str, str, int]]:
    rows = [(text, wanted, 1) for text, wanted in FUSED.values()] + list(KEPT.values())
    return [(f"{INPUTS}{text}\noutput {wanted}\n", wanted, count) for text, wanted, count in rows]


@pytest.mark.parametrize(("text", "wanted", "count"), texts(), ids=[*FUSED, *KEPT])
def test_what_moves(text: str, wanted: str, count: int) -> None:
    program = typed(parse(Source("<text>", text))[0], Options(DType.F64))
    assert len(fuse_readers(drop_dead(program, program.outputs)).equations) == count
    random = np.random.default_rng(0)
    given = {"X": (4, 6), "A": (4, 5), "W": (6, 5), "B": (5,)}
    arrays = {name: random.standard_normal(shape) for name, shape in given.items()} | {"J": np.array([3, 0, 1, 1])}
    made = il.compile(text, dtype="f64")
    got, want = made(**arrays), made.interpret(**arrays)
    for name in wanted.split(", "):
        a, b = (np.asarray(v[name]) if "," in wanted else np.asarray(v) for v in (got, want))
        np.testing.assert_allclose(a, b, rtol=1e-12, err_msg=name)


def test_a_long_chain_of_maps_is_cut() -> None:
    lines = ["Y0[j] = 2*B[j] + 1"] + [f"Y{k + 1}[j] = 2*Y{k}[j] + 1" for k in range(300)]
    text = "input B[5]\n" + "\n".join(lines) + "\noutput Y300\n"
    program = typed(parse(Source("<text>", text))[0], Options(DType.F64))
    assert 5 < len(fuse_readers(program).equations) < 30
