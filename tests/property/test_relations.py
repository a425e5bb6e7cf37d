"""Laws that hold for every program: changes of the text that change no result."""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from generate import TENSORS, programs
from hypothesis import assume, given, settings
from pieces import Equation, Index, Program, Value
from rounding import assert_within
from running import assert_same_bits, bound, compiled, ran

import indexlang as il
from indexlang.emit.store import Store
from indexlang.ir import interp
from indexlang.pipeline import simple
from indexlang.run import kernels
from indexlang.run.machine import target

FEW = 200  # points of an equation
NAME = re.compile(r"[^\W\d][\w']*")
WORDS = ("sum", "max", "min", "prod", "mean", "if", "else", "input", "output", "tensor", "int")


def results(text: str, program: Program) -> dict[str, Value]:
    return ran(text, program.given("f64"))


def assert_near(found: Mapping[str, Value], program: Program) -> None:
    """Within the bound of the program's own results, whatever was moved."""
    for name, value in program.results.items():
        assert_within(np.asarray(found[name]), value, program.errors[name], "f64", name)


@settings(max_examples=25)
@given(programs(most=FEW))
def test_other_names_change_nothing(program: Program) -> None:
    new = {old: f"N_{k}" for k, old in enumerate((*program.inputs, *program.results))}
    text = NAME.sub(lambda m: new.get(m[0], m[0]), program.text)
    given_ = {new[n]: a for n, a in program.given("f64").items()}
    found = ran(text, given_)
    assert_near({n: found[new[n]] for n in program.results}, program)


@settings(max_examples=25)
@given(programs(most=FEW))
def test_the_order_of_equations_changes_nothing(program: Program) -> None:
    text = program.text_of(reversed([e.text for e in program.equations]))
    assert_same_bits(results(text, program), results(program.text, program))


@settings(max_examples=25)
@given(programs(most=FEW))
def test_a_dead_equation_changes_nothing(program: Program) -> None:
    text = program.text_of([*(e.text for e in program.equations), "Dead[q1:3] = 2*q1"])
    assert_same_bits(results(text, program), results(program.text, program))


@settings(max_examples=25)
@given(programs(most=FEW))
def test_left_indices_may_be_reordered(program: Program) -> None:
    first = program.equations[0]
    assume(first.indices and len(program.equations) == 1)
    turned = Equation("Y", first.left[::-1], "=", first.body)
    found = results(program.text_of([turned.text]), program)["Y"]
    assert_near({"Y": found.transpose()}, program)


@settings(max_examples=25)
@given(programs(most=FEW))
def test_factors_and_terms_may_be_swapped(program: Program) -> None:
    first, *rest = program.equations
    swapped = Equation(first.name, first.left, first.sign, f"1 * ({first.body})")
    other = Equation(first.name, first.left, first.sign, f"({first.body}) * 1")
    one, two = (results(program.text_of([e.text, *(r.text for r in rest)]), program) for e in (swapped, other))
    assert_near(one, program)
    assert_near(two, program)


@settings(max_examples=25)
@given(programs(most=FEW))
def test_an_intermediate_may_have_a_name(program: Program) -> None:
    first, *rest = program.equations
    assume(first.indices)
    ranges = [f"{n.name}:{n.extent}" for n in first.indices]
    named = Equation("Named", tuple(ranges), "=", first.body)
    reader = Equation("Y", first.left, "=", f"Named[{','.join(n.name for n in first.indices)}]")
    assert_near(results(program.text_of([reader.text, named.text, *(r.text for r in rest)]), program), program)


@settings(max_examples=25)
@given(programs(most=FEW))
def test_a_range_may_be_split(program: Program) -> None:
    first, *rest = program.equations
    assume(
        "Y" in program.results
        and first.indices
        and first.indices[0].extent > 1
        and "(" + first.indices[0].name + "," not in first.body
    )
    n = first.indices[0]
    assume(f",{n.name})" not in first.body and program.results["Y"].dtype.kind == "f")
    at = n.extent // 2
    moved = NAME.sub(lambda m: f"({n.name}+{at})" if m[0] == n.name else m[0], first.body)
    others = tuple(f"{k.name}:{k.extent}" for k in first.indices[1:])
    low = Equation("Y", (f"{n.name}:{at}", *others), "=", first.body)
    high = Equation("Y", (f"{at}+{n.name}:{n.extent - at}", *others), "=", moved)
    shape = ",".join(str(k) for k in program.results["Y"].shape)
    text = program.text_of([low.text, high.text, *(r.text for r in rest)], [f"tensor Y[{shape}]"])
    assert_near(results(text, program), program)


@settings(max_examples=25)
@given(programs(most=FEW))
def test_a_batch_is_its_singles(program: Program) -> None:
    assume(program.named == "numbers" and program.inputs)
    stacked = {name: np.stack([a, a, a]) for name, a in program.given("f64").items()}
    found = ran(program.text, stacked)
    for k in range(3):  # what comes to depend on no input (`0*A[i]`, of ints) has no batch
        batched = {name: found[name].ndim > value.ndim for name, value in program.results.items()}
        assert_near({name: found[name][k] if batched[name] else found[name] for name in program.results}, program)


@settings(max_examples=60)
@given(programs(most=100))
def test_the_passes_change_no_result(program: Program) -> None:
    made = bound(program.text, program.given("f64"))
    assume(all(t.view is None for t in simple(made.table, made.table.outputs, target()).tensors))
    found = interp.interpret(simple(made.table, made.table.outputs, target()), made.arrays)
    assert_near(found, program)


@settings(max_examples=15)
@given(programs(most=FEW))
def test_a_kernel_from_the_store_is_the_fresh_one(tmp_path_factory: pytest.TempPathFactory, program: Program) -> None:
    folder: Path = tmp_path_factory.mktemp("store")
    folder.chmod(0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "_stores", [Store(folder)])
        patch.setattr(kernels, "_addresses", {})
        fresh = compiled(program, "f64", 1)
        patch.setattr(kernels, "_addresses", {})
        assert_same_bits(compiled(program, "f64", 3), fresh)


def test_the_relations_rename_whole_words_only() -> None:
    assert NAME.findall("sum[dx] B'[dx+2*x_1] else wrap") == ["sum", "dx", "B'", "dx", "x_1", "else", "wrap"]
    assert not {*WORDS} & {*TENSORS}
    assert Index("i", 3, 0, "written").shown == "i:3"
    assert il.compile("Y[i] = 2*X[i]")(X=np.ones(2)).tolist() == [2, 2]
