"""Write into docs/gradients.md what the compiler makes of its programs: `python docs/generate_gradients.py` (`--check` only compares).

Behind each program of the page stand its adjoint equations; between two marks stands the table of slopes, from the rows
of indexlang/ir/ops.py. Everything else on the page is written by hand.
"""

import re
import sys
from pathlib import Path
from typing import Any

from pages import keep

import indexlang as il
from indexlang.ir import ops
from indexlang.ir.build import Builder
from indexlang.ir.dtypes import DType
from indexlang.ir.expr import Expr, Read
from indexlang.ir.show import show
from indexlang.ir.terms import Term

PAGE = Path(__file__).with_name("gradients.md")

_LINES = r"(?:(?!^```).*\n)"
_GIVES = re.compile(
    rf"(?P<head>^```\n(?P<program>{_LINES}+?)```\n\n(?P<word>gives|changes with)(?P<wrt>[^\n]*)\n\n```\n)(?P<adjoint>{_LINES}*?)(?=```\n)",
    re.MULTILINE,
)
_SLOPES = re.compile(r"(?<=<!-- slopes -->\n).*?(?=<!-- end of slopes -->)", re.DOTALL)


def page(text: str) -> str:
    """The page with what is generated made anew."""
    return _SLOPES.sub(
        lambda _: slopes(), _GIVES.sub(lambda m: m["head"] + derived(m["program"], m["word"], m["wrt"]), text)
    )


def derived(program: str, word: str, said: str) -> str:
    """The adjoint equations of a program: of its loss, or of all its outputs with adjoints that are given. Or its tangents."""
    training = il.compile(program, constants={"training": True}) if "training" in program else il.compile(program)
    wrt = re.findall(r"`([^`]+)`", said) or [t.name for t in training.tensors.values() if _is_given(t)]
    is_loss = [t.extents for t in training.outputs.values()] == [()] and "loss" in training.outputs
    of = list(training.outputs)
    if word == "changes with":
        g = training.tangent(wrt)
    else:
        g = training.grad(of[0], wrt) if is_loss else training.grad(of, wrt, seeds=True)
    before = set(str(training).splitlines())
    lines = [line for line in str(g).splitlines() if line not in before]
    return "".join(f"{line}\n" for line in lines if not line.startswith(("input ", "output ", "tensor ")))


def _is_given(t: Any) -> bool:
    return t.role in ("input", "param") and t.dtype in ("f32", "f64")


def slopes() -> str:
    """The table of derivatives of scalar functions."""
    rows = ["| function | derivative | at its kinks |", "|---|---|---|"]
    for op in _ops():
        names = ("x",) if op.arity == 1 else ("a", "b")
        form = (
            f"a {op.infix} b"
            if op.infix and op.arity == 2
            else "-x"
            if op is ops.NEG
            else f"{op.name}({', '.join(names)})"
        )
        found = [_slope(s, names) for s in op.slopes]
        by = found[0] if len(found) == 1 else "; ".join(f"by {n}: {f}" for n, f in zip(names, found, strict=True))
        rows.append(f"| `y = {form}` | {by} | {_at_kinks(op, names)} |")
    flat = ", ".join(f"`{op.name}`" for op in ops.FUNCTIONS.values() if not op.slopes and op is not ops.STOP)
    said = f"The derivative of {flat}, of comparisons and of `//` is 0 almost everywhere, and taken as 0."
    return "\n".join([*rows, "", said, "That of `stop` is 0 because that is what it is for.", ""])


def _ops() -> list[ops.Op]:
    arithmetic = [ops.ADD, ops.SUB, ops.MUL, ops.DIV, ops.MOD, ops.POW, ops.NEG, ops.MAX, ops.MIN]
    return [*arithmetic, *(op for op in ops.FUNCTIONS.values() if op.slopes)]


def _slope(slope: Any, names: tuple[str, ...]) -> str:
    build = Builder(DType.F64)
    found = slope(*(Term(_read(n), build) for n in (*names, "y")))
    if not isinstance(found, Term):
        return f"`{found}`"
    text = show(found.expr)
    return f"`1 if {text} else 0`" if found.expr.dtype is DType.BOOL else f"`{text}`"


def _read(name: str) -> Expr:
    return Read(name, (), None, DType.F64)


def _at_kinks(op: ops.Op, names: tuple[str, ...]) -> str:
    if op in (ops.MAX, ops.MIN):
        return "the first of two that are equal"
    return ", ".join(f"{k:g}: {_value(op, k)}" for k in op.kinks)


def _value(op: ops.Op, at: float) -> str:
    g = il.compile(f"loss = sum {op.name}(x[i])", dtype="f64").grad()
    return f"{float(g([at]).dx[0]):g}"


if __name__ == "__main__":
    sys.exit(keep(PAGE, page(PAGE.read_text(encoding="utf-8")), "the compiler's equations"))
