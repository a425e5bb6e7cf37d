"""Expressions as Python text. What is long, costly or needed twice gets a name of its own first."""

from collections.abc import Callable
from fractions import Fraction
from math import isinf, isnan
from typing import assert_never

from indexlang.emit.addresses import Addresses
from indexlang.emit.names import Namer
from indexlang.emit.writer import LANG, SCALAR, bare
from indexlang.ir import ops
from indexlang.ir.affine import affine
from indexlang.ir.dtypes import DType
from indexlang.ir.expr import Apply, Const, Expr, Index, Read, Reduce, Select
from indexlang.ir.size import Named
from indexlang.nest.nodes import Nest, is_local

_DEEP = 60  # longer texts are given a name of their own
_NUMPY = {"f32": "float32 as f32", "f64": "float64 as f64", "i64": "int64 as i64"}


class Expressions(Addresses):
    """`known` holds the names of values computed in the blocks around this point, the outermost first."""

    def __init__(self, nest: Nest, namer: Namer) -> None:
        super().__init__(nest, namer)
        self.known: list[dict[object, str]] = [{}]

    def value(self, e: Expr) -> str:
        """The text of an expression; what is costly gets a name, and is found by it the second time."""
        if not _may_be_named(e):
            return self._compound(e)
        for layer in self.known:
            if e in layer:
                return layer[e]
        text = self._compound(e)
        if len(text) > _DEEP or isinstance(e, Select) or _is_costly(e):
            text = self.known[-1][e] = self.named(text)
        return text

    def converted(self, e: Expr, dtype: DType) -> str:
        """The text of `e` in a storage or value type."""
        if isinstance(e, Const) and dtype.is_float:
            return self._float(e.value, dtype)
        text = self.value(e)
        if e.dtype is dtype or dtype is DType.BOOL or (e.dtype is DType.INT and dtype.is_int):
            return text
        if e.dtype is DType.BOOL:
            text = f"(1 if {bare(text)} else 0)"
            if dtype.is_int:
                return text
        return self._cast("i64" if dtype.is_int else dtype.value, text)

    def folded(self, fold: ops.Fold, left: str, right: str) -> str:
        """`left` with one more term folded in."""
        match fold:
            case ops.ANY:
                return f"{left} or {right}"
            case ops.ALL:
                return f"{left} and {right}"
            case _:
                text = fold.emit.format(left, bare(right))
                self.use(LANG, text.split("(")[0])
                return text

    def _cast(self, kind: str, text: str) -> str:
        self.use("numpy", _NUMPY[kind])
        return f"{kind}({bare(text)})"

    def _compound(self, e: Expr) -> str:
        match e:
            case Const():
                return self._constant(e)
            case Index(name=name):
                return self.name("index", name)
            case Read():
                return self._read(e)
            case Apply():
                return self._apply(e)
            case Select():
                return self._select(e)
            case Reduce():
                raise AssertionError("reductions are lowered before emission")
            case _:
                assert_never(e)

    # -- leaves

    def _constant(self, e: Const) -> str:
        if e.dtype.is_float:
            return self._float(e.value, e.dtype)
        if isinstance(e.value, bool):
            return "True" if e.value else "False"
        assert isinstance(e.value, int)
        return self.size(e.value)

    def _float(self, value: object, dtype: DType) -> str:
        kind = "f64" if dtype is DType.F64 else "f32"
        if isinstance(value, Named):
            return self._cast(kind, self.size(value))
        number = float(value) if isinstance(value, int | float | Fraction) else float("nan")
        if isnan(number) or isinf(number):
            self.use("math", "nan" if isnan(number) else "inf")
            return self._cast(kind, "nan" if isnan(number) else "inf" if number > 0 else "-inf")
        return self._cast(kind, repr(number))

    def _read(self, e: Read) -> str:
        if is_local(e.tensor):
            name = self.name("local", e.tensor[1:])
            return f"{name}[{self.integer(e.subscripts[0])}]" if e.subscripts else name
        text = f"{self.tensor(e.tensor)}[{self.address(e.tensor, e.subscripts)}]"
        stored = self.nest.dtypes[e.tensor]
        if stored in (DType.I32, DType.U8):
            return self._cast("i64", text)
        return self._cast("f64", text) if stored is not e.dtype and stored.is_float else text

    # -- operations

    def _apply(self, e: Apply) -> str:
        form = affine(e) if e.dtype is DType.INT else None
        if form is not None and form.is_plain and form.is_concrete:
            return f"({self.integer(e)})"
        if e.op in (ops.AND, ops.OR):
            return self._short_circuit(e)
        operand = _operand_type(e)
        texts = [self.converted(a, operand) if operand else self.value(a) for a in e.args]
        if not e.op.emit.startswith("("):
            texts = [bare(t) for t in texts]
        kind = "f64" if e.dtype is DType.F64 else "f32"
        for word in _FUNCTIONS[e.op.name, kind]:
            self._use_function(word)
        return e.op.emit.format(*texts, f=kind)

    def _use_function(self, word: str) -> None:
        if word in _NUMPY:
            self.use("numpy", _NUMPY[word])
        else:
            self.use(LANG if word in ("max2", "min2") else SCALAR, word)

    def _short_circuit(self, e: Apply) -> str:
        """The second operand may only be computed under the first."""
        left = self.value(e.args[0])
        inner, right = self._aside(e.args[1], DType.BOOL)
        if not inner:
            return e.op.emit.format(left, right)
        name = self.named(left)
        fresh = self.fresh()
        self.assign(fresh, name)
        self.line(f"if {name}:" if e.op is ops.AND else f"if not {name}:")
        self.lines.extend(inner)
        self.line(f"    {fresh} = {bare(right)}")
        return fresh

    def _select(self, e: Select) -> str:
        cond = bare(self.value(e.cond))
        (before, then), (between, other) = self._aside(e.then, e.dtype), self._aside(e.other, e.dtype)
        if not before and not between:
            return f"({bare(then)} if {cond} else {bare(other)})"
        fresh = self.fresh()
        self.line(f"if {cond}:")
        self.lines.extend(before)
        self.line(f"    {fresh} = {bare(then)}")
        self.line("else:")
        self.lines.extend(between)
        self.line(f"    {fresh} = {bare(other)}")
        return fresh

    def _aside(self, e: Expr, dtype: DType) -> tuple[list[str], str]:
        """The lines that `e` needs, one block deeper and not written yet, and its text."""
        return self._lines_aside(lambda: self.converted(e, dtype))

    def _lines_aside(self, write: Callable[[], str]) -> tuple[list[str], str]:
        mark = len(self.lines)
        self.known.append({})
        self.depth += 1
        text = write()
        self.depth -= 1
        self.known.pop()
        lines = self.lines[mark:]
        del self.lines[mark:]
        return lines, text


def _may_be_named(e: Expr) -> bool:
    """Ints stay in one piece, so that addresses remain sums of multiples."""
    return isinstance(e, Select) or (isinstance(e, Apply) and e.dtype is not DType.INT)


def _is_costly(e: Expr) -> bool:
    return isinstance(e, Apply) and e.op.kind is ops.Kind.FLOAT


def _operand_type(e: Apply) -> DType | None:
    """The type in which the operands meet; None where they are taken as they are."""
    match e.op.kind:
        case ops.Kind.FLOAT | ops.Kind.NUMBER:
            return e.dtype
        case ops.Kind.COMPARE:
            floats = [a.dtype for a in e.args if a.dtype.is_float]
            return None if not floats else DType.F64 if DType.F64 in floats else DType.F32
        case _:
            return None


def _functions(op: ops.Op, kind: str) -> tuple[str, ...]:
    """The functions that an operation's template names."""
    words = op.emit.format(*" " * op.arity, f=kind).replace("(", "( ").split()
    return tuple(w[:-1] for w in words if w.endswith("(") and w[:-1].isidentifier())


_FUNCTIONS = {
    (op.name, kind): _functions(op, kind)
    for op in (
        *ops.FUNCTIONS.values(),
        *ops.INFIX.values(),
        ops.NEG,
        ops.NOT,
        ops.MAX,
        ops.MIN,
        ops.TO_INT,
        ops.UNIFORM,
        ops.QUOTIENT,
    )
    for kind in ("f32", "f64")
}
