"""`+=` with many points and few elements to meet at: blocks of points add to copies of their own, which are added up.

before   H[label[b]] += w[b]                                  (b of 100000, H of 10)
after    H_part[q, label[4096*q+b]] += w[4096*q+b];  H[u] += sum[q] H_part[q,u]

Where there are many more elements than points, there are no copies: see `nest/scatter.py`. Blocks depend on the
equation alone, and each adds its points in order: the same bits for every number of threads.
"""

from collections.abc import Iterator
from dataclasses import replace
from math import prod

from indexlang.ir import ops
from indexlang.ir.build import integer
from indexlang.ir.equation import Equation, Program, Role, Tensor
from indexlang.ir.expr import Bound, Expr, Index, Read, Reduce, rewrite, walk
from indexlang.ir.lefts import is_one_to_one, separate_indices
from indexlang.ir.size import Extent
from indexlang.passes.growing import Growing, other_name

_LEAST_POINTS = 2048  # of a block
_MOST_BLOCKS, _FEW_BLOCKS = 64, 8
_ENOUGH = 256  # elements of separate indices keep the threads busy without blocks


def split_scatters(program: Program) -> Program:
    """The program with such equations in blocks."""
    return _Splitting(program).run()


class _Splitting(Growing):
    def run(self) -> Program:
        equations = tuple(made for e in self.program.equations for made in self._split(e))
        return self.grown(equations)

    def _split(self, e: Equation) -> Iterator[Equation]:
        found = None if not e.accumulates or is_one_to_one(e) else self._blocks(e)
        if found is None:
            yield e
            return
        b, block = found
        target = self.program.tensor(e.target)
        taken = {n.name for part in (*e.left, e.body) for n in walk(part) if isinstance(n, Index)}
        taken |= {b.name for n in walk(e.body) if isinstance(n, Reduce) for b in n.over} | {b.name for b in e.indices}
        q = other_name(f"{b.name}_q", taken)
        whole, rest = b.extent // block, b.extent % block  # pyright: ignore[reportOperatorIssue]
        count: Extent = whole + (1 if rest else 0)
        name = self.fresh(f"{e.target}_part")
        self.tensors.append(Tensor(name, (count, *target.extents), target.dtype, Role.COMPUTED, span=e.span))
        checks = e.checks if e.checks is not None else (e,)
        for first, number, length in ((0, whole, block), (whole, 1, rest)):
            if length and number:
                yield self._block(e, name, (Bound(q, number), first), (b, length, block), checks)
                checks = ()
        own = tuple(Bound(f"u{k}", n) for k, n in enumerate(target.extents))
        left = tuple(Index(u.name) for u in own)
        part = Read(name, (Index(q), *left), None, target.dtype.read)
        total = Reduce(ops.SUM, (Bound(q, count),), part, part.dtype, e.span)
        yield Equation(e.target, own, left, True, total, e.span)

    def _block(
        self,
        e: Equation,
        name: str,
        blocks: tuple[Bound, Extent],
        cut: tuple[Bound, Extent, int],
        checks: tuple[Equation, ...],
    ) -> Equation:
        (q, first), (b, length, block) = blocks, cut
        apply = self.build.apply
        place = apply(ops.ADD, Index(q.name), integer(first))
        at = apply(ops.ADD, apply(ops.MUL, place, integer(block)), Index(b.name))

        def moved(n: Expr) -> Expr:
            return rewrite(n, lambda x: at if isinstance(x, Index) and x.name == b.name else x)

        indices = (q, *(replace(x, extent=length) if x is b else x for x in e.indices))
        return replace(
            e, target=name, indices=indices, left=(place, *map(moved, e.left)), body=moved(e.body), checks=checks
        )

    def _blocks(self, e: Equation) -> tuple[Bound, int] | None:
        """The index to cut, and how many of its values make a block."""
        separate = separate_indices(e)
        points = [b for b in e.indices if b not in separate]
        elements = prod(_int(n) for n in self.program.tensor(e.target).extents)
        beside = prod(_int(b.extent) for b in separate)
        number = prod(_int(b.extent) for b in points)
        copy = elements // max(beside, 1)
        blocks = min(number // max(_LEAST_POINTS, 4 * copy), _MOST_BLOCKS)
        if blocks < _FEW_BLOCKS and number >= 2 * _LEAST_POINTS and copy <= 4 * number:
            blocks = _FEW_BLOCKS
        if beside >= _ENOUGH or blocks < 2:
            return None
        first = next(b for b in points if _int(b.extent) > 1)
        block = -(-_int(first.extent) // blocks)
        return (first, block) if _int(first.extent) >= 2 * block else None


def _int(extent: Extent) -> int:
    return int(str(extent))
