"""A program as text: its stages, one equation of it, LaTeX."""

from dataclasses import replace

from indexlang import pipeline
from indexlang.ir.equation import Program
from indexlang.ir.show import show_equation, show_program, show_tensor
from indexlang.run.machine import target
from indexlang.syntax import ast
from indexlang.syntax.latex.typeset import typeset
from indexlang.syntax.parse import parse
from indexlang.text.diagnostics import data_error
from indexlang.text.names import nearest
from indexlang.text.source import Source


def shown(module: ast.Module, program: Program, stage: str, equation: str | None) -> str:
    """The text of a stage, or of one equation there. Raises DataError E0610, E0605."""
    if stage not in pipeline.STAGES:
        raise data_error("E0605", kind="stage", name=stage, advice=f"the stages are {', '.join(pipeline.STAGES)}")
    if equation is not None:
        _need_equation(program, equation)
    match stage:
        case "ast":
            return pipeline.show_tree(module, equation)
        case "typed":
            return _text(program, equation)
        case "simple":
            sized = _sized(program)
            return _text(pipeline.simple(sized, sized.outputs), equation)
        case _:
            sized = _sized(program)
            made = pipeline.plan(sized, sized.outputs, target())
            return pipeline.show_plan(made, stage, equation)


def latex(module: ast.Module, program: Program, equation: str | None) -> str:
    """The text as the lecture would set it, or one equation of it. Raises DataError E0605."""
    if equation is None:
        return typeset(module)
    _need_equation(program, equation)
    chosen = tuple(s for s in module.statements if equation in _defined(s))
    text = _text(program, equation)
    return typeset(replace(module, statements=chosen) if chosen else parse(Source("typed", text))[0])


def _text(program: Program, equation: str | None) -> str:
    if equation is None:
        return show_program(program)
    found = [show_equation(e) for e in program.equations if e.target == equation]
    return "\n".join(found or [show_tensor(program.tensor(equation))]) + "\n"


def _sized(program: Program) -> Program:
    """The program, if every named extent has a value. Raises DataError E0610."""
    if program.size_names:
        name = program.size_names[0]
        raise data_error("E0610", name=name, advice=f"give it with -D {name}=…, or with `bound({name}=…)`")
    return program


def _need_equation(program: Program, name: str) -> None:
    if name not in program.by_name:
        like = nearest(name, program.by_name)
        advice = f"did you mean `{like}`?" if like else "see `summary()`"
        raise data_error("E0605", kind="equation", name=name, advice=advice)


def _defined(s: ast.Statement) -> set[str]:
    """The names that a statement defines; a block is one statement, and a function defines none."""
    if isinstance(s, ast.Def):
        return set()
    return {n.name for n in ast.nodes(s) if isinstance(n, ast.Equation | ast.Input | ast.Param | ast.State)}
