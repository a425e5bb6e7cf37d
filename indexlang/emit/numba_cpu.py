"""Nest → the Python source of a worker that numba compiles. One function a nest; flat addresses; the user's letters."""

import hashlib
from dataclasses import dataclass
from fractions import Fraction
from math import isinf, isnan
from typing import assert_never

from indexlang.emit.names import Canonical, Namer, Readable
from indexlang.ir import ops
from indexlang.ir.affine import affine
from indexlang.ir.dtypes import DType
from indexlang.ir.expr import Apply, Const, Expr, Index, Read, Reduce, Select, children
from indexlang.ir.size import Extent, Named
from indexlang.nest.nodes import Add, Check, For, Let, Nest, Node, Store, TileLoop, Track, is_local

_POINTERS = {DType.F32: "f32", DType.F64: "f64", DType.INT: "i64", DType.I32: "i32", DType.U8: "u8", DType.BOOL: "bool"}
_LITERAL = 64  # larger integers are arguments, so that one kernel serves many extents
_DEEP = 60  # longer texts are given a name of their own
_RESERVED = frozenset(
    [
        "start",
        "stop",
        "args",
        "n",
        "f32",
        "f64",
        "i64",
        "inf",
        "nan",
        "range",
        "min",
        "max",
        "shift",
        "plus",
        "times",
        "max2",
        "min2",
        "atomic_min",
        "relu",
        "sign",
        "absolute",
        "floordiv",
        "mod",
        "to_int",
        "fail",
        "status",
    ]
)


@dataclass(frozen=True, slots=True)
class Arg:
    """One int64 that a kernel takes: kind is `tensor` (address of `name`), `table` (address), `int` (`value`), `fail` or `status`."""

    kind: str
    name: str = ""
    value: int = 0


@dataclass(frozen=True, slots=True)
class KernelText:
    """A worker's readable source, the key of its structure, its symbol, and what to pass."""

    source: str
    key: str
    symbol: str
    args: tuple[Arg, ...]


def emit(nest: Nest) -> KernelText:
    """The source of a nest. Nests of equal structure get equal keys, whatever their names and extents."""
    canonical = _Emitter(nest, Canonical(), "kernel", "")
    key = hashlib.sha256(canonical.source().encode()).hexdigest()
    symbol = f"kernel_{key[:16]}"
    readable = _Emitter(nest, Readable(_RESERVED), symbol, f"# {_one_line(nest.title)}\n# schedule: {nest.schedule}\n")
    source = readable.source()
    return KernelText(source, key, symbol, tuple(readable.args))


def _one_line(text: str) -> str:
    return text.replace("\n", " ").encode("ascii", "backslashreplace").decode()[:500]


class _Emitter:
    def __init__(self, nest: Nest, namer: Namer, symbol: str, heading: str) -> None:
        self.nest, self.name, self.symbol, self.heading = nest, namer, symbol, heading
        self.args: list[Arg] = []
        self.arg_names: dict[Arg | tuple[str, ...], str] = {}
        self.head: list[str] = []
        self.lines: list[str] = []
        self.depth = 1
        self.imports: dict[str, set[str]] = {}
        self.known: list[dict[Expr, str]] = [{}]
        self.temps = 0
        self.counts: dict[Expr, int] = {}

    # -- the whole

    def source(self) -> str:
        for tensor in (*self.nest.reads, *((self.nest.writes,) if self.nest.writes else ())):
            self._tensor(tensor)
        self._iterations()
        body = "\n".join([*self.head, *self.lines])
        imports = "".join(
            f"from {module} import {', '.join(sorted(names))}\n" for module, names in sorted(self.imports.items())
        )
        return f"{self.heading}{imports}\n\ndef {self.symbol}(start, stop, args):\n{body}\n"

    def _iterations(self) -> None:
        indices = self.nest.iterations
        names = [self.name("index", b.name) for b in indices]
        if len(indices) == 1:
            self._line(f"for {names[0]} in range(start, stop):")
            self.depth += 1
        else:
            self._line("for n in range(start, stop):")
            self.depth += 1
            rest = "n"
            for k in range(len(indices) - 1, 0, -1):
                extent = self._extent(indices[k].extent, ("extent", indices[k].name))
                self._use("indexlang.kernels.scalar", "floordiv", "mod")
                self._line(f"{names[k]} = mod({rest}, {extent})")
                if k > 1:
                    self._line(f"m{k} = floordiv({rest}, {extent})")
                    rest = f"m{k}"
                else:
                    self._line(f"{names[0]} = floordiv({rest}, {extent})")
        self._block(self.nest.body)
        self.depth -= 1

    def _block(self, body: tuple[Node, ...]) -> None:
        self.known.append({})
        for node in body:
            self._node(node)
        self.known.pop()

    def _node(self, node: Node) -> None:
        match node:
            case For():
                self._for(node)
            case Let(name=name, dtype=dtype, value=value):
                self._line(f"{self.name('local', name)} = {self._as(value, dtype)}")
            case Add(name=name, dtype=dtype, fold=fold, term=term):
                target = self.name("local", name)
                self._line(f"{target} = {self._folded(fold, target, self._as(term, dtype))}")
            case Track():
                self._track(node)
            case Store():
                self._store(node)
            case Check():
                self._check(node)
            case TileLoop():
                self._tiles(node)
            case _:
                assert_never(node)

    def _for(self, node: For) -> None:
        start, stop = self._index_text(node.start), self._index_text(node.stop, ("extent", node.index))
        bounds = stop if start == "0" else f"{start}, {stop}"
        self._line(f"for {self.name('index', node.index)} in range({bounds}):")
        self.depth += 1
        self._block(node.body)
        self.depth -= 1

    def _folded(self, fold: ops.Fold, left: str, right: str) -> str:
        match fold:
            case ops.ANY:
                return f"{left} or {right}"
            case ops.ALL:
                return f"{left} and {right}"
            case _:
                text = fold.emit.format(left, right)
                self._use("indexlang.kernels.lang", text.split("(")[0])
                return text

    def _track(self, node: Track) -> None:
        best, at = self.name("local", node.best), self.name("local", node.at)
        term = self._named(self._text(node.term))
        sign = ">" if node.fold is ops.ARGMAX else "<"
        nan_first = f" or ({term} != {term} and {best} == {best})" if node.term.dtype.is_float else ""
        self._line(f"if {term} {sign} {best}{nan_first}:")
        self._line(f"    {best} = {term}")
        self._line(f"    {at} = {self.name('index', node.index)}")

    def _store(self, node: Store) -> None:
        dtype = self.nest.dtypes[node.tensor]
        place = f"{self._tensor(node.tensor)}[{self._address(node.tensor, node.subscripts)}]"
        value = self._as(node.value, dtype)
        if node.fold is not None:
            place = f"{self._tensor(node.tensor)}[{self._named(self._address(node.tensor, node.subscripts))}]"
            value = self._folded(node.fold, place, value)
        self._line(f"{place} = {value}")

    def _check(self, node: Check) -> None:
        if node.guard is not None:
            self._line(f"if {self._text(node.guard)}:")
            self.depth += 1
            self.known.append({})
        value = self._named(self._text(node.subscript))
        fail, status = self._argument(Arg("fail"), "fail"), self._argument(Arg("status"), "status")
        self._use("indexlang.kernels.lang", "atomic_min", "pointer_i64")
        self._line(f"if {value} < 0 or {value} >= {self._extent(node.extent, ('limit',))}:")
        self._line(f"    atomic_min(pointer_i64({fail}), 0, {self._index_text(node.position)})")
        self._line(f"    pointer_i64({status})[0] = 1")
        if node.guard is not None:
            self.known.pop()
            self.depth -= 1

    # -- tiles

    def _tiles(self, t: TileLoop) -> None:
        kind = t.out.dtype.value
        start, stop = self._named(self._index_text(t.start)), self._named(self._index_text(t.stop))
        columns = self._extent(t.columns, ("columns",))
        first = self._named(self._index_text(self._column_of(t)))
        row = self.name("index", t.row)
        if t.rows == 1:
            self._line(f"for {row} in range({start}, {stop}):")
            self._tile_call(t, 1, kind, f"{columns} - {first}")
            return
        if t.short:
            self._line(f"if {stop} - {start} >= {t.rows}:")
            self.depth += 1
        self._line(f"for first_row in range({start}, {stop}, {t.rows}):")
        self._line(f"    {row} = min2(first_row, {stop} - {t.rows})")
        self._tile_call(t, t.rows, kind, f"{columns} - {first}")
        if t.short:
            self.depth -= 1
            self._line("else:")
            self.depth += 1
            self._line(f"for {row} in range({start}, {stop}):")
            self._tile_call(t, 1, kind, f"{columns} - {first}")
            self.depth -= 1

    def _column_of(self, t: TileLoop) -> Expr:
        return t.w.subscripts[-1]

    def _tile_call(self, t: TileLoop, rows: int, kind: str, columns: str) -> None:
        self.depth += 1
        tile = f"tile_{rows}x{t.vectors}_{kind}"
        self._use("indexlang.kernels.contract", tile)
        self._use("indexlang.kernels.lang", "shift", "pointer_i64", "min2")
        origin = {
            part: f"shift({self._tensor(r.tensor)}, {self._address(r.tensor, r.subscripts)})"
            for part, r in (("o", t.out), ("a", t.a), ("w", t.w))
        }
        offsets = f"pointer_i64({self._argument(Arg('table', t.offsets), 'offsets')})"
        out_row, a_row = (self._step(s, name) for s, name in zip(t.row_steps, ("out_row", "a_row"), strict=True))
        a_step, w_step = (self._step(s, name) for s, name in zip(t.run_steps, ("a_step", "w_step"), strict=True))
        segments, run = self._extent(t.segments, ("segments",)), self._extent(t.run, ("run",))
        self._line(
            f"{tile}({origin['o']}, {out_row}, {origin['a']}, {a_row}, {a_step}, {origin['w']}, {w_step}, {offsets}, {segments}, {run}, {columns})"
        )
        self.depth -= 1

    def _step(self, step: Extent, name: str) -> str:
        """Steps that the program fixes are literals: they become part of addresses."""
        if name in ("a_row", "a_step") and not isinstance(step, Named):
            return str(step)
        return self._extent(step, (name,))

    # -- expressions

    def _text(self, e: Expr) -> str:
        """The text of an expression; what is long or needed twice gets a name first."""
        for layer in self.known:
            if e in layer:
                return layer[e]
        if (isinstance(e, Apply | Select) and e.dtype is not DType.INT) or isinstance(e, Select):
            text = self._compound(e)
            if len(text) > _DEEP or isinstance(e, Select) or self._is_costly(e):
                text = self._named(text)
                self.known[-1][e] = text
            return text
        return self._compound(e)

    def _is_costly(self, e: Expr) -> bool:
        return isinstance(e, Apply) and e.op.kind is ops.Kind.FLOAT

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

    def _read(self, e: Read) -> str:
        if is_local(e):
            return self.name("local", e.tensor[1:])
        text = f"{self._tensor(e.tensor)}[{self._address(e.tensor, e.subscripts)}]"
        stored = self.nest.dtypes[e.tensor]
        if stored in (DType.I32, DType.U8):
            self._use("numpy", "int64 as i64")
            return f"i64({text})"
        if stored is not e.dtype and stored.is_float:
            self._use("numpy", "float64 as f64")
            return f"f64({text})"
        return text

    def _apply(self, e: Apply) -> str:
        form = affine(e) if e.dtype is DType.INT else None
        if form is not None and form.is_plain and form.is_concrete:
            return self._affine_text(e)
        operand = self._operand_type(e)
        if e.op in (ops.AND, ops.OR):
            return self._short_circuit(e)
        texts = [self._as(a, operand) if operand else self._text(a) for a in e.args]
        letter = "f64" if e.dtype is DType.F64 else "f32"
        text = e.op.emit.format(*texts, f=letter)
        for word in _called(text):
            self._use_function(word)
        return text

    def _short_circuit(self, e: Apply) -> str:
        """The second operand may only be computed under the first."""
        left = self._text(e.args[0])
        mark = len(self.lines)
        self.known.append({})
        self.depth += 1
        right = self._text(e.args[1])
        self.known.pop()
        self.depth -= 1
        if len(self.lines) == mark:
            return e.op.emit.format(left, right)
        inner = self.lines[mark:]
        del self.lines[mark:]
        name = self._named(left)
        fresh = self._fresh()
        self._line(f"{fresh} = {name}")
        self._line(f"if {name}:" if e.op is ops.AND else f"if not {name}:")
        self.lines.extend(inner)
        self._line(f"    {fresh} = {right}")
        return fresh

    def _operand_type(self, e: Apply) -> DType | None:
        """The type in which the operands meet; None where they are taken as they are."""
        match e.op.kind:
            case ops.Kind.FLOAT:
                return e.dtype
            case ops.Kind.NUMBER:
                return e.dtype
            case ops.Kind.COMPARE:
                kinds = [a.dtype for a in e.args]
                floats = [k for k in kinds if k.is_float]
                if not floats:
                    return None
                return DType.F64 if DType.F64 in floats else DType.F32
            case _:
                return None

    def _select(self, e: Select) -> str:
        cond = self._text(e.cond)
        parts: list[tuple[list[str], str]] = []
        for branch in (e.then, e.other):
            mark = len(self.lines)
            self.known.append({})
            self.depth += 1
            text = self._as(branch, e.dtype)
            self.depth -= 1
            self.known.pop()
            parts.append((self.lines[mark:], text))
            del self.lines[mark:]
        if not parts[0][0] and not parts[1][0]:
            return f"({parts[0][1]} if {cond} else {parts[1][1]})"
        fresh = self._fresh()
        self._line(f"if {cond}:")
        self.lines.extend(parts[0][0])
        self._line(f"    {fresh} = {parts[0][1]}")
        self._line("else:")
        self.lines.extend(parts[1][0])
        self._line(f"    {fresh} = {parts[1][1]}")
        return fresh

    def _as(self, e: Expr, dtype: DType) -> str:
        """The text of `e` converted to a storage or value type."""
        if isinstance(e, Const) and dtype.is_float:
            return self._float_constant(e.value, dtype)
        text = self._text(e)
        if e.dtype is dtype or (e.dtype is DType.INT and dtype.is_int):
            return text
        if dtype is DType.BOOL:
            return text
        if e.dtype is DType.BOOL:
            text = f"(1 if {text} else 0)"
            if dtype.is_int:
                return text
        kind = "i64" if dtype.is_int else dtype.value
        self._use("numpy", {"f32": "float32 as f32", "f64": "float64 as f64", "i64": "int64 as i64"}[kind])
        return f"{kind}({text})"

    def _constant(self, e: Const) -> str:
        if e.dtype.is_float:
            return self._float_constant(e.value, e.dtype)
        if isinstance(e.value, bool):
            return "True" if e.value else "False"
        assert isinstance(e.value, int)
        return self._extent(e.value, ("const", str(len(self.args))))

    def _float_constant(self, value: object, dtype: DType) -> str:
        kind = "f64" if dtype is DType.F64 else "f32"
        self._use("numpy", f"float{kind[1:]} as {kind}")
        if isinstance(value, Named):
            return f"{kind}({self._extent(value, ('const', str(len(self.args))))})"
        number = float(value) if isinstance(value, int | float | Fraction) else float("nan")
        if isnan(number) or isinf(number):
            self._use("math", "nan" if isnan(number) else "inf")
            return f"{kind}({'nan' if isnan(number) else 'inf' if number > 0 else '-inf'})"
        return f"{kind}({number!r})"

    # -- integers and addresses

    def _address(self, tensor: str, subscripts: tuple[Expr, ...]) -> str:
        """The flat position of an access: the sum of subscript times stride."""
        strides = self.nest.strides[tensor]
        parts: list[str] = []
        for axis, s in enumerate(subscripts):
            text = self._index_text(s)
            if text == "0":
                continue
            if axis == len(subscripts) - 1:
                parts.append(text)
            else:
                stride = self._extent(strides[axis], ("stride", tensor, str(axis)))
                parts.append(f"{_factor(text)} * {stride}" if stride != "1" else text)
        return " + ".join(parts) or "0"

    def _index_text(self, e: Expr, hint: tuple[str, ...] = ()) -> str:
        if isinstance(e, Const) and hint and isinstance(e.value, int):
            return self._extent(e.value, hint)
        form = affine(e)
        if form is not None and form.is_plain and form.is_concrete:
            return self._affine_text(e)
        return self._text(e)

    def _affine_text(self, e: Expr) -> str:
        """`2 * x + dx - 1`."""
        form = affine(e)
        assert form is not None
        text = ""
        for v, c in form.terms:
            assert isinstance(v, str)
            assert isinstance(c, int)
            name = self.name("index", v)
            size = (
                self._extent(abs(c) if not isinstance(c, Named) else c, ("factor", str(len(self.args))))
                if abs(c) != 1
                else ""
            )
            term = f"{size} * {name}" if size else name
            negative = c < 0 and not isinstance(c, Named)
            text += f" {'-' if negative else '+'} {term}" if text else f"{'-' if negative else ''}{term}"
        constant = form.constant
        assert isinstance(constant, int)
        if constant or not text:
            size = self._extent(
                abs(constant) if not isinstance(constant, Named) else constant, ("const", str(len(self.args)))
            )
            negative = constant < 0 and not isinstance(constant, Named)
            text = f"{text} {'-' if negative else '+'} {size}" if text else f"{'-' if negative else ''}{size}"
        return text

    def _extent(self, value: Extent, hint: tuple[str, ...]) -> str:
        """An integer: a literal if it is small and belongs to the program, else an argument."""
        assert isinstance(value, int)
        if (
            not isinstance(value, Named)
            and abs(value) <= _LITERAL
            and hint[0] not in ("extent", "stride", "columns", "run", "segments", "w_step", "out_row")
        ):
            return str(int(value))
        if hint in self.arg_names and self.args[self._position(hint)].value == value:
            return self.arg_names[hint]
        return self._argument(Arg("int", value=int(value)), "_".join(hint), hint)

    def _position(self, hint: tuple[str, ...]) -> int:
        return self._positions[hint]

    @property
    def _positions(self) -> dict[tuple[str, ...], int]:
        found = self.__dict__.setdefault("_where", {})
        return found

    def _argument(self, arg: Arg, stem: str, hint: tuple[str, ...] | None = None) -> str:
        key = hint or (arg.kind, arg.name)
        if hint is None and key in self.arg_names:
            return self.arg_names[key]
        name = self.name("arg", f"{stem}~{len(self.args)}" if key in self.arg_names else stem)
        self.arg_names[key] = name
        self._positions[key] = len(self.args)
        self.head.append(f"    {name} = args[{len(self.args)}]")
        self.args.append(arg)
        return name

    def _tensor(self, tensor: str) -> str:
        key = ("tensor", tensor)
        if key in self.arg_names:
            return self.arg_names[key]
        name = self.name("tensor", tensor)
        pointer = f"pointer_{_POINTERS[self.nest.dtypes[tensor]]}"
        self._use("indexlang.kernels.lang", pointer)
        self.head.append(f"    {name} = {pointer}(args[{len(self.args)}])")
        self.arg_names[key] = name
        self.args.append(Arg("tensor", tensor))
        return name

    # -- lines

    def _line(self, text: str) -> None:
        self.lines.append("    " * self.depth + text)

    def _fresh(self) -> str:
        self.temps += 1
        return self.name("temp", f"u{self.temps}")

    def _named(self, text: str) -> str:
        """`text` as a name, so that it is computed once."""
        if text.isidentifier() or text.isdigit():
            return text
        fresh = self._fresh()
        self._line(f"{fresh} = {text}")
        return fresh

    def _use(self, module: str, *names: str) -> None:
        self.imports.setdefault(module, set()).update(names)

    def _use_function(self, word: str) -> None:
        if word in ("plus", "times", "max2", "min2"):
            self._use("indexlang.kernels.lang", word)
        elif word in ("f32", "f64"):
            self._use("numpy", f"float{word[1:]} as {word}")
        else:
            self._use("indexlang.kernels.scalar", word)


def _called(text: str) -> list[str]:
    """The functions an operation's template names."""
    out: list[str] = []
    word = ""
    for c in text:
        if c.isalnum() or c == "_":
            word += c
        else:
            if c == "(" and word and not word[0].isdigit():
                out.append(word)
            word = ""
    return [w for w in out if w in _TEMPLATE_WORDS]


_TEMPLATE_WORDS = frozenset(
    w for op in (*ops.FUNCTIONS.values(), ops.MAX, ops.MIN, ops.FLOORDIV, ops.MOD, ops.POW, ops.TO_INT, ops.UNIFORM)
    for kind in ("f32", "f64") for w in op.emit.format("", "", "", f=kind).replace("(", " ").replace(")", " ").split() if w.isidentifier()
)  # fmt: skip


def _factor(text: str) -> str:
    return text if text.isidentifier() or text.isdigit() else f"({text})"


__all__ = ["Arg", "KernelText", "children", "emit"]
