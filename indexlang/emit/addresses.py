"""Integers of a kernel: extents, affine subscripts, flat positions."""

from abc import abstractmethod

from indexlang.emit.writer import LANG, Writer
from indexlang.ir import ops
from indexlang.ir.affine import Affine, affine
from indexlang.ir.expr import Apply, Const, Expr, Index
from indexlang.ir.size import Extent, Named

_LITERAL = 64  # larger integers are arguments, so that one kernel serves many extents
_FACTOR = 1024  # steps and block sizes belong to the kernel: they become part of addresses
_UNROLLED = 8  # loops of so few turns are unrolled


class Addresses(Writer):
    """`X` is the extent of x; `L1_x` is how far one step along x moves in the memory of L1."""

    @abstractmethod
    def value(self, e: Expr) -> str:
        """The text of any expression."""

    def extent(self, index: str, value: Extent) -> str:
        """The extent of an index: an argument."""
        assert isinstance(value, int)
        return self.number(("extent", index, str(int(value))), value, index.upper())

    def size(self, value: Extent, stem: str = "size", most: int = _LITERAL) -> str:
        """An integer: a literal if it is small and belongs to the program, else an argument."""
        assert isinstance(value, int)
        if isinstance(value, Named):
            return self.number(("named", stem, str(int(value))), value, stem)
        return str(value) if abs(value) <= most else self.number(("size", str(value)), value, stem)

    def address(self, tensor: str, subscripts: tuple[Expr, ...]) -> str:
        """The flat position of an access: `b * L1_b + x * L1_x + j`."""
        text = "0"
        for axis, s in enumerate(subscripts):
            place = self._subscript(tensor, axis, s)
            if axis < len(subscripts) - 1 and place != "0":
                place = f"{_factor(place)} * {self._stride(tensor, axis, s)}"
            text = added(text, place)
        return text

    def _subscript(self, tensor: str, axis: int, s: Expr) -> str:
        """A subscript's text. Where a part of the result begins is an argument, so that one kernel serves all parts."""
        form = affine(s) if tensor == self.nest.writes else None
        if form is None or not (form.is_plain and form.is_concrete) or not isinstance(form.constant, int):
            return self.integer(s)
        begin = form.constant
        if isinstance(begin, Named) or begin <= _UNROLLED:
            return self.integer(s)
        name = self.number(("begin", tensor, str(axis), str(begin)), begin, f"{tensor}_begin")
        return added(self._affine(Affine(0, form.terms)), name)

    def _stride(self, tensor: str, axis: int, s: Expr) -> str:
        stride = self.nest.strides[tensor][axis]
        assert isinstance(stride, int)
        if tensor in self.own:
            return str(stride)
        letter = s.name if isinstance(s, Index) else str(axis)
        return self.number(("stride", tensor, str(axis)), stride, f"{tensor}_{letter}")

    def integer(self, e: Expr) -> str:
        """The text of an int expression, affine ones as `2 * x + dx - 1`."""
        form = affine(e)
        return self._affine(form) if form is not None and form.is_plain and form.is_concrete else self.value(e)

    def stop(self, index: str, e: Expr) -> str:
        """The end of a loop: a constant in it is the index's extent."""
        match e:
            case Const(value=int() as value):
                return str(value) if value <= _UNROLLED and not isinstance(value, Named) else self.extent(index, value)
            case Apply(op=ops.MIN, args=(a, Const(value=int() as value))):
                self.use(LANG, "min2")
                return f"min2({self.integer(a)}, {self.extent(index, value)})"
            case _:
                return self.integer(e)

    def _affine(self, form: Affine) -> str:
        text = "0"
        for v, c in form.terms:
            assert isinstance(v, str)
            assert isinstance(c, int)
            text = added(text, self._term(self.name("index", v), c))
        constant = form.constant
        assert isinstance(constant, int)
        if isinstance(constant, Named):
            return added(text, self.size(constant))
        number = self.size(abs(constant), "size", _FACTOR if abs(constant) % 16 == 0 else _LITERAL)
        return added(text, f"-{number}" if constant < 0 else number)

    def _term(self, name: str, c: int) -> str:
        if isinstance(c, Named):
            return f"{self.size(c, 'step')} * {name}"
        term = name if abs(c) == 1 else f"{self.size(abs(c), 'step', _FACTOR)} * {name}"
        return f"-{term}" if c < 0 else term


def added(left: str, right: str) -> str:
    """`left + right`, without zeros, minus signs drawn together."""
    if right in ("0", "-0"):
        return left
    if left == "0":
        return right
    return f"{left} - {right[1:]}" if right.startswith("-") else f"{left} + {right}"


def _factor(text: str) -> str:
    return text if text.isidentifier() or text.isdigit() else f"({text})"
