"""A program from outside: its tensors, its stages as text, LaTeX, the layer table."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from indexlang import pipeline
from indexlang.gradients import inputs_of, only_loss
from indexlang.ir.equation import Program, Role
from indexlang.ir.show import show_equation, show_program, show_tensor
from indexlang.run.machine import target
from indexlang.summary import Summary, TensorInfo, summary, tensor_infos
from indexlang.syntax import ast
from indexlang.syntax.latex.typeset import typeset
from indexlang.syntax.parse import parse
from indexlang.text.diagnostics import data_error
from indexlang.text.names import did_you_mean
from indexlang.text.source import Source


class Shown:
    """What a program looks like from outside: its tensors, its text, its tables."""

    def __init__(self, module: ast.Module, typed: Program) -> None:
        self._module = module
        self._typed = typed

    @property
    def inputs(self) -> dict[str, TensorInfo]:
        """The inputs, in the order in which positional arguments are taken."""
        return {t.name: self.tensors[t.name] for t in self._typed.with_role(Role.INPUT)}

    @property
    def outputs(self) -> dict[str, TensorInfo]:
        """The outputs, in the order in which the program names them."""
        return {name: self.tensors[name] for name in self._typed.outputs}

    @property
    def loss(self) -> str:
        """The only output that is a scalar of floats. Raises ProgramError E0504."""
        return only_loss(self._typed)

    @property
    def next_values(self) -> dict[str, str]:
        """The states and params that a run in training gives new values, and the tensors that these are."""
        return dict(self._typed.updates)

    @property
    def size_names(self) -> tuple[str, ...]:
        """The named extents that have no value yet."""
        return self._typed.size_names

    @cached_property
    def tensors(self) -> Mapping[str, TensorInfo]:
        """Every tensor by its name, in the program's order: extents, dtype, role."""
        return tensor_infos(self._typed)

    @property
    def defaults(self) -> dict[str, Path]:
        """The files that give values to inputs (`from "cat.jpg"`), relative to the program's folder."""
        found = self._typed.with_role(Role.INPUT)
        return {t.name: Path(t.default) for t in found if t.default is not None}

    def inputs_of(self, name: str) -> tuple[str, ...]:
        """The inputs that a tensor is computed from, in their order."""
        return inputs_of(self._typed, name)

    def summary(self) -> Summary:
        """The layer table: equation, extents, parameters, multiply-adds, bytes."""
        return summary(self._typed)

    def show(self, stage: str = "typed", equation: str | None = None) -> str:
        """The text of a stage: ast, typed, simple, nest or source. The last three need every named extent.

        Raises DataError E0610 where a named extent has no value, E0605 for an unknown stage or equation.
        """
        return _shown(self._module, self._typed, stage, equation)

    def latex(self, equation: str | None = None) -> str:
        """The program as the lecture would set it, for a place where formulas are displayed; or one equation of it.

        What `il.compile` makes of it is the same program; a name `L1` is set, and read, as `L_1`. What a loop or a
        function defines has no line of its own in the text: its equation is shown with all extents.
        Raises DataError E0605.
        """
        return _latex(self._module, self._typed, equation)

    def svg(self) -> str:
        """The picture of the network: tensors and layers, and what flows from one to another. An SVG document.

        Cost: milliseconds for hundreds of layers. The same program gives the same text.
        """
        from indexlang.graph.draw import svg_of

        return svg_of(self._typed, self._title)

    def dot(self) -> str:
        """The same graph in the language of Graphviz."""
        from indexlang.graph.draw import dot_of

        return dot_of(self._typed, self._title)

    @property
    def _title(self) -> str:
        return f"{', '.join(self.inputs) or 'nothing'} → {', '.join(self.outputs)}"

    def _repr_latex_(self) -> str:
        return f"$${self.latex()}$$"

    def source(self, name: str) -> str:
        """The generated Python of the kernels that compute a tensor."""
        return self.show("source", name)

    def __str__(self) -> str:
        return show_program(self._typed)

    def __repr__(self) -> str:
        ins = ", ".join(_signature(i) for i in self.inputs.values())
        outs = ", ".join(_signature(o) for o in self.outputs.values())
        return f"Program({ins}) -> {outs}"

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()  # pyright: ignore[reportPrivateUsage]


def _shown(module: ast.Module, program: Program, stage: str, equation: str | None) -> str:
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
            return _text(pipeline.simple(sized, sized.outputs, target()), equation)
        case _:
            sized = _sized(program)
            made = pipeline.plan(sized, sized.outputs, target())
            return pipeline.show_plan(made, stage, equation)


def _latex(module: ast.Module, program: Program, equation: str | None) -> str:
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
        advice = did_you_mean(name, program.by_name, "see `summary()`")
        raise data_error("E0605", kind="equation", name=name, advice=advice)


def _defined(s: ast.Statement) -> set[str]:
    """The names that a statement defines; a block is one statement, and a function defines none."""
    if isinstance(s, ast.Def):
        return set()
    return {n.name for n in ast.nodes(s) if isinstance(n, ast.Equation | ast.Input | ast.Param | ast.State)}


def _signature(info: TensorInfo) -> str:
    return f"{info.name}: {info.dtype}[{', '.join(map(str, info.extents))}]"
