"""A program that is shown and read again is the same program, and computes the same bits."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import CASES
from functions.calls import CALLS, FUNCTIONS, Call
from shown import TEXTS, assert_same_when_shown, typed
from tables.case import Case

import indexlang as il
from indexlang.including import parsed_with_includes
from indexlang.infer.elaborate import elaborate
from indexlang.infer.scope import Options
from indexlang.ir.dtypes import DType
from indexlang.reading import read_source

INCLUDED = ("layers.idx", "picture.idx", "loss.idx")  # no programs by themselves
FILES = sorted(f for f in (Path(__file__).parent.parent / "examples").rglob("*.idx") if f.name not in INCLUDED)
RANDOM = ("bernoulli", "uniform and normal", "a random scalar", "dropout twice", "batch norm", "states and trained params",
          "two states that change places", "initialisers")  # fmt: skip


@pytest.mark.parametrize("training", [False, True], ids=["", "training"])
@pytest.mark.parametrize("dtype", [DType.F32, DType.F64], ids=str)
@pytest.mark.parametrize("name", TEXTS)
def test_a_text(name: str, dtype: DType, training: bool) -> None:
    assert_same_when_shown(typed(TEXTS[name], training, dtype), training)


@pytest.mark.parametrize("row", CASES, ids=lambda c: c.name)
def test_a_case(row: Case) -> None:
    assert_same_when_shown(typed(row.text))


@pytest.mark.parametrize("row", [c for c in CALLS if not c.code], ids=lambda c: c.name)
def test_a_call(row: Call) -> None:
    assert_same_when_shown(typed(FUNCTIONS + row.text))


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_an_example(file: Path) -> None:
    module, _ = parsed_with_includes(read_source(file), file.parent)
    program = elaborate(module, Options(DType.F32)).program
    assert program is not None
    assert_same_when_shown(program)


@pytest.mark.parametrize("name", RANDOM)
def test_the_bits_of_two_runs(name: str) -> None:
    """Parameters and random tensors are drawn alike from one seed, and states go the same way."""
    program = il.compile(TEXTS[name], training=True).init(3)
    again = il.compile(str(program), training=True).init(3)
    rng = np.random.default_rng(1)
    shapes = {n: tuple(2 if isinstance(e, str) else e for e in t.extents) for n, t in program.inputs.items()}
    given: dict[str, Any] = {n: rng.random(shape, np.float32) for n, shape in shapes.items()}
    wanted = tuple(n for n, t in program.tensors.items() if t.role == "computed")
    for _ in range(2):
        one, other = program(want=wanted, **given), again(want=wanted, **given)
        assert all(one[n].tobytes() == other[n].tobytes() for n in wanted)
    for kept, same in ((program.params, again.params), (program.state, again.state)):
        assert all(kept[n].tobytes() == same[n].tobytes() for n in kept)
