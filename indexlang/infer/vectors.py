"""Vectors and whole tensors → indices: what a capital, a bare name or `;` leaves unspecified gets letters.

before   L2 = L1 + R                                  (both of two axes)
after    L2[i,j] = L1[i,j] + R[i,j]

before   L[b,x,y,J1+J2] = P[b,x,y,J1] ; Q[b,x,y,J2]
after    L[b,x,y,j] = P[b,x,y,j]   and, behind it,   L[b,x,y,j] = Q[b,x,y,j]
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count

from indexlang.infer.context import capitals
from indexlang.infer.scope import World
from indexlang.syntax import ast
from indexlang.text.diagnostics import ProgramError, program_error
from indexlang.text.names import is_capital, plural
from indexlang.text.source import Span

_LETTERS = "ijklmnpqrtuvwxyz"


@dataclass(frozen=True, slots=True)
class Slice:
    """An axis of the left side without an index of its own: its letter, and what is written in its place."""

    letter: str
    axis: int
    written: ast.Expr | None
    span: Span


@dataclass(frozen=True, slots=True)
class IndexForm:
    """An equation with indices everywhere: one for each part of `A ; B`, which all have the same left side.

    slices  the axes of the left side that were written as vectors
    joined  the last of them, where parts stand behind one another
    """

    parts: tuple[ast.Equation, ...]
    slices: tuple[Slice, ...] = ()
    joined: Slice | None = None


def index_form(e: ast.Equation, world: World) -> IndexForm:
    """Give letters to whole tensors and slices. Raises E0421 where vectors do not match."""
    return _Writing(e, world).run()


def is_slice(s: ast.Subscript) -> bool:
    """Whether a subscript leaves its axis unspecified: `J`, `J1+J2`, `J/G`."""
    match s:
        case ast.Name(name=name):
            return is_capital(name)
        case ast.Binary(op="+", left=left, right=right):
            return is_slice(left) and is_slice(right)
        case ast.Binary(op="/" | "//", left=left):
            return is_slice(left)
        case _:
            return False


def is_extent(s: ast.Subscript, world: World) -> bool:
    """Whether a subscript on the left is no index but an extent, as in `L1[55,55,96]`."""
    if isinstance(s, ast.Ranged | ast.Group | ast.Pack):
        return False
    if is_slice(s) or isinstance(s, ast.Number):
        return True
    if isinstance(s, ast.Name):
        return s.name in world.constants
    leaves = [n for n in ast.nodes(s) if isinstance(n, ast.Name | ast.Access | ast.Call | ast.Reduction)]
    return all(
        (isinstance(n, ast.Name) and (is_capital(n.name) or n.name in world.constants))
        or (isinstance(n, ast.Access) and n.name in world.tables)
        for n in leaves
    )


class _Writing:
    def __init__(self, e: ast.Equation, world: World) -> None:
        self.e = e
        self.world = world
        self.used = world.looked.at(e).names
        self.fresh: Iterator[str] = (x for x in _candidates() if self._is_free(x) and not self._means_a_constant(x))
        self.slices: list[Slice] = []
        self.is_whole = e.subscripts is None

    def run(self) -> IndexForm:
        e = self.e
        bodies = _flat(e.body)
        if self.is_whole:
            self._name_axes(bodies)
        elif e.sign != "+=":
            self._name_slices(bodies)
        if e.sign in ("=", "<-") and not self.is_whole and self.slices and not any(self._is_vector(b) for b in bodies):
            return IndexForm((e,))  # `A[3] = 2`: told as a left side that is none
        if not self.slices:
            if len(bodies) > 1:
                raise self._no_axis_to_join()
            body = self._expr(e.body, None)
            return IndexForm((e if body is e.body else replace(e, body=body),))
        left = self._left()
        parts = tuple(replace(e, subscripts=left, body=self._expr(b, None), span=e.span) for b in bodies)
        if len(bodies) == 1:
            return IndexForm(parts, tuple(self.slices))
        self._check_sum(bodies)
        return IndexForm(parts, tuple(self.slices), self.slices[-1])

    # -- the left side

    def _name_axes(self, bodies: tuple[ast.Expr, ...]) -> None:
        """Letters for `L2 = L1 + R`: those of the first tensor with the most axes, if it has any."""
        rank = max((self._rank(n.name) for b in bodies for n in _outer_names(b)), default=0)
        letters = self._shown_letters(bodies, rank)
        for axis in range(rank):
            letter = letters[axis] if letters else next(self.fresh)
            self.slices.append(Slice(letter, axis, None, self.e.left_span))

    def _shown_letters(self, bodies: tuple[ast.Expr, ...], rank: int) -> tuple[str, ...]:
        """The letters of the first whole tensor of that rank that has one for each axis, all of them free here."""
        for n in (n for b in bodies for n in _outer_names(b)):
            axes = self.world.tensors[n.name].axes if rank and self._rank(n.name) == rank else ()
            is_free = all(x and self._is_free(x) and not self._means_a_constant(x) for x in axes)
            if len(set(axes)) == len(axes) == rank and is_free:
                return axes
        return ()

    def _is_free(self, name: str) -> bool:
        world = self.world
        return not any(name in names for names in (self.used, world.constants, world.tensors, world.computed))

    def _means_a_constant(self, letter: str) -> bool:
        """Whether an index of this letter would have to run as far as a constant says: nobody has written it."""
        return any(c in self.world.constants for c in capitals(letter))

    def _name_slices(self, bodies: tuple[ast.Expr, ...]) -> None:
        here = [(n, s) for n, s in enumerate(self.e.subscripts or ()) if is_extent(s, self.world)]
        shown = self._shown_letters(bodies, len(here))
        for n, (axis, s) in enumerate(here):
            assert not isinstance(s, ast.Ranged | ast.Group | ast.Pack)
            self.slices.append(Slice(self._letter(s, shown[n] if shown else ""), axis, s, s.span))

    def _letter(self, s: ast.Expr, shown: str) -> str:
        """`j` for `J`; for anything else the letter of a tensor on the right side, or a free one."""
        if shown:
            return shown
        if isinstance(s, ast.Name):
            lower = s.name[0].lower() + s.name[1:]
            if self._is_free(lower) and lower not in {other.letter for other in self.slices}:
                return lower
        return next(x for x in self.fresh if x not in {other.letter for other in self.slices})

    def _left(self) -> tuple[ast.Subscript, ...]:
        named = {s.axis: ast.Name(s.letter, s.span) for s in self.slices}
        if self.is_whole:
            return tuple(named.values())
        return tuple(named.get(axis, s) for axis, s in enumerate(self.e.subscripts or ()))

    # -- the right side

    def _is_vector(self, e: ast.Expr) -> bool:
        for n in ast.nodes(e):
            if isinstance(n, ast.Name) and self._rank(n.name) > 0:
                return True
            if isinstance(n, ast.Access) and any(is_slice(s) for s in n.subscripts):
                return True
        return False

    def _expr(self, e: ast.Expr, inner: list[str] | None) -> ast.Expr:
        """`inner` collects the letters of a reduction over whole tensors, `sum A*B`."""
        match e:
            case ast.Name():
                return self._whole(e, inner)
            case ast.Access():
                return self._sliced(e)
            case ast.Unary():
                return replace(e, operand=self._expr(e.operand, inner))
            case ast.Binary():
                return replace(e, left=self._expr(e.left, inner), right=self._expr(e.right, inner))
            case ast.Comparison():
                return replace(e, operands=tuple(self._expr(o, inner) for o in e.operands))
            case ast.Conditional():
                value, condition, other = (self._expr(p, inner) for p in (e.value, e.condition, e.other))
                return replace(e, value=value, condition=condition, other=other)
            case ast.Call():
                return replace(e, args=tuple(self._expr(a, inner) for a in e.args))
            case ast.Reduction(binders=None) if not any(isinstance(n, ast.Access) for n in ast.nodes(e.body)):
                return replace(e, body=self._expr(e.body, []))
            case ast.Reduction():
                return replace(e, body=self._expr(e.body, inner))
            case ast.Joined():
                raise program_error(
                    "E0421",
                    e.span,
                    message="`;` stands inside an expression",
                    advice="give the joined vector an equation of its own",
                )
            case _:
                return e

    def _whole(self, e: ast.Name, inner: list[str] | None) -> ast.Expr:
        rank = self._rank(e.name)
        if rank == 0:
            return e
        if inner is not None:
            while len(inner) < rank:
                inner.append(next(self.fresh))
            letters = inner[:rank]
        else:
            if not self.is_whole and not self.slices:
                return e  # told as a tensor without subscripts
            letters = [s.letter for s in self.slices]
        if len(letters) != rank:
            raise self._unequal(e, rank)
        return ast.Access(e.name, tuple(ast.Name(x, e.span) for x in letters), None, e.span, e.span)

    def _sliced(self, e: ast.Access) -> ast.Expr:
        """Capitals in an access become the letters of the left side: by name, the others in order."""
        here = [s for s in e.subscripts if is_slice(s)]
        if not here or not self.slices:
            return e
        by_name = {s.written.name: s.letter for s in self.slices if isinstance(s.written, ast.Name)}
        known = [by_name.get(s.name) if isinstance(s, ast.Name) else None for s in here]
        rest = [s.letter for s in self.slices if s.letter not in known]
        if known.count(None) > len(rest) or len([k for k in known if k]) + len(rest) < len(here):
            raise self._unequal(e, len(here))
        if None in known and known.count(None) != len(rest):
            raise self._unequal(e, len(here))
        letters = iter([k if k is not None else rest.pop(0) for k in known])
        subscripts = tuple(ast.Name(next(letters), s.span) if is_slice(s) else s for s in e.subscripts)
        return replace(e, subscripts=subscripts)

    def _rank(self, name: str) -> int:
        tensor = self.world.tensors.get(name)
        return len(tensor.extents) if tensor is not None and name not in self.world.constants else 0

    # -- mistakes

    def _unequal(self, e: ast.Name | ast.Access, rank: int) -> ProgramError:
        wanted = plural(len(self.slices), "axis").replace("axiss", "axes")
        given = plural(rank, "axis").replace("axiss", "axes")
        left = self.e.left_span
        return program_error(
            "E0421",
            e.span,
            message=f"`{e.span.text}` is a tensor of {given} where the left side has {wanted}",
            advice="use tensors of one shape, or write the indices out",
            because=[(f"the left side leaves {wanted} unspecified", left)],
        )

    def _no_axis_to_join(self) -> ProgramError:
        return program_error(
            "E0421",
            self.e.body.span,
            message="`;` joins vectors, but the left side has no axis in capitals",
            advice="name the joined axis by its extents, as in `L[b,x,y,J1+J2]`",
        )

    def _check_sum(self, bodies: tuple[ast.Expr, ...]) -> None:
        """`J1+J2` on the left names the parts in their order, if it names them."""
        written = self.slices[-1].written
        stated = _summands(written) if written is not None else []
        found = [_last_capital(b) for b in bodies]
        if len(stated) < 2 or None in found or stated == found:
            return
        if len(stated) == len(found) and sorted(stated) != sorted(x for x in found if x):
            return  # other names for the same parts: their extents decide
        shown = " ; ".join(f"`{x}`" for x in found)
        raise program_error(
            "E0421",
            self.slices[-1].span,
            message=f"the left side names {plural(len(stated), 'part')} `{'+'.join(stated)}`, the right side joins {shown}",
            advice=f"write `{'+'.join(x for x in found if x)}`",
        )


def _flat(e: ast.Expr) -> tuple[ast.Expr, ...]:
    """The parts of `A ; (B ; C)`."""
    return tuple(p for part in e.parts for p in _flat(part)) if isinstance(e, ast.Joined) else (e,)


def _outer_names(e: object) -> Iterator[ast.Name]:
    """Bare names outside reductions and accesses."""
    match e:
        case ast.Name():
            yield e
        case ast.Access() | ast.Reduction():
            return
        case _:
            for n in ast.children(e):
                yield from _outer_names(n)


def _summands(e: ast.Expr) -> list[str]:
    match e:
        case ast.Binary(op="+", left=left, right=right):
            return [*_summands(left), *_summands(right)]
        case _:
            return [e.span.text]


def _last_capital(e: ast.Expr) -> str | None:
    """The slice of a part that is joined, if it is an access."""
    if isinstance(e, ast.Access):
        here = [s for s in e.subscripts if is_slice(s)]
        return here[-1].span.text if here else None
    return None


def _candidates() -> Iterator[str]:
    yield from _LETTERS
    yield from (f"i{n}" for n in count(1))
