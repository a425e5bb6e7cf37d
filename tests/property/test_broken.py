"""A valid program with exactly one constraint broken gets exactly one message, of the code that is named."""

import re
from collections.abc import Callable

import pytest
from generate import programs
from hypothesis import assume, given, settings
from pieces import Program

import indexlang as il

Breaker = Callable[[Program], str]


def _replaced_body(program: Program, change: Callable[[str], str]) -> str:
    """The last equation's body changed."""
    *before, last = program.equations
    left = last.text[: len(last.text) - len(last.body)]
    return program.text_of([*(e.text for e in before), left + change(last.body)])


def unknown_name(program: Program) -> str:
    return _replaced_body(program, lambda body: f"{body} + Nowhere[0]")


def unknown_function(program: Program) -> str:
    return _replaced_body(program, lambda body: f"rleu({body})")


def too_many_arguments(program: Program) -> str:
    return _replaced_body(program, lambda body: f"exp({body}, 2)")


def open_bracket(program: Program) -> str:
    return _replaced_body(program, lambda body: f"({body}")


def no_operand(program: Program) -> str:
    return _replaced_body(program, lambda body: f"{body} + * 2")


def strange_sign(program: Program) -> str:
    return _replaced_body(program, lambda body: f"{body} ? 2")


def defined_twice(program: Program) -> str:
    last = program.equations[-1]
    assume(last.sign == "=")
    return program.text_of([*(e.text for e in program.equations), last.text])


def cycle(program: Program) -> str:
    return program.text_of([*(e.text for e in program.equations), "C1 = C2 + 1.5*G", "C2 = C1 + G"], ["input G"])


def too_many_axes(program: Program) -> str:
    name, a = next((n, a) for n, a in program.inputs.items())
    return _replaced_body(program, lambda body: f"{body} + {name}[{','.join('0' * (a.ndim + 1))}]")


def outside(program: Program) -> str:
    name, a = next(((n, a) for n, a in program.inputs.items() if a.ndim), ("", None))
    assume(a is not None)
    assert a is not None
    return _replaced_body(program, lambda body: f"{body} + {name}[{','.join(str(n) for n in a.shape)}]")


def negative(program: Program) -> str:
    name, a = next(((n, a) for n, a in program.inputs.items() if a.ndim), ("", None))
    assume(a is not None and all(a.shape))
    assert a is not None
    return _replaced_body(program, lambda body: f"{body} + {name}[{','.join(['-1'] + ['0'] * (a.ndim - 1))}]")


def free_index(program: Program) -> str:
    return _replaced_body(program, lambda body: f"{body} + q9")


def unknown_output(program: Program) -> str:
    return program.text.replace("output ", "output Missing, ")


BREAKERS: dict[str, tuple[str, Breaker]] = {
    "a name that nothing defines": ("E0201", unknown_name),
    "a function that is none": ("E0204", unknown_function),
    "an argument too many": ("E0205", too_many_arguments),
    "a bracket never closed": ("E0104", open_bracket),
    "a value missing": ("E0101", no_operand),
    "a sign without a meaning": ("E0103", strange_sign),
    "defined twice": ("E0202", defined_twice),
    "a cycle": ("E0203", cycle),
    "an axis too many": ("E0301", too_many_axes),
    "behind the last element": ("E0412", outside),
    "before the first element": ("E0412", negative),
    "an index that runs nowhere": ("E0201|E0302", free_index),
    "an output that is not there": ("E0210", unknown_output),
}


@pytest.mark.parametrize("name", BREAKERS)
@settings(max_examples=12)
@given(program=programs(most=200))
def test_one_broken_constraint_is_one_message(name: str, program: Program) -> None:
    code, breaker = BREAKERS[name]
    assume(program.named == "numbers" and program.inputs)
    assume(all(r.size for r in program.results.values()))  # of nothing everything is true
    assert not _errors(program.text)
    found = _errors(breaker(program))
    assert len(found) == 1, found
    assert re.fullmatch(code, found[0].code), found


def _errors(text: str) -> list[il.Diagnostic]:
    return [d for d in il.check(text) if d.severity.value == "error"]
