"""Sums of products: which indices play which part, and the copies that make the operands fit the tile kernel.

A contraction is an equation with an affine left side whose body holds one sum, over all left indices' level, of a product of two reads:

    out[…,r,…,c] = f( sum[k…] a[…r…k…] * w[…k…c…] , … )

c, the last left index, is in w only; r is in a only; the sum runs over k; all other left indices are batches. In w, c may
be cut into panels: w[…k…floor(c/n)…c%n].
before   C[i,k] = sum A[i,j]*B[k,j]
after    B_t[j,k] = B[k,j];  C[i,k] = sum A[i,j]*B_t[j,k]
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from math import prod

from indexlang.ir import ops
from indexlang.ir.affine import affine
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Equation, Program, Role, Tensor
from indexlang.ir.expr import Apply, Border, Bound, Const, Expr, Index, Read, Reduce, free_indices, rewrite, walk
from indexlang.ir.lefts import is_one_to_one
from indexlang.ir.size import Extent, Named
from indexlang.passes.padding import Padding, reach

_LEAST_TERMS = 4
_NARROW = 8  # columns
_HEAVY = 8  # times larger than the rest: too much to be copied


@dataclass(frozen=True, slots=True)
class Contraction:
    """The parts of a contraction; `a` and `w` are affine reads, but for the panels of w.

    panel  columns of each panel that w is cut into; 0: its columns lie side by side, or somewhere else
    """

    total: Reduce
    a: Read
    w: Read
    column: Bound
    row: Bound | None
    batches: tuple[Bound, ...]  # left indices that are neither, in order
    panel: int = 0

    @property
    def is_contiguous(self) -> bool:
        """Whether the next column of w is the next element, within a panel if there are such."""
        last = self.w.subscripts[-1]
        return self.panel > 0 or (isinstance(last, Index) and last.name == self.column.name)


def contraction(e: Equation, program: Program) -> Contraction | None:
    """How an equation is a contraction, or None. Border rules are allowed here."""
    if not e.indices or not _ends_in(e.left, e.indices[-1].name):
        return None
    column = e.indices[-1]
    total = _only_sum(e.body, column.name)
    if e.accumulates and not (e.body is total and is_one_to_one(e)):
        return None
    if total is None or not isinstance(total.body, Apply) or total.body.op is not ops.MUL:
        return None
    target = program.tensor(e.target)
    left, right = total.body.args
    if not isinstance(left, Read) or not isinstance(right, Read) or total.dtype is not target.dtype:
        return None
    for a, w in ((left, right), (right, left)):
        found = _parts(e, program, total, a, w, column)
        if found is not None:
            return found
    return None


def _parts(e: Equation, program: Program, total: Reduce, a: Read, w: Read, column: Bound) -> Contraction | None:
    if column.name in used(a) or column.name not in used(w) or w.border is not None:
        return None
    if a.border is not None and a.border.value is not None and not isinstance(a.border.value, Const):
        return None
    panel = _panel(w, column.name)
    own = beside_panels(w) if panel else w.subscripts
    for read, subscripts in ((a, a.subscripts), (w, own)):
        if program.tensor(read.tensor).dtype is not total.dtype or any(not _is_plain(s) for s in subscripts):
            return None
    if not panel and not any(isinstance(s, Index) and s.name == column.name for s in w.subscripts):
        return None
    over = {b.name for b in total.over}
    if not over <= used(a) | used(w) or not over & used(w):
        return None
    rows = [b for b in e.indices[:-1] if b.name in used(a) and b.name not in used(w)]
    row = rows[-1] if rows else None
    batches = tuple(b for b in e.indices[:-1] if b is not row)
    terms = 1
    for b in total.over:
        terms *= int(str(b.extent))
    if terms < _LEAST_TERMS and not any(isinstance(b.extent, Named) for b in total.over):
        return None
    if not panel and _is_narrow(e, program, a, w, column, batches):
        return None
    return Contraction(total, a, w, column, row, batches, panel)


def _panel(w: Read, column: str) -> int:
    """The columns of a panel, where the last subscript of `w` is the column within one."""
    match w.subscripts[-1]:
        case Apply(op=ops.MOD, args=(Index(name=name), Const(value=int() as n))) if name == column:
            return n
        case _:
            return 0


def beside_panels(w: Read) -> tuple[Expr, ...]:
    """The subscripts of `w` but for those that say which panel, and where in it."""
    return tuple(s for s in w.subscripts[:-1] if not (isinstance(s, Apply) and s.op is ops.FLOORDIV))


def _is_narrow(e: Equation, program: Program, a: Read, w: Read, column: Bound, batches: tuple[Bound, ...]) -> bool:
    """Whether many small products stand side by side: too narrow for tiles, they go into register blocks as they are, or
    with a copy of w whose columns lie side by side (`nest/moves/lay.py`) where the results of groups do."""
    last = w.subscripts[-1]
    groups = {b.name for b in batches if b.name in used(a) and b.name in used(w)}
    if not groups or int(str(column.extent)) > _NARROW:
        return False
    return (isinstance(last, Index) and last.name == column.name) or any(
        b.name in groups
        and follows(e, column, b)
        and not any(isinstance(n, Named) for n in program.tensor(w.tensor).extents)
        for b in batches
    )


def follows(e: Equation, column: Bound, group: Bound) -> bool:
    """Whether the results of the next value of `group` stand right behind all columns of this one."""
    last = affine(e.left[-1])
    inside = any(group.name in free_indices(s) for s in e.left[:-1])
    return last is not None and not inside and last.coefficient(group.name) == column.extent


def _ends_in(left: tuple[Expr, ...], column: str) -> bool:
    """Whether a left side is affine, and one step of the column moves it to the next element."""
    if not left or not all(_is_plain(s) for s in left):
        return False
    forms = [affine(s) for s in left]
    return [f.coefficient(column) if f else 0 for f in forms] == [*(0 for _ in left[1:]), 1]


def _only_sum(body: Expr, column: str) -> Reduce | None:
    """The one reduction of a body, if it is a sum that depends on the column and nothing else reduces."""
    found = [n for n in walk(body) if isinstance(n, Reduce)]
    if len(found) != 1 or found[0].fold is not ops.SUM or column not in free_indices(found[0]):
        return None
    return found[0] if found[0].dtype in (DType.F32, DType.F64) else None


def used(read: Read) -> set[str]:
    """The indices that move an access."""
    return {name for s in read.subscripts for name in free_indices(s)}


def _is_plain(s: Expr) -> bool:
    form = affine(s)
    return form is not None and form.is_plain and form.is_concrete


# -- the pass


def prepare_contractions(program: Program) -> Program:
    """Copies for operands that leave their axes (padded) or whose columns are not contiguous (transposed)."""
    return _Preparation(program).run()


class _Preparation(Padding):
    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.equations: list[Equation] = []
        self.reach = self._reaches()

    def run(self) -> Program:
        for e in self.program.equations:
            self.equations.extend(self._prepared(e))
        return self.grown(tuple(self.equations))

    def _prepared(self, e: Equation) -> Iterator[Equation]:
        found = contraction(e, self.program)
        if found is None or self._is_vector_product(found):
            yield e
            return
        if is_heavy(e, found, self.program):
            yield from self._turned(e, found)
            return
        body = e.body
        if found.a.border is not None:
            padded = yield from self.padded(found.a, self.reach[found.a.tensor, found.a.border])
            body = _replaced(body, found.a, padded)
        if not found.is_contiguous:
            transposed = yield from self._transposed(found.w, found.column.name)
            body = _replaced(body, found.w, transposed)
        yield replace(e, body=body)

    def _is_vector_product(self, found: Contraction) -> bool:
        """Without rows, each element of w is used once: a copy would cost more than it saves."""
        return found.row is None and not found.is_contiguous

    def _turned(self, e: Equation, found: Contraction) -> Iterator[Equation]:
        """`C[i,k] = sum A[i,j]*B[k,j]` as `C_turned[k,i] = sum B[k,j]*A[i,j]` and `C[i,k] = C_turned[k,i]`."""
        total, row = found.total, found.row
        assert row is not None
        used = free_indices(total)
        own = (*(b for b in e.indices if b.name in used and b is not row), row)
        name = self.fresh(f"{e.target}_turned")
        made = Tensor(name, tuple(b.extent for b in own), total.dtype, Role.COMPUTED, span=e.span)
        self.tensors.append(made)
        self.program = self.program.replace(tensors=(*self.program.tensors, made))
        left = tuple(Index(b.name) for b in own)
        yield from self._prepared(Equation(name, own, left, False, total, e.span))
        turned = Read(name, left, None, total.dtype, total.span)
        yield replace(e, body=rewrite(e.body, lambda n: turned if n == total else n))

    def _reaches(self) -> dict[tuple[str, Border], list[tuple[int, int]]]:
        """Between which values the subscripts of contractions stay, by tensor and border, axis by axis."""
        out: dict[tuple[str, Border], list[tuple[int, int]]] = {}
        for e in self.program.equations:
            found = contraction(e, self.program)
            if found is None or found.a.border is None or self._is_vector_product(found):
                continue
            box = {b.name: b.extent for b in (*e.indices, *found.total.over)}
            spans = [reach(s, box) for s in found.a.subscripts]
            key = (found.a.tensor, found.a.border)
            out[key] = [(min(p, r), max(q, s)) for (p, q), (r, s) in zip(out.get(key, spans), spans, strict=True)]
        return out

    def _transposed(self, read: Read, column: str) -> Generator[Equation, None, Read]:
        """`W_t[…,j] = W[…,j,…]`: the axis of the columns last."""
        source = self.program.tensor(read.tensor)
        at = next(k for k, s in enumerate(read.subscripts) if isinstance(s, Index) and s.name == column)
        order = [k for k in range(len(read.subscripts)) if k != at] + [at]
        key = (read.tensor, at)
        name = self.made.get(key)
        if name is None:
            name = self.made[key] = self.fresh(f"{read.tensor}_t")
            extents = tuple(source.extents[k] for k in order)
            self.tensors.append(Tensor(name, extents, source.dtype, Role.COMPUTED, span=read.span))
            indices = tuple(Bound(f"u{k}", source.extents[k]) for k in order)
            subscripts = tuple(Index(f"u{k}") for k in range(len(order)))
            yield Equation(
                name,
                indices,
                tuple(Index(b.name) for b in indices),
                False,
                Read(read.tensor, subscripts, None, read.dtype),
                read.span,
            )
        return Read(name, tuple(read.subscripts[k] for k in order), None, read.dtype, read.span)


def is_heavy(e: Equation, found: Contraction, program: Program) -> bool:
    """Whether w would have to be transposed, and has many times the elements of all else."""
    row = found.row
    if row is None or found.a.border is not None or found.is_contiguous:
        return False
    a, w = (_elements(program.tensor(r.tensor).extents) for r in (found.a, found.w))
    column_of_a = any(isinstance(s, Index) and s.name == row.name for s in found.a.subscripts)
    return column_of_a and not e.accumulates and w >= _HEAVY * (a + _elements(tuple(b.extent for b in e.indices)))


def _elements(extents: tuple[Extent, ...]) -> int:
    return prod(int(str(n)) for n in extents)


def _replaced(body: Expr, old: Read, new: Read) -> Expr:
    return rewrite(body, lambda n: new if n == old else n)
