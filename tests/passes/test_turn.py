"""Scatters with places that can be solved: turned into gathers, with the same numbers."""

import numpy as np
import pytest

import indexlang as il

ROWS = (  # name, declarations and equation, whether it is turned
    ("a step and a window", "input P[4,8]\ninput W[3]\ntensor T[4,17]\nT[b,2*x+dx] += P[b,x]*W[dx]", True),
    ("halves", "input X[11]\ntensor T[6]\nT[x//2] += X[x]", True),
    ("a sum inside", "input X[5,7,3]\ninput V[4]\ntensor T[9,2]\nT[x+dx,i//2] += sum[y] X[x,y,i]*V[dx]", True),
    ("a maximum inside", "input X[12,3]\ntensor T[6]\nT[x//2] += max[y] X[x,y]", True),
    ("two terms", "input X[5,3]\ntensor T[7]\nT[6-x] += max[y] X[x,y]\nT[x//2] += X[x,1]", True),
    ("remainders", "input X[12]\ntensor T[4]\nT[x%4] += X[x]^2", True),
    ("a square of places", "input X[5,5]\ntensor T[9]\nT[x+y] += X[x,y]", True),
    ("a diagonal", "input X[5,3]\ntensor T[3,3]\nT[y,y] += X[2,y]", False),
    ("a step", "input X[12]\ntensor T[34]\nT[3*x] += X[x]^2", False),
    ("nothing", "input X[0]\ntensor T[3]\nT[x//2] += X[x]", False),
    ("one", "input X[1]\ntensor T[1]\nT[x//2] += X[x]", True),
    ("data", "input X[5]\ninput at[5] : int\ntensor T[3]\nT[at[x]] += X[x]", False),
    ("far more sums than terms", "input X[2,2]\ntensor T[5000]\nT[x+4990*y//3] += X[x,y]", False),
)


@pytest.mark.parametrize("dtype", ["f64", "f32"])
@pytest.mark.parametrize(("text", "is_turned"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_turned(text: str, is_turned: bool, dtype: str):
    program = il.compile(text, dtype=dtype)
    rng = np.random.default_rng(3)
    inputs = {}
    for name, info in program.inputs.items():
        extents = [int(str(n)) for n in info.extents]
        whole = rng.integers(0, 3, extents) if str(info.dtype) == "int" else rng.standard_normal(extents)
        inputs[name] = whole if whole.dtype.kind == "i" else whole.astype({"f32": "f4", "f64": "f8"}[dtype])
    got, expected = program(**inputs), program.interpret(**inputs)
    np.testing.assert_allclose(
        got, expected, rtol=1e-12 if dtype == "f64" else 1e-5, atol=1e-12 if dtype == "f64" else 1e-5
    )
    if is_turned:
        lines = [line for line in program.show("simple").splitlines() if line.startswith("T[") and "sum[" in line]
        assert lines or "T_term" in program.show("simple")
