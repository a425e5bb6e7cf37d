"""Expressions in which one index stands for several consecutive values: what depends on it is a vector.

W[dx * W_dx + j]   becomes   lanes_f32x16(W, dx * W_dx + j)      16 elements of W, from j on
W[g * W_g + j]     becomes   joined_f32x8x2(W, g * W_g, W_g)     8 of g, and 8 of g + 1, where two of these stand side by side
X[b * X_b + i]     stays     X[b * X_b + i]                      one number, repeated where it meets a vector
a if x < y else b  becomes   lanes_choose(lanes_lt(x, y), a, b)  both sides are computed
"""

from indexlang.emit.addresses import added
from indexlang.emit.expressions import Expressions
from indexlang.emit.names import Namer
from indexlang.emit.writer import LANES, MASKS, bare
from indexlang.ir import ops
from indexlang.ir.affine import Affine, affine, expression
from indexlang.ir.build import integer
from indexlang.ir.dtypes import DType
from indexlang.ir.expr import Apply, Expr, Read, Select, free_indices, walk
from indexlang.ir.size import Extent
from indexlang.nest.nodes import Nest, is_local

_LOADS = {1: "lanes", -1: "reversed"}  # by the step from lane to lane


class Vectors(Expressions):
    """`lane` is the index that stands for `lanes` values here, "" outside; or with `beside` for a piece of them only."""

    def __init__(self, nest: Nest, namer: Namer) -> None:
        super().__init__(nest, namer)
        self.lane, self.lanes, self.beside, self.pieces = "", 1, "", 1
        self.single: set[str] = set()  # local floats that are numbers also where there are lanes
        self._choosing = False
        # constants in subscripts, by what `known` has addresses for
        self._constants: dict[object, tuple[Extent, ...]] = {}

    def converted(self, e: Expr, dtype: DType) -> str:
        """`e` in another type: a vector lane by lane."""
        if not self.varies(e) or e.dtype is dtype:
            return super().converted(e, dtype)
        self.use(LANES, f"floats_{dtype.value}x{self.lanes}")
        return f"floats_{dtype.value}x{self.lanes}({bare(self.value(e))})"

    def varies(self, e: Expr) -> bool:
        """Whether an expression is a vector here: it depends on the lane, or on a local float that is one."""
        if not self.lane:
            return False
        floats = (n.tensor[1:] for n in walk(e) if isinstance(n, Read) and is_local(n.tensor) and n.dtype.is_float)
        indices = free_indices(e)
        return self.lane in indices or self.beside in indices or any(name not in self.single for name in floats)

    def spread(self, e: Expr, dtype: DType) -> str:
        """The text of `e` as a vector, also where it is one number."""
        text = self.converted(e, dtype)
        if not self.lane or not dtype.is_float or self.varies(e):
            return text
        self.use(LANES, f"spread_{dtype.value}x{self.lanes}")
        return f"spread_{dtype.value}x{self.lanes}({text})"

    def put(self, tensor: str, subscripts: tuple[Expr, ...], value: Expr) -> None:
        """Write the lanes of a value side by side: to a tensor, or to a place of a local row, which has room for them."""
        self.use(LANES, "put")
        if is_local(tensor):
            self.line(f"put({self._in_row(tensor, subscripts)}, {bare(self.spread(value, value.dtype))})")
            return
        text = bare(self.spread(value, self.nest.dtypes[tensor]))
        self.line(f"put({self.tensor(tensor)}, {self._near(tensor, subscripts)}, {text})")

    def _read(self, e: Read) -> str:
        if self.lane and is_local(e.tensor) and e.subscripts:
            self.use(LANES, f"lanes_{e.dtype.value}x{self.lanes}")
            return f"lanes_{e.dtype.value}x{self.lanes}({self._in_row(e.tensor, e.subscripts)})"
        if not self.lane or is_local(e.tensor):
            return super()._read(e)
        step, aside = self._step_of(e, self.lane), self._step_of(e, self.beside)
        if aside and not (step == 1 and aside == self.lanes // self.pieces):
            return self._pieces(e, "joined" if step else "repeated", aside)
        if step == 0:
            return f"{self.tensor(e.tensor)}[{self._near(e.tensor, e.subscripts)}]"
        place = f"{self.tensor(e.tensor)}, {self._near(e.tensor, e.subscripts)}"
        word = f"{_LOADS.get(step, 'strided')}_{e.dtype.value}x{self.lanes}"
        self.use(LANES, word)
        return f"{word}({place})" if step in _LOADS else f"{word}({place}, {self.size(step, 'step')})"

    def value(self, e: Expr) -> str:
        """What is loaded has a name, so that it is loaded once in all rows of a block."""
        if self.lane and e.dtype is DType.INT and affine(e) is not None and self.lane in free_indices(e):
            self.use(LANES, f"ramp_i64x{self.lanes}")
            return f"ramp_i64x{self.lanes}({self.integer(e)}, {self._pace(e, self.lane)})"
        if not self.lane or not isinstance(e, Read) or is_local(e.tensor):
            return super().value(e)
        found = next((layer[e] for layer in self.known if e in layer), None)
        if found is None:
            found = self.known[-1][e] = self.named(self._read(e))
        return found

    def _in_row(self, row: str, subscripts: tuple[Expr, ...]) -> str:
        """A local row of vectors, and the first element of one of them."""
        form = affine(subscripts[0])
        assert form is not None
        return f"{self.name('local', row[1:])}, {self.integer(expression(form.scaled(self.lanes)))}"

    def _near(self, tensor: str, subscripts: tuple[Expr, ...]) -> str:
        """The address of an access, from that of another one in this block where they differ in constants only."""
        forms = [f for s in subscripts if (f := affine(s)) is not None]
        if len(forms) < len(subscripts):
            return self.address(tensor, subscripts)
        key = (tensor, tuple((f - Affine(f.constant)).terms for f in forms))
        near = next((layer[key] for layer in self.known if key in layer), None)
        if near is None:
            near = self.known[-1][key] = self.named(self.address(tensor, subscripts))
            self._constants[key] = tuple(f.constant for f in forms)
        away = (integer(f.constant - c) for f, c in zip(forms, self._constants[key], strict=True))
        return added(near, self.address(tensor, tuple(away)))

    def _pieces(self, e: Read, kind: str, aside: int) -> str:
        """A vector of elements side by side, or of one repeated, for each of the values that stand side by side."""
        word = f"{kind}_{e.dtype.value}x{self.lanes // self.pieces}x{self.pieces}"
        self.use(LANES, word)
        return f"{word}({self.tensor(e.tensor)}, {self._near(e.tensor, e.subscripts)}, {self.size(aside, 'step')})"

    def _step_of(self, e: Read, index: str) -> int:
        total = 0
        for s, stride in zip(e.subscripts, self.nest.strides[e.tensor], strict=True):
            assert isinstance(stride, int)
            total += self._pace(s, index) * stride
        return total

    def _pace(self, e: Expr, index: str) -> int:
        form = affine(e)
        factor = form.coefficient(index) if form is not None else 0
        assert isinstance(factor, int)
        return factor

    def _aside(self, e: Expr, dtype: DType) -> tuple[list[str], str]:
        return self._lines_aside(lambda: self.spread(e, dtype) if self._choosing else self.converted(e, dtype))

    def _apply(self, e: Apply) -> str:
        """Tests of vectors are functions of their own."""
        if e.op.kind not in (ops.Kind.COMPARE, ops.Kind.LOGIC) or not self.varies(e):
            return super()._apply(e)
        word = f"lanes_{e.op.name}"
        self.use(MASKS, word)
        if e.op.kind is ops.Kind.LOGIC:
            return f"{word}({', '.join(bare(self.value(a)) for a in e.args)})"
        dtype = next(a.dtype for a in e.args if a.dtype.is_float)
        return f"{word}({', '.join(bare(self.spread(a, dtype)) for a in e.args)})"

    def _select(self, e: Select) -> str:
        """Both sides of a choice are vectors if one of them is; where the test is one, both are computed."""
        if self.varies(e.cond):
            self.use(MASKS, "lanes_choose")
            test = bare(self.value(e.cond))
            sides = (bare(self.spread(side, e.dtype)) for side in (e.then, e.other))
            return f"lanes_choose({', '.join((test, *sides))})"
        before, self._choosing = self._choosing, self.varies(e)
        text = super()._select(e)
        self._choosing = before
        return text
