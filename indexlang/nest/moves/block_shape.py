"""Which equations go into register blocks, along which indices, and how large the blocks are."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from indexlang.ir import ops
from indexlang.ir.affine import affine
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Equation, Program
from indexlang.ir.expr import (
    Apply,
    Bound,
    Const,
    Expr,
    Index,
    Read,
    Reduce,
    Select,
    children,
    free_indices,
    reads,
    walk,
)
from indexlang.ir.size import Named
from indexlang.nest.body import here, is_short
from indexlang.nest.moves.slide import Slide, sliding
from indexlang.nest.moves.target import Target
from indexlang.nest.steps import known, steps

_FOLDS = {ops.SUM: 1, ops.PROD: 1, ops.LARGEST: 3, ops.SMALLEST: 3}  # instructions of each (a maximum keeps NaN)
_VECTOR_OPS = (
    *(ops.ADD, ops.SUB, ops.MUL, ops.DIV, ops.NEG, ops.MAX, ops.MIN, ops.RELU, ops.ABS, ops.SIGN),
    *(ops.SQRT, ops.RSQRT, ops.FLOOR, ops.CEIL, ops.ROUND, ops.STOP),
)
_FUNCTIONS = (  # of `vecmath`
    *(ops.SIGMOID, ops.TANH, ops.EXP, ops.LOG, ops.LOG1P, ops.EXPM1, ops.SIN, ops.COS, ops.ERF, ops.GELU, ops.SILU),
    *(ops.SOFTPLUS, ops.POW),
)
_MOST_ROWS, _MOST_VECTORS, _MOST = 10, 4, 12  # of a block: more make no faster kernels, but longer ones
MOST_AT_ONCE = 8  # vectors of columns that are read once: pieces of memory as long as a prefetcher likes them
_A_FUNCTION, _MOST_COSTLY = 20, 4  # instructions of one, and sums of a block then: it needs the other registers itself
_LATENCY = 4  # cycles until a sum can be added to again
_MOST_SLIDING, _TAKEN = 14, 3  # sums of a block whose windows slide; registers for what each term needs
_MOST_DEEP, _LONGER = 8, 4  # values of an index that all stand in a block; times as many values of what it slides along
_SPARE = 8  # registers that hold no sums


@dataclass(frozen=True, slots=True)
class Use:
    """A read in the sum: whether it moves with the row, its step along the column, whether it moves with `deep`."""

    by_row: bool
    step: int
    by_deep: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """The parts that indices and reads play.

    operations  instructions for each term, the fold among them
    shared      elements a column that all rows of a block read
    deep        a short left index that slides along a long summed one: a block has sums for all its values
    slide       a short summed index along which a read slides as the rows do
    pieces      of a vector, each of columns of another group
    again       whether elements are read again; else a block is one row of vectors, so that memory is read along
    """

    total: Reduce
    column: Bound
    row: Bound | None
    uses: tuple[Use, ...]
    operations: int
    shared: int
    deep: Bound | None = None
    slide: Slide | None = None
    pieces: int = 1
    again: bool = True


@dataclass(frozen=True, slots=True)
class Size:
    """Rows x vectors of a block."""

    rows: int
    vectors: int


def shape(e: Equation, program: Program) -> Shape | None:
    """The parts of an equation without `+=`, or None."""
    total = _only_total(e, program)
    if total is None or not is_vectorial(e.body, program):
        return None
    left = steps(here(e, total.dtype), program)
    column = next((b for b in reversed(e.indices) if left and left.get(b.name) == 1), None)
    if column is None or known(column.extent) < 2:
        return None
    found = tuple(dict.fromkeys(reads(total.body)))
    moves = [steps(r, program) or {} for r in found]
    if runs_along(total, column, program):
        return None
    if not any(is_read_again(r, total) for r in found):
        return None if is_short(total) else _read_once(total, column, moves)
    deep = _sliding(e, total, column, found)
    row = _best_row([b for b in e.indices if b is not column and b is not deep], moves)
    uses = tuple(
        Use(row is not None and row.name in m, m.get(column.name, 0), deep is not None and deep.name in m)
        for m in moves
    )
    terms = prod(known(b.extent) for b in total.over)
    shared = terms * sum(1 for u in uses if not u.by_row and u.step)
    slide = sliding(total.over, row, found) if deep is None else None
    return Shape(total, column, row, uses, _operations(total), shared, deep, slide)


def _read_once(total: Reduce, column: Bound, moves: list[dict[str, int]]) -> Shape | None:
    """A sum with nothing to keep but its results: all columns at once, if vectors of them are read."""
    uses = tuple(Use(by_row=False, step=m.get(column.name, 0)) for m in moves)
    along = any(u.step == 1 for u in uses) and all(u.step in (0, 1) for u in uses)
    return Shape(total, column, None, uses, _operations(total), 0, again=False) if along else None


def _sliding(e: Equation, total: Reduce, column: Bound, found: tuple[Read, ...]) -> Bound | None:
    """The left index of few values that moves a read along the innermost long summed index, and not all reads."""
    short = {
        b.name: b
        for b in e.indices
        if b is not column and not isinstance(b.extent, Named) and 1 < known(b.extent) <= _MOST_DEEP
    }
    for along in reversed(total.over):
        for r in found:
            for names in (free_indices(s) for s in r.subscripts):
                b = next((short[n] for n in sorted(names & short.keys())), None) if along.name in names else None
                if b is not None and known(along.extent) >= _LONGER * known(b.extent) and _stays(b, found):
                    return b
    return None


def _stays(b: Bound, found: tuple[Read, ...]) -> bool:
    """Whether a read stays where it is for all values of an index."""
    return any(all(b.name not in free_indices(s) for s in r.subscripts) for r in found)


def _only_total(e: Equation, program: Program) -> Reduce | None:
    found = [n for n in walk(e.body) if isinstance(n, Reduce)]
    if e.accumulates or len(found) != 1 or found[0].fold not in _FOLDS:
        return None
    dtype = program.tensor(e.target).dtype
    return found[0] if found[0].dtype is dtype and dtype in (DType.F32, DType.F64) else None


def is_vectorial(e: Expr, program: Program) -> bool:
    """Whether an expression can be computed on vectors: known operations on plain reads of one float type."""
    match e:
        case Read():
            return steps(e, program) is not None and program.tensor(e.tensor).dtype is e.dtype and e.dtype.is_float
        case Apply() | Index() | Const() if e.dtype is DType.INT:
            form = affine(e)
            if form is not None:
                return form.is_plain and form.is_concrete
            arithmetic = isinstance(e, Apply) and e.op in (ops.ADD, ops.SUB, ops.MUL, ops.NEG)
            return arithmetic and all(is_vectorial(a, program) for a in children(e))
        case Apply(op=op, args=args):
            return (op in _VECTOR_OPS or op in _FUNCTIONS) and all(is_vectorial(a, program) for a in args)
        case Select(then=then, other=other):
            return is_vectorial(then, program) and is_vectorial(other, program)
        case _:
            return all(is_vectorial(c, program) for c in children(e))


def is_read_again(read: Read, total: Reduce) -> bool:
    """Whether an element is read more than once: at several values of an index around the sum, or in a window."""
    over = {b.name for b in total.over}
    own = [free_indices(s) for s in read.subscripts]
    elsewhere = free_indices(total) - set().union(*own)
    return bool(elsewhere) or any(names & over and names - over for names in own)


def runs_along(total: Reduce, column: Bound, program: Program) -> bool:
    """Whether a read steps from element to element along a long summed index, and not along the column."""
    moves = (steps(r, program) or {} for r in reads(total.body))
    long = [b.name for b in total.over if known(b.extent) >= 16]
    return any(m.get(column.name, 0) not in (0, 1) and any(m.get(name) == 1 for name in long) for m in moves)


def _best_row(others: list[Bound], moves: list[dict[str, int]]) -> Bound | None:
    """The left index that leaves most reads where they are; of equals the last one."""
    rows = [b for b in others if known(b.extent) > 1]
    return max(reversed(rows), key=lambda b: sum(b.name not in m for m in moves), default=None)


def _operations(total: Reduce) -> int:
    inside = sum(_A_FUNCTION if n.op in _FUNCTIONS else 1 for n in _arithmetic(total.body))
    fused = total.fold is ops.SUM and isinstance(total.body, Apply) and total.body.op is ops.MUL
    return inside + _FOLDS[total.fold] - fused


def _arithmetic(e: Expr) -> Iterator[Apply]:
    return (n for n in walk(e) if isinstance(n, Apply) and n.dtype.is_float)


def choose_size(s: Shape, rows: int, columns: int, lanes: int, target: Target) -> Size:
    """The block of the knobs, or the one that takes least time, for so many rows and columns: at least `lanes`."""
    deep = known(s.deep.extent) if s.deep else 1
    most, most_rows = _most(s, target)
    fitting = [
        Size(r, v)
        for v in range(1, min(_MOST_VECTORS if s.again else MOST_AT_ONCE, columns // lanes) + 1)
        for r in range(1, min(rows, most_rows) + 1 if s.row else 2)
        if r * v * deep <= most
    ]
    asked = Size(min(target.knobs.rows, rows), min(target.knobs.vectors, columns // lanes))
    if asked in fitting:
        return asked
    return min(fitting, key=lambda size: (_cost(s, size, deep, rows, columns, lanes), -size.rows), default=Size(1, 1))


def _most(s: Shape, target: Target) -> tuple[int, int]:
    """The sums and the rows of a block, at most."""
    if s.deep:
        return max(target.registers - _SPARE, _MOST), _MOST_ROWS
    if s.operations >= _A_FUNCTION:
        return _MOST_COSTLY, _MOST_ROWS
    if s.slide:
        most = min(target.registers - s.slide.taps - _TAKEN, _MOST_SLIDING)
        return most, most
    return _MOST, _MOST_ROWS


def _cost(s: Shape, size: Size, deep: int, rows: int, columns: int, lanes: int) -> float:
    tiles = -(-rows // size.rows) * -(-columns // (size.vectors * lanes))
    return tiles * _cycles(s, size, deep, lanes)


def _cycles(s: Shape, size: Size, deep: int, lanes: int) -> float:
    """Of one term: two loads and two operations at a time, four instructions in all."""
    loads = sum(_loads(s, u, size, lanes) * (deep if u.by_deep else 1) for u in s.uses)
    work = s.operations * size.rows * size.vectors * deep + loads * (s.pieces - 1)
    loads *= s.pieces
    return max(work / 2, loads / 2, (work + loads) / 4, _LATENCY) + 1


def _loads(s: Shape, u: Use, size: Size, lanes: int) -> float:
    rows = s.slide.places(size.rows) / s.slide.taps if s.slide and size.rows > 1 else size.rows
    many = (rows if u.by_row else 1) * (size.vectors if u.step else 1)
    return many * (2 if u.step == -1 else lanes if u.step not in (0, 1) else 1)
