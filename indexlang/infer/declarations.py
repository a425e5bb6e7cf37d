"""`input`, `param`, `state` and `tensor`: what a text says of its tensors before any equation is looked at."""

from collections.abc import Container, Iterator
from typing import TYPE_CHECKING, cast

from indexlang.infer.equations import Stated
from indexlang.infer.expressions import Expressions
from indexlang.infer.scope import Scope
from indexlang.ir import dtypes, ops
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Role, Start, Tensor
from indexlang.ir.size import Extent
from indexlang.syntax import ast
from indexlang.text.diagnostics import program_error
from indexlang.text.names import did_you_mean
from indexlang.text.source import Span

if TYPE_CHECKING:
    from indexlang.infer.frame import Frame

INITIALISERS = {"xavier": 0, "he": 0, "orthogonal": 0, "uniform": 2, "normal": 2}

Declared = ast.Input | ast.Param | ast.State | ast.Declaration


def declare_all(frame: "Frame") -> None:
    """Enter the declarations of a body into its world; the mistakes of each are told."""
    for s in frame.statements:
        if isinstance(s, Declared) and not frame.guard(lambda s=s: _declare(frame, s)):
            frame.world.broken.add(s.name)


def _declare(frame: "Frame", s: Declared) -> None:
    world = frame.world
    taken = world.tensors.get(s.name)
    first = taken.span if taken else frame.stated[s.name].span if s.name in frame.stated else None
    if first is not None or s.name in world.constants:
        frame.twice(s.name, s.name_span, first or world.places.get(s.name, s.name_span))
        return
    if not isinstance(s, ast.Declaration) and s.name in frame.equations:
        places = [o.left_span for o in frame.equations.pop(s.name)]
        frame.twice(s.name, places[0], s.name_span)
    expressions = Expressions(world, Scope())
    dtype = _dtype(s, world.options.float_type)
    extents = tuple(_extent(axis, expressions, s.name) for axis in s.axes)
    axes = tuple(a.index.name if isinstance(a, ast.Ranged) and isinstance(a.index, ast.Name) else "" for a in s.axes)
    world.places[s.name] = s.name_span
    place = s.name_span
    match s:
        case ast.Declaration():
            frame.stated[s.name] = Stated(extents, dtype, s.span)
            return
        case ast.Input(default=default):
            made = Tensor(s.name, extents, dtype, Role.INPUT, axes, default=default, span=place)
        case ast.Param():
            made = Tensor(
                s.name, extents, dtype, Role.PARAM, axes, start=_start(s, len(extents), expressions), span=place
            )
        case ast.State():
            value = expressions.constant(s.value, "the start of a state")
            start = Start("constant", (float(cast(float, value)),))
            made = Tensor(s.name, extents, dtype, Role.STATE, axes, start=start, span=place)
    world.tensors[s.name] = made
    frame.out.declared[s.name] = made
    check_size(made)


def _extent(axis: ast.Subscript, expressions: Expressions, name: str) -> Extent:
    match axis:
        case ast.Ranged(extent=extent):
            return expressions.extent(extent, f"an extent of `{name}`")
        case ast.Group(span=span) | ast.Pack(span=span):
            raise program_error("E0101", span, found="this", expected="an extent")
        case _:
            return expressions.extent(axis, f"an extent of `{name}`")


def _dtype(s: Declared, float_type: DType) -> DType:
    found = dtypes.named(s.dtype, float_type)
    if found is None:
        known = ("float", *(d.value for d in DType))
        at = s.span.text.rfind(s.dtype)
        place = Span(s.span.source, s.span.start + at, s.span.start + at + len(s.dtype))
        raise program_error(
            "E0207",
            place,
            name=s.dtype,
            advice=did_you_mean(s.dtype, known, "use float, f32, f64, int, i32, u8 or bool"),
        )
    if isinstance(s, ast.Param) and not found.is_float:
        raise program_error(
            "E0207",
            s.span,
            name=s.dtype,
            advice="a param is trained, so it holds floats",
            hint="a param is trained, so it holds floats",
        )
    return found


def _start(s: ast.Param, rank: int, expressions: Expressions) -> Start:
    if s.value is not None:
        value = expressions.constant(s.value, "the start of a param")
        return Start("constant", (float(cast(float, value)),))
    if s.drawn is None:
        return Start("xavier") if rank >= 2 else Start("constant", (0.0,))
    name = s.drawn.name.lower()
    args = s.drawn.args if isinstance(s.drawn, ast.Call) else ()
    if name not in INITIALISERS:
        raise program_error(
            "E0206",
            s.drawn.span,
            name=s.drawn.name,
            advice=did_you_mean(name, INITIALISERS, f"there are {', '.join(INITIALISERS)}"),
        )
    if len(args) != INITIALISERS[name]:
        wanted = f"{INITIALISERS[name]} numbers" if INITIALISERS[name] else "no numbers"
        raise program_error(
            "E0205",
            s.drawn.span,
            name=name,
            wanted=wanted,
            given=len(args),
            advice=f"write `~ {name}{'(a, b)' if INITIALISERS[name] else ''}`",
        )
    return Start(name, tuple(float(cast(float, expressions.constant(a))) for a in args))


def check_size(t: Tensor) -> None:
    """Positions in a tensor are 64-bit numbers (E0902)."""
    if isinstance(t.elements, int) and t.elements * t.dtype.size >= 2**63:
        raise program_error("E0902", t.span, what=f"the number of bytes of `{t.name}`", value=t.elements * t.dtype.size)


def extent_names(module: ast.Module) -> set[str]:
    """The names in declarations that no statement defines as a constant: the named extents of a text.

    Extents and tensors are separate name spaces: `input L[X,Y]` and `Y[x] = …` stand side by side.
    """
    defined = {s.name for s in module.statements if isinstance(s, ast.Equation) and _may_be_constant(s)}
    found: set[str] = set()
    for s in module.statements:
        if isinstance(s, Declared):
            for axis in s.axes:
                inner = axis.extent if isinstance(axis, ast.Ranged) else axis
                found.update(name for name, _ in names_in(inner))
    return found - defined


def _may_be_constant(e: ast.Equation) -> bool:
    return e.subscripts is None and not any(isinstance(n, ast.Reduction) for n in ast.nodes(e.body))


def is_constant_shape(e: ast.Expr, tables: Container[str]) -> bool:
    """Whether an expression can be a constant, as far as its form tells: numbers, names, and items of tables."""
    return all(_is_closed(n, tables) for n in ast.nodes(e))


def _is_closed(n: object, tables: Container[str]) -> bool:
    match n:
        case (
            ast.Number() | ast.Name() | ast.Unary() | ast.Binary() | ast.Table() | ast.Comparison() | ast.Conditional()
        ):
            return True
        case ast.Call(name=name):
            return name.lower() != ops.UNIFORM.name  # drawn anew at each run
        case ast.Access(name=name):
            return name in tables
        case _:
            return False


def names_in(e: object) -> Iterator[tuple[str, Span]]:
    """The bare names and the names read, in an expression."""
    for n in ast.nodes(e):
        if isinstance(n, ast.Name | ast.Access):
            yield n.name, n.span
