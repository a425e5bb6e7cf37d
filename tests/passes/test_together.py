"""Parts of a tensor that share their loops are written by one kernel."""

from typing import Any

import numpy as np
import pytest

import indexlang as il
from indexlang.infer.scope import Options
from indexlang.ir.dtypes import DType
from indexlang.pipeline import plan, typed
from indexlang.run.machine import target
from indexlang.syntax.parse import parse
from indexlang.text.source import Source

HEADING = "input X[3,5,7]\ninput R[3,5,2]\ninput Q[3,4,7]\n"
ROWS = {
    "two": ("Y[b,x,J1+J2] = X[b,x,J1] ; R[b,x,J2]", 1),
    "three": ("Y[b,x,J1+J2+J3] = X[b,x,J1] ; R[b,x,J2] ; X[b,x,J3]", 1),
    "maps": ("Y[b,x,J1+J2] = relu(X[b,x,J1]) ; 2*R[b,x,J2]", 1),
    "other loops": ("tensor Y[5,5,7]\nY[b:3,x,j] = X[b,x,j]\nY[3+b:2,x,j] = X[b,x,j]", 2),
    "a sum": ("tensor Y[3,5,3]\nY[b,x,j:2] = R[b,x,j]\nY[b,x,2+j:1] = max[k] X[b,x,k]", 2),
    "one reads every other row": ("tensor Y[3,5,14]\nY[b,x,j:7] = X[b,x,j]\nY[b:3,x:5,7+j:7] = Q[b,x//2,j]", 1),
    "along other axes": ("tensor Y[3,9,7]\nY[b,x:5,j] = X[b,x,j]\nY[b,5+x:4,j] = Q[b,x,j]", 1),
}


@pytest.mark.parametrize(("text", "steps"), ROWS.values(), ids=ROWS.keys())
def test_steps_and_numbers(text: str, steps: int) -> None:
    whole = f"{HEADING}{text}\noutput Y\n"
    program = typed(parse(Source("<text>", whole))[0], Options(DType.F32))
    assert len(plan(program, program.outputs, target()).steps) == steps
    random = np.random.default_rng(1)
    net = il.compile(whole, dtype="f32")
    shapes = {"X": (3, 5, 7), "R": (3, 5, 2), "Q": (3, 4, 7)}
    given: dict[str, Any] = {n: random.standard_normal(s, np.float32) for n, s in shapes.items() if n in net.inputs}
    np.testing.assert_allclose(net(**given), net.interpret(**given), rtol=1e-6)


def test_equal_loops_are_one() -> None:
    nest = il.compile(f"{HEADING}{ROWS['one reads every other row'][0]}\noutput Y\n", dtype="f32").show("nest")
    assert "parallel b:3, x:5:" in nest
    assert nest.count("for j in") == 1
