"""The gradient of a program as a text of its own: printed, and read again like any other.

So what is printed is what runs, and `il.compile` of it is the same program.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from indexlang.ir.equation import Program, Role
from indexlang.ir.expr import reads
from indexlang.ir.show import show_program
from indexlang.passes.dce import drop_dead
from indexlang.passes.grad import adjoints, gradient, pullback
from indexlang.passes.recompute import recomputed
from indexlang.passes.slopes import with_slopes
from indexlang.passes.tangent import tangent
from indexlang.results import Array
from indexlang.syntax import ast
from indexlang.syntax.parse import parse
from indexlang.syntax.rewrite import rewritten
from indexlang.text.diagnostics import Diagnostic, diagnostic, program_error
from indexlang.text.source import Source

FLOATS = ("f32", "f64")


@dataclass(frozen=True, slots=True)
class Derived:
    """A program with adjoint or tangent equations, as text.

    names  what a derivative belongs to → the output that it is: `W1` → `dW1`, `Y` → `Y_dot`
    given  the inputs that are new: `Y` → `dY`, `X` → `X_dot`
    notes  what is to be said: derivatives that are zero
    """

    source: Source
    module: ast.Module
    names: Mapping[str, str]
    given: Mapping[str, str]
    notes: tuple[Diagnostic, ...]


class ValueAndGradient:
    """Called like the program: the value, and the gradients by the names of the tensors they belong to."""

    def __init__(self, program: Callable[..., Any], of: str, names: Mapping[str, str]) -> None:
        self.program = program
        self.of = of
        self.names = names

    def __call__(self, /, *args: Any, **named: Any) -> tuple[Array, dict[str, Array]]:
        """The value, and tensor → gradient; arguments and errors are those of the program."""
        found = self.program(*args, want=[self.of, *self.names.values()], **named)
        return found[self.of], {tensor: found[name] for tensor, name in self.names.items()}

    def __repr__(self) -> str:
        return f"ValueAndGradient({self.of}; {', '.join(self.names)})"


def adjoint(
    program: Program, of: Sequence[str], wrt: Sequence[str] | None, seeded: bool, recompute: bool = False
) -> Derived:
    """The gradient of the scalar `of`; with `seeded` of any tensors, each with one more input for its adjoint.

    With `recompute`, what is cheap is computed again on the way back, rather than kept.

    Without `wrt` it is with respect to all parameters, or to all inputs if there is none.
    Raises ProgramError E0501, E0502, E0503, E0504.
    """
    names = tuple(wrt) if wrt is not None else everything(program)
    made = pullback(program, of, names) if seeded else gradient(program, of[0], names)
    notes = tuple(diagnostic("W0501", of=", ".join(of), name=n) for n in made.zero)
    whole = recomputed(made.program, {e.target for e in program.equations}) if recompute else made.program
    return _as_text(whole, made.seeds, made.names, notes)


def watched(program: Program, of: str) -> tuple[Derived, Mapping[str, str]]:
    """The gradient of a scalar with respect to its layers, and the names of the tensors that are their local slopes."""
    layers = tuple(
        t.name
        for t in program.with_role(Role.COMPUTED)
        if t.dtype.is_float and len(t.extents) > 1 and "." not in t.name
    )
    slopes = with_slopes(program, layers)
    made = adjoints(slopes.program, of, layers)
    reached = tuple(n for n in layers if n not in made.zero)
    names = {n: made.names[n] for n in reached}
    local = {n: slopes.names[n] for n in reached if n in slopes.names}
    wanted = (of, *reached, *names.values(), *local.values())
    live = drop_dead(made.program, wanted).replace(outputs=wanted, updates=())
    return _as_text(live, made.seeds, names, ()), local


def parameters_of(program: Program, layers: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """The parameters that each layer reads itself, or through tensors that are no layers."""
    params = {t.name for t in program.with_role(Role.PARAM)}
    read = _read_by(program)
    return {n: tuple(sorted(_sources(read, n, params, layers))) for n in layers}


def inputs_of(program: Program, name: str) -> tuple[str, ...]:
    """The inputs that a tensor is computed from, in their order."""
    inputs = {t.name: None for t in program.with_role(Role.INPUT)}
    found = _sources(_read_by(program), name, inputs.keys(), ())
    return tuple(n for n in inputs if n in found or n == name)


def _read_by(program: Program) -> Mapping[str, set[str]]:
    """Tensor → the tensors that its equations read."""
    read: dict[str, set[str]] = {}
    for e in program.equations:
        read.setdefault(e.target, set()).update(r.tensor for part in (*e.left, e.body) for r in reads(part))
    return read


def _sources(read: Mapping[str, set[str]], name: str, wanted: Set[str], barred: Sequence[str]) -> set[str]:
    """Which of `wanted` a tensor is computed from, not through those that are `barred`."""
    out: set[str] = set()
    waiting, seen = [name], {name}
    while waiting:
        for other in read.get(waiting.pop(), set()) - seen:
            seen.add(other)
            if other in wanted:
                out.add(other)
            elif other not in barred:
                waiting.append(other)
    return out


def along(program: Program, of: Sequence[str] | None, wrt: Sequence[str]) -> Derived:
    """The derivative of tensors (all float outputs if nothing is said) along directions that are given for `wrt`.

    Raises ProgramError E0504 where there is nothing to differentiate, E0501, E0503.
    """
    names = tuple(of) if of is not None else tuple(n for n in program.outputs if program.tensor(n).dtype.is_float)
    if not names or not wrt:
        raise program_error("E0504", message="there is nothing to differentiate", advice="name tensors of floats")
    made = tangent(program, names, wrt)
    notes = tuple(diagnostic("W0501", of=n, name=", ".join(wrt)) for n in made.zero)
    return _as_text(made.program, made.inputs, made.outputs, notes)


def _as_text(
    made: Program, inputs: Mapping[str, str], names: Mapping[str, str], notes: tuple[Diagnostic, ...]
) -> Derived:
    """The program printed and read again; the inputs that are new stand behind its own."""
    last = set(inputs.values())
    tensors = sorted(made.tensors, key=lambda t: t.name in last)
    source = Source("gradient", show_program(made.replace(tensors=tuple(tensors))))
    module, found = parse(source)
    assert not found, found
    return Derived(source, with_floats(module, (made.float_type.value,)), names, inputs, notes)


def everything(program: Program) -> tuple[str, ...]:
    """All parameters of floats; of a program that has none, all inputs. Raises ProgramError E0504 if none is of floats."""
    for role in (Role.PARAM, Role.INPUT):
        found = tuple(t.name for t in program.with_role(role) if t.dtype.is_float)
        if found:
            return found
    message = "there is nothing to differentiate with respect to: no parameter, and no input of floats"
    raise program_error("E0504", message=message, advice="name a tensor of the program")


def only_loss(program: Program) -> str:
    """The one scalar float output. Raises ProgramError E0504, which lists what could be meant."""
    scalars = [t.name for t in program.with_role(Role.COMPUTED) if not t.extents and t.dtype.is_float]
    among = [n for n in scalars if n in program.outputs]
    if len(among) == 1:
        return among[0]
    message = "several outputs are scalars of floats" if among else "no output is a scalar of floats"
    listed = ", ".join(f"`{n}`" for n in among or scalars)
    advice = f"say which tensor: {listed}" if listed else "add one, as in `loss = sum Y[i]^2`"
    raise program_error("E0504", message=message, advice=advice)


def with_floats(module: ast.Module, dtypes: Sequence[str]) -> ast.Module:
    """The text with the program's own float type in place of those given."""

    def own(s: object) -> object:
        match s:
            case ast.Input() | ast.Param() | ast.State() | ast.Declaration() if s.dtype in dtypes:
                return replace(s, dtype="float")
            case _:
                return s

    return replace(module, statements=tuple(rewritten(s, own) for s in module.statements))
