"""`d(loss)/d(W)` inside an equation: a tensor that has no equation yet, and a record of what it is.

before   W[i,j] <- W[i,j] - η*d(loss)/d(W[i,j])
after    W[i,j] <- W[i,j] - η*dW[i,j]           and the record: dW is the gradient of loss with respect to W

The equations of such tensors are made when the program is whole, by `adjoints.py`.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from indexlang.infer.expressions import Expressions
from indexlang.infer.scope import NUMBERS, Scope
from indexlang.ir.equation import Role, Tensor
from indexlang.ir.size import Extent
from indexlang.syntax import ast
from indexlang.syntax.rewrite import rewritten
from indexlang.text.diagnostics import ProgramError, program_error
from indexlang.text.names import is_capital
from indexlang.text.source import Span

if TYPE_CHECKING:
    from indexlang.infer.frame import Frame


@dataclass(frozen=True, slots=True)
class Record:
    """`name[of's axes, wrt's axes]` is to hold the derivatives of the elements of `of` with respect to those of `wrt`."""

    name: str
    of: str
    wrt: str
    span: Span


class Derivatives:
    """Expands the derivatives of one body."""

    def __init__(self, frame: "Frame") -> None:
        self.frame = frame

    def expanded(self, e: ast.Equation) -> ast.Equation:
        """The equation with a tensor in the place of each derivative; of a derivative inside another, first.

        Raises E0504 where `d` is a function of the text or a subscript is missing; E0501, E0503 for tensors without a
        gradient.
        """
        derivatives = self.frame.world.looked.at(e).derivatives
        if not derivatives:
            return e
        found = derivatives[0]
        if "d" in self.frame.library.own:
            message = "`d` is a function of this text, so `d(…)/d(…)` could mean two things"
            advice = "give the function another name, or write `d(x)/(d(y))` for the quotient of its values"
            raise program_error("E0504", found.span, message=message, advice=advice)
        return replace(e, body=rewritten(e.body, lambda n: self._read(n, e) if isinstance(n, ast.Derivative) else n))

    def tensor(self, of: str, axes: tuple[tuple[str, Extent], ...], wrt: str, span: Span) -> str:
        """The tensor of the derivatives of `of`, whose axes are given, with respect to `wrt`; it is recorded once."""
        frame = self.frame
        known = next((r.name for r in frame.out.derivatives if (r.of, r.wrt) == (of, wrt)), None)
        if known is not None:
            return known
        given = self._known(wrt, wrt, span)
        name = self._fresh(f"d{of}_d{wrt}" if axes else f"d{wrt}")
        whole = (*axes, *axes_of(given))
        extents, letters = tuple(n for _, n in whole), tuple(x for x, _ in whole)
        made = Tensor(name, extents, given.dtype, Role.COMPUTED, letters, span=span)
        frame.out.derivatives.append(Record(name, of, wrt, span))
        frame.world.places[name] = span
        frame.add(made, [])
        return name

    # -- one derivative

    def _read(self, d: ast.Derivative, e: ast.Equation) -> ast.Expr:
        of, places = self._of(d.of, e)
        wrt = self._known(d.wrt.name, d.wrt.name, d.wrt.span)
        if isinstance(d.wrt, ast.Access) and len(d.wrt.subscripts) != len(wrt.extents):
            raise Expressions(self.frame.world, Scope()).rank_error(d.wrt, wrt)
        name = self.tensor(of, axes_of(self.frame.world.tensors[of]), d.wrt.name, d.span)
        if isinstance(d.wrt, ast.Access):
            return ast.Access(name, (*places, *d.wrt.subscripts), d.wrt.border, d.span, d.span)
        if places and wrt.extents:
            advice = f"write its indices: `d(…)/d({wrt.name}[…])`"
            raise program_error("E0504", d.wrt.span, message=f"`{wrt.name}` needs its indices here", advice=advice)
        return ast.Access(name, places, None, d.span, d.span) if places else ast.Name(name, d.span)

    def _of(self, e: ast.Expr, around: ast.Equation) -> tuple[str, tuple[ast.Subscript, ...]]:
        """The tensor that is differentiated, and at which of its elements."""
        match e:
            case ast.Name(name=name, span=span):
                tensor, places = self._known(name, name, span), ()
            case ast.Access(name=name, subscripts=places, border=None) if self._are_letters(places):
                tensor = self._known(name, name, e.span)
                if len(places) != len(tensor.extents):
                    raise Expressions(self.frame.world, Scope()).rank_error(e, tensor)
            case _:
                name, places = self._named(e, around)
                tensor = self._known(name, e.span.text, e.span)
        if len(places) != len(tensor.extents):
            extents = ", ".join(map(str, tensor.extents))
            raise program_error("E0502", e.span, name=e.span.text, extents=extents)
        return name, places

    def _are_letters(self, places: tuple[ast.Subscript, ...]) -> bool:
        """Whether an element stands at indices, each another one."""
        names = [s.name for s in places if isinstance(s, ast.Name) and self._is_letter(s.name)]
        return len(set(names)) == len(places)

    def _is_letter(self, name: str) -> bool:
        world = self.frame.world
        known = name in world.constants or name in world.tensors or name in world.computed
        return not known and not is_capital(name) and name.lower() not in NUMBERS

    def _named(self, e: ast.Expr, around: ast.Equation) -> tuple[str, tuple[ast.Subscript, ...]]:
        """An expression that is differentiated gets an equation of its own, over the indices that it uses."""
        name = self._fresh(f"{around.name}.of")
        left = {n.name for s in around.subscripts or () for n in ast.nodes(s) if isinstance(n, ast.Name)}
        letters = tuple(ast.Name(x, e.span) for x in _free(e, left) if self._is_letter(x))
        self.frame.define_hoisted(ast.Equation(name, letters or None, "=", e, e.span, e.span))
        return name, letters

    def _known(self, name: str, shown: str, span: Span) -> Tensor:
        """A float tensor of the body. Raises E0503, E0501."""
        world = self.frame.world
        tensor = world.tensors.get(name) if name not in world.constants else None
        if tensor is None:
            if name in world.computed or world.is_broken(name):
                raise ProgramError([])  # told where it is defined
            raise program_error("E0503", span, name=shown, advice=world.suggestion(name))
        if not tensor.dtype.is_float:
            raise program_error("E0501", span, name=shown, dtype=str(tensor.dtype))
        return tensor

    def _fresh(self, name: str) -> str:
        world = self.frame.world
        taken = world.tensors.keys() | world.computed | world.constants.keys() | self._written
        while name in taken:
            name += "'"
        return name

    @property
    def _written(self) -> set[str]:
        """The names in the text: one of them may be an input that is still to come."""
        nodes = (n for s in self.frame.statements for n in ast.nodes(s))
        return {n.name for n in nodes if isinstance(n, ast.Name | ast.Access)}


def axes_of(t: Tensor) -> tuple[tuple[str, Extent], ...]:
    """The letter and the extent of each axis."""
    return tuple(zip(t.axes or ("",) * len(t.extents), t.extents, strict=True))


def _free(e: object, left: set[str]) -> dict[str, None]:
    """The names in subscripts that no reduction inside binds, in order; one without a list binds all but those on the left."""
    match e:
        case ast.Reduction(binders=None, body=body):
            return {x: None for x in _free(body, left) if x in left}
        case ast.Reduction(binders=binders, body=body):
            bound = {b.name for b in binders or ()}
            return {x: None for x in _free(body, left) if x not in bound}
        case ast.Access(subscripts=subscripts):
            return {n.name: None for s in subscripts for n in ast.nodes(s) if isinstance(n, ast.Name)}
        case _:
            return {x: None for part in ast.children(e) for x in _free(part, left)}
