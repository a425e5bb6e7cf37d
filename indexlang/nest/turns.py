"""Equations that take turns: where one hands a large tensor to the next, all are computed for a piece of an index, then
for the next piece, so that what is handed on stays in a cache, and no more than a piece of it is ever there.

before   for b:16: T[b,…] = …           for b:16: P[b,…] = … T[b,…] …      for b:16: Y[b,…] = … P[b,…] …
after    for each two of b:  T[b:2,…] = …;  P[b:2,…] = … T[b,…] …;  Y[b:2,…] = … P[b,…] …

Nothing is computed twice, and every sum is the same. What an equation reads besides (filters) comes again with each turn,
so there are only as many as save more than that.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations, product
from math import prod
from operator import itemgetter

from indexlang.ir import ops
from indexlang.ir.affine import affine
from indexlang.ir.equation import Equation, Program, Role, Tensor
from indexlang.ir.expr import Apply, Bound, Const, Expr, Index, Read, children, free_indices, reads
from indexlang.ir.layout import layout
from indexlang.ir.size import Extent
from indexlang.nest.checks import Checks
from indexlang.nest.moves.target import Target
from indexlang.nest.steps import known

LARGE = 1 << 20  # bytes of a tensor that is worth a turn: smaller ones stay in a cache by themselves
SMALL = 32 << 10  # bytes that are read again for nothing
_GAIN = 3  # times the bytes that are read again must be saved
_MOST = 64  # turns


@dataclass(frozen=True, slots=True)
class Cut:
    """An index of the first equation of a group in pieces of `size` values, and what goes with it in the others.

    names   the index of each equation        scales  how many of its values go with one of the first's
    axes    the axis of each local tensor along which a piece is all there is of it
    """

    names: tuple[str, ...]
    scales: tuple[int, ...]
    axes: Mapping[str, int] = field(hash=False)
    size: int = 0


@dataclass(frozen=True)
class Turns:
    """Equations, each right after the one before, in pieces.

    local   the tensors that nobody else reads: of them there is one piece at a time
    copies  how many threads take pieces at once, each with local tensors of its own: the first of them the first pieces
    """

    equations: tuple[Equation, ...]
    local: frozenset[str]
    copies: int
    cuts: tuple[Cut, ...]

    @cached_property
    def count(self) -> int:
        """How many turns there are."""
        return prod(-(-_extent(self.equations[0], c.names[0]) // c.size) for c in self.cuts)

    def pieces(self, at: int) -> Iterator[tuple[Equation, tuple[int, ...]]]:
        """What an equation computes in each turn as if its indices began at 0, and where they begin."""
        e = self.equations[at]
        ways = [(c.names[at], _extent(e, c.names[at]), c.size * c.scales[at]) for c in self.cuts]
        for starts in product(*(range(0, extent, step) for _, extent, step in ways)):
            sizes = {name: min(step, n - start) for (name, n, step), start in zip(ways, starts, strict=True)}
            indices = tuple(replace(b, extent=sizes.get(b.name, b.extent)) for b in e.indices)
            yield replace(e, indices=indices), starts

    def moves(self, at: int, starts: Sequence[int], program: Program) -> dict[str, int]:
        """How many bytes further on each tensor stands in the turn whose indices begin there."""
        out: dict[str, int] = {}
        for name, subscripts in _accesses(self.equations[at]):
            if name not in self.local:
                strides = layout(program, name).strides
                by = [(c.names[at], start) for c, start in zip(self.cuts, starts, strict=True)]
                far = sum(_moved(s, *b) * known(n) for b in by for s, n in zip(subscripts, strides, strict=True))
                out[name] = far * program.tensor(name).dtype.size
        return out

    def extents(self, t: Tensor) -> tuple[Extent, ...]:
        """Of a local tensor: those of the largest piece."""
        at = next(k for k, e in enumerate(self.equations) if e.target == t.name)
        out = list(t.extents)
        for c in self.cuts:
            out[c.axes[t.name]] = min(known(out[c.axes[t.name]]), c.size * c.scales[at])
        return tuple(out)


def take_turns(program: Program, fixed: set[str], target: Target) -> tuple[Program, dict[str, Turns]]:
    """The groups of a program that take turns, by the target of each equation; local tensors of the program are pieces.

    fixed  tensors that are computed beforehand
    """
    groups = _Groups(program, fixed, target).found()
    if not groups:
        return program, {}
    tensors = dict(program.by_name)
    for g in groups:
        tensors |= {name: replace(t, extents=g.extents(t)) for name in g.local for t in (program.tensor(name),)}
    return program.replace(tensors=tuple(tensors.values())), {e.target: g for g in groups for e in g.equations}


class _Groups:
    def __init__(self, program: Program, fixed: set[str], target: Target) -> None:
        self.program, self.target = program, target
        self.equations = [e for e in program.equations if e.target not in fixed]
        self.checks = Checks(program)
        self.readers: dict[str, list[int]] = {}
        self.writers: dict[str, list[int]] = {}
        for k, e in enumerate(self.equations):
            self.writers.setdefault(e.target, []).append(k)
            for name in {r.tensor for part in (*e.left, e.body) for r in reads(part)}:
                self.readers.setdefault(name, []).append(k)
        self.shown = {t.view.host for t in program.tensors if t.view is not None} | set(program.outputs)

    def found(self) -> tuple[Turns, ...]:
        """The groups that save most together, none of which has an equation of another."""
        count = len(self.equations)
        best: list[tuple[float, tuple[Turns, ...]]] = [(0.0, ())] * (count + 1)  # of the equations from the k-th on
        for k in reversed(range(count)):
            best[k] = best[k + 1]
            for g in self._from(k) if self._is_handed_on(k) else ():
                rest, others = best[k + len(g.equations)]
                best[k] = max(best[k], (rest + self._saved(g), (g, *others)), key=itemgetter(0))
        return best[0][1]

    def _is_handed_on(self, k: int) -> bool:
        """Whether the tensor of an equation is large, made by it alone, and read by those behind it alone."""
        name = self.equations[k].target
        t = self.program.tensor(name)
        free = t.role is Role.COMPUTED and t.view is None and name not in self.shown
        read = self.readers.get(name, ())
        return free and self._bytes(name) >= LARGE and self.writers[name] == [k] and bool(read) and min(read) > k

    def _from(self, k: int) -> Iterator[Turns]:
        """Groups that begin with an equation."""
        alike: dict[tuple[Equation, ...], list[Turns]] = {}
        for b in self.equations[k].indices:
            for g in self._along(k, b) if known(b.extent) > 1 else ():
                alike.setdefault(g.equations, []).append(g)
        ways = (way for found in alike.values() for way in (*((g,) for g in found), *combinations(found, 2)))
        return (made for way in ways if (made := self._sized(way)) is not None)

    def _along(self, k: int, b: Bound) -> Iterator[Turns]:
        """The equations from one to the last that reads what they hand on, cut along an index: shorter groups first."""
        members: dict[str, tuple[str, int]] = {}  # by target
        axes: dict[str, int] = {}
        end = k
        for at, e in enumerate(self.equations[k:], k):
            way = (b.name, 1) if at == k else self._next(e, axes, members)
            if way is None or not self._may(e, *way):
                return
            members[e.target] = way
            if axes and at == end:
                names, scales = zip(*members.values(), strict=True)
                cut = Cut(names, scales, dict(axes))
                yield Turns(tuple(self.equations[k : at + 1]), frozenset(axes), self.target.cores, (cut,))
            axis = next((a for a, s in enumerate(e.left) if isinstance(s, Index) and s.name == way[0]), None)
            if axis is not None and self._is_handed_on(at):
                axes[e.target] = axis
                end = max(end, *self.readers[e.target])
            elif at == end or self.readers.get(e.target, [end + 1])[0] <= end:  # what is read on the way must be local
                return

    def _next(
        self, e: Equation, axes: Mapping[str, int], members: Mapping[str, tuple[str, int]]
    ) -> tuple[str, int] | None:
        """How an equation goes with those before it, by what it reads of them; None where it does not."""
        ways = {_way(r.subscripts[axes[r.tensor]], members[r.tensor][1]) for r in reads(e.body) if r.tensor in axes}
        way = ways.pop() if len(ways) == 1 else None
        return way if way is not None and way[0] in {b.name for b in e.indices} else None

    def _may(self, e: Equation, name: str, scale: int) -> bool:
        """Whether a piece of an equation is the equation itself somewhere else."""
        if e.accumulates or e.part or any(True for c in e.checks or (e,) for _ in self.checks.checks(c)):
            return False
        if prod(known(b.extent) for b in e.indices) != known(self.program.tensor(e.target).elements):
            return False
        if any(name in free_indices(subscripts[-1]) for _, subscripts in _accesses(e) if subscripts):
            return False  # pieces would be short runs of memory
        ways: dict[str, set[int | None]] = {}
        for tensor, subscripts in _accesses(e):
            strides = layout(self.program, tensor).strides
            steps = [_moved_if(s, name, scale) for s in subscripts]
            far = None if None in steps else sum(a * known(b) for a, b in zip(steps, strides, strict=True) if a)
            ways.setdefault(tensor, set()).add(far)
        return all(len(w) == 1 and None not in w for w in ways.values()) and _stays(e.body, name, scale)

    def _sized(self, ways: Sequence[Turns]) -> Turns | None:
        """A group, cut along one index or two: in pieces that a cache holds with all that they read, or in as many as are
        worth reading that again for."""
        g = replace(ways[0], cuts=tuple(replace(c, size=1) for w in ways for c in w.cuts))
        whole, again = self._whole(g), self._again(g)
        is_near = again <= self.target.near // 2
        if is_near:
            wanted = -(-whole // (self.target.near - again))
        else:
            wanted = min(-(-whole // self.target.near), 1 + whole // (_GAIN * again))
            if whole < _GAIN * again * (g.copies - 1):
                return None
        wanted = min(max(wanted, g.copies), _MOST)
        *outer, last = (_extent(g.equations[0], c.names[0]) for c in g.cuts)
        if outer and outer[0] >= wanted:
            return None  # the first index has as many pieces by itself
        size = max(last * prod(outer) // wanted, 1)
        others = (*range(size, size // 2, -1), *(() if is_near else range(size, 2 * size)))
        even = (s for s in others if last % s == 0 and prod(outer) * (last // s) % g.copies == 0)
        made = replace(g, cuts=(*g.cuts[:-1], replace(g.cuts[-1], size=next(even, size))))
        counts = {sum(1 for _ in made.pieces(k)) for k in range(len(made.equations))}
        return made if made.count >= g.copies and counts == {made.count} else None

    def _saved(self, g: Turns) -> float:
        """The bytes that need not come from further away, less those that come again; all of it less where threads wait."""
        whole, again = self._whole(g), self._again(g)
        held = sum(prod(map(known, g.extents(t))) * t.dtype.size for t in map(self.program.tensor, g.local))
        is_near = held + again <= self.target.near
        saved = 2 * whole if is_near else whole - (g.count - 1) * again
        return saved * g.count / (-(-g.count // g.copies) * g.copies)

    def _whole(self, g: Turns) -> int:
        return sum(self._bytes(n) for n in g.local)

    def _again(self, g: Turns) -> int:
        return sum(self._bytes(n) for n in self._still(g))

    def _still(self, g: Turns) -> set[str]:
        """The tensors that each turn reads from their beginning."""
        found: dict[str, bool] = {}
        for k, e in enumerate(g.equations):
            for name, subscripts in _accesses(e):
                moves = any(_moved_if(s, c.names[k], c.scales[k]) for c in g.cuts for s in subscripts)
                found[name] = found.get(name, False) or moves
        return {n for n, moves in found.items() if not moves and n not in g.local and self._bytes(n) > SMALL}

    def _bytes(self, name: str) -> int:
        t = self.program.tensor(name)
        return known(t.elements) * t.dtype.size


def _extent(e: Equation, name: str) -> int:
    return known(next(b.extent for b in e.indices if b.name == name))


def _accesses(e: Equation) -> Iterator[tuple[str, tuple[Expr, ...]]]:
    """What an equation writes and reads, with the subscripts."""
    yield e.target, e.left
    for part in (*e.left, e.body):
        for r in reads(part):
            yield r.tensor, r.subscripts


def _way(s: Expr, scale: int) -> tuple[str, int] | None:
    """The index in `x` or `x//4`, and how many of its values go with `scale` of what the subscript counts."""
    match s:
        case Index(name=name):
            return name, scale
        case Apply(op=ops.FLOORDIV, args=(Index(name=name), Const(value=int() as by))) if by > 0:
            return name, by * scale
        case _:
            return None


def _moved(s: Expr, name: str, by: int) -> int:
    found = _moved_if(s, name, by)
    assert found is not None
    return found


def _moved_if(s: Expr, name: str, by: int) -> int | None:
    """How far an int expression moves when an index does; None where that differs from place to place."""
    if name not in free_indices(s):
        return 0
    match s:
        case Apply(op=ops.MOD, args=(a, Const(value=int() as m))) if m > 0:
            inner = _moved_if(a, name, by)
            return 0 if inner is not None and inner % m == 0 else None
        case Apply(op=ops.FLOORDIV, args=(a, Const(value=int() as m))) if m > 0:
            inner = _moved_if(a, name, by)
            return inner // m if inner is not None and inner % m == 0 else None
        case Apply(op=ops.ADD, args=(a, b)):
            one, two = _moved_if(a, name, by), _moved_if(b, name, by)
            return one + two if one is not None and two is not None else None
        case _:
            form = affine(s)
            factor = form.coefficient(name) if form is not None and form.is_plain else None
            return factor * by if isinstance(factor, int) else None


def _stays(e: Expr, name: str, by: int) -> bool:
    """Whether a value is the same when an index moves and every tensor with it."""
    match e:
        case Read(border=None):
            return True
        case Index() | Read():
            return name not in free_indices(e)
        case _ if name not in free_indices(e) or (e.dtype.is_int and _moved_if(e, name, by) == 0):
            return True
        case _:
            return all(_stays(c, name, by) for c in children(e))
