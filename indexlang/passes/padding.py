"""Operands with their border in memory, so that no access asks where it is.

before   … L[u+du-1 else 0] …
after    L_padded[u:58] = L[u-1 else 0];  … L_padded[u+du] …
"""

from collections.abc import Generator, Mapping, Sequence

from indexlang.ir import ops
from indexlang.ir.affine import Affine, affine
from indexlang.ir.bounds import span_of
from indexlang.ir.build import integer
from indexlang.ir.equation import Equation, Program, Role, Tensor
from indexlang.ir.expr import Border, Bound, Const, Expr, Index, Read
from indexlang.ir.size import Extent
from indexlang.passes.embed import copied
from indexlang.passes.growing import Growing
from indexlang.passes.surround import surrounded

Reach = tuple[int, int]  # the first and the last value of a subscript


class Padding(Growing):
    """A program in which some operands are padded, each once for the same reach."""

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.made: dict[object, str] = {}
        # tensors that live inside others
        self.inside = {source for e in program.equations if (source := copied(e)) is not None}

    def padded(self, read: Read, reaches: Sequence[Reach]) -> Generator[Equation, None, Read]:
        """`P[u,v] = L[u-1,v-1 else 0]`, as far as accesses with that border reach along each axis."""
        assert read.border is not None
        source = self.program.tensor(read.tensor)
        around = self._may_live_inside(source, read.border)
        lows: list[int] = []
        extents: list[Extent] = []
        for (low, high), n in zip(reaches, source.extents, strict=True):
            if isinstance(n, int) and low >= 0 and high < n:
                low, high = 0, n - 1
            elif around and isinstance(n, int):
                low, high = min(low, 0), max(high, n - 1)
            lows.append(low)
            extents.append(n if (low, high) == (0, n - 1) else high - low + 1)
        key = (read.tensor, read.border, tuple(lows), tuple(extents))
        name = self.made.get(key)
        if name is None:
            name = self.made[key] = self.fresh(f"{read.tensor}_padded")
            made = Tensor(name, tuple(extents), source.dtype, Role.COMPUTED, span=read.span)
            self.tensors.append(made)
            if around:
                self.inside.add(read.tensor)
                yield from surrounded(made, source, tuple(-low for low in lows), read, self.build)
            else:
                yield self._copied(made, tuple(lows), read)
        moved = tuple(self.build.apply(ops.ADD, s, integer(-low)) for s, low in zip(read.subscripts, lows, strict=True))
        return Read(name, moved, None, read.dtype, read.span)

    def _may_live_inside(self, source: Tensor, border: Border) -> bool:
        """Whether a tensor can be made inside its padded form, so that only the border is to be filled."""
        free = (
            source.role is Role.COMPUTED and source.name not in self.inside and source.name not in self.program.outputs
        )
        return free and isinstance(border.value, Const)

    def _copied(self, made: Tensor, lows: tuple[int, ...], read: Read) -> Equation:
        indices = tuple(Bound(f"u{k}", n) for k, n in enumerate(made.extents))
        subscripts = tuple(
            self.build.apply(ops.ADD, Index(b.name), integer(low)) for b, low in zip(indices, lows, strict=True)
        )
        left = tuple(Index(b.name) for b in indices)
        body = Read(read.tensor, subscripts, read.border, read.dtype)
        return Equation(made.name, indices, left, False, body, read.span)


def reach(s: Expr, box: Mapping[str, Extent]) -> Reach:
    """Between which values an affine subscript stays; the last is one before the first where there are none."""
    spread = span_of(affine(s) or Affine(0), dict(box))
    assert spread is not None
    low, high = spread
    assert isinstance(low, int)
    assert isinstance(high, int)
    return low, max(high, low - 1)
