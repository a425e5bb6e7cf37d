"""The statements of a nest: loops, local scalars, stores, checks."""

from typing import assert_never

from indexlang.emit.tiles import Tiles
from indexlang.emit.writer import LANG, RUNNING, SCALAR, bare
from indexlang.ir import ops
from indexlang.nest.nodes import (
    Add,
    Around,
    Check,
    Choice,
    For,
    Lanes,
    Let,
    Node,
    Room,
    Row,
    Running,
    Span,
    Store,
    Stream,
    Strip,
    TileLoop,
    Track,
    Turn,
    is_local,
)

_ROW = 1 << 13  # bytes that results are collected in on their way past the caches: not many more than stores can wait


class Statements(Tiles):
    """Writes the body of a worker."""

    def worker(self) -> None:
        """The part `start..stop` of all iterations, each with its indices."""
        for tensor in (*self.nest.reads, *((self.nest.writes,) if self.nest.writes else ())):
            self.tensor(tensor)
        if self.nest.streamed and self.nest.span is not None:
            self._streamed(self.nest.span)
        else:
            self._iterations("start", "stop")
        if self.nest.streamed:
            self.use(LANG, "streams_end")
            self.line("streams_end()")

    def _iterations(self, start: str, stop: str) -> None:
        indices = self.nest.iterations
        position = self.name("index", indices[0].name) if len(indices) == 1 else "n"
        self.line(f"for {position} in range({start}, {stop}):")
        self.depth += 1
        if len(indices) > 1:
            self._split_position()
        self._block(self.nest.body)
        self.depth -= 1

    def _streamed(self, written: Span) -> None:
        """Some iterations at a time: they write to a row that stands for their piece of the result, which is sent on then."""
        tensor, dtype = self.nest.writes, self.nest.dtypes[self.nest.writes]
        room, together = _room(written.size * dtype.size)
        self.use(LANG, "shift", "min2", "stream", f"scratch_{dtype.value}")
        result, row = self.tensor(tensor), self.named(f"scratch_{dtype.value}({room // dtype.size})")
        size = "1" if written.size == 1 else self.number(("size", "span"), written.size, "span")
        first, end = self.fresh(), self.fresh()
        self.line(f"for {first} in range(start, stop, {together}):")
        self.depth += 1
        self.assign(end, f"min2({first} + {together}, stop)")
        place = first if size == "1" else self.named(f"{size} * {first}")
        with self.standing_for(tensor, self.named(f"shift({row}, -{place})")):
            self._iterations(first, end)
        count = f"{end} - {first}" if size == "1" else f"{size} * ({end} - {first})"
        self.line(f"stream({result}, {place}, {row}, {count})")
        self.depth -= 1

    def _split_position(self) -> None:
        """The indices of iteration n, the last one fastest."""
        first, *others = self.nest.iterations
        self.use(SCALAR, "floordiv", "mod")
        rest = "n"
        for k, b in enumerate(reversed(others)):
            extent = self.extent(b.name, b.extent)
            self.line(f"{self.name('index', b.name)} = mod({rest}, {extent})")
            above = self.name("index", first.name) if k == len(others) - 1 else self.fresh()
            self.line(f"{above} = floordiv({rest}, {extent})")
            rest = above

    def _block(self, body: tuple[Node, ...]) -> None:
        self.known.append({})
        for node in body:
            self._node(node)
        self.known.pop()

    def _node(self, node: Node) -> None:
        match node:
            case For():
                self._for(node)
            case Choice():
                self._choice(node)
            case Strip():
                self._strip(node)
            case Around():
                self._around(node)
            case Lanes():
                self._lanes(node)
            case Let(name=name, dtype=dtype, value=value):
                if dtype.is_float and not self.lane:
                    self.single.add(name)
                self.assign(self.name("local", name), self.spread(value, dtype))
            case Row(name=name, dtype=dtype, size=size):
                self.use(LANG, f"scratch_{dtype.value}")
                self.assign(self.name("local", name), f"scratch_{dtype.value}({size * self.lanes})")
            case Room(tensor=tensor, size=size):
                word = f"scratch_{self.nest.dtypes[tensor].value}"
                self.use(LANG, word)
                self.own[tensor] = self.name("own", tensor)
                self.assign(self.own[tensor], f"{word}({size})")
            case Add(name=name, dtype=dtype, fold=fold, term=term):
                target = self.name("local", name)
                self.assign(target, self.folded(fold, target, self.converted(term, dtype)))
            case Running():
                self._running(node)
            case Track():
                self._track(node)
            case Store():
                self.store(node)
            case Turn():
                self._turn(node)
            case Stream():
                self._stream(node)
            case Check():
                self._check(node)
            case TileLoop():
                self.tiles(node)
            case _:
                assert_never(node)

    def _for(self, node: For) -> None:
        start, stop = self.integer(node.start), self.stop(node.index, node.stop)
        bounds = stop if start == "0" else f"{start}, {stop}"
        self.line(f"for {self.name('index', node.index)} in range({bounds}):")
        self.depth += 1
        self._block(node.body)
        self.depth -= 1

    def _choice(self, node: Choice) -> None:
        self.line(f"if {bare(self.value(node.test))}:")
        self.depth += 1
        self._block(node.then)
        self.depth -= 1
        if node.other:
            self.line("else:")
            self.depth += 1
            self._block(node.other)
            self.depth -= 1

    def _strip(self, node: Strip | Lanes) -> None:
        start, stop = self.integer(node.start), self.named(self.stop(node.index, node.stop))
        self.use(LANG, "min2")
        position = self.fresh()
        self.line(f"for {position} in range({start}, {stop}, {node.step}):")
        self.depth += 1
        self.line(f"{self.name('index', node.index)} = min2({position}, {stop} - {node.step})")
        self._block(node.body)
        self.depth -= 1

    def _around(self, node: Around) -> None:
        """One loop for both ranges, so that there is one copy of what is in it."""
        low, high = self.named(self.integer(node.low)), self.integer(node.high)
        position, gap = self.fresh(), self.named(f"{high} - {low}")
        start, stop = self.integer(node.start), self.stop(node.index, node.stop)
        self.line(f"for {position} in range({start}, {stop} - {gap}):")
        self.depth += 1
        self.line(f"{self.name('index', node.index)} = {position} if {position} < {low} else {position} + {gap}")
        self._block(node.body)
        self.depth -= 1

    def _lanes(self, node: Lanes) -> None:
        self.lane, self.lanes, self.beside, self.pieces = node.index, node.lanes, node.beside, node.pieces
        self._strip(node)
        self.lane, self.lanes, self.beside, self.pieces = "", 1, "", 1

    def _running(self, node: Running) -> None:
        word, name, carry = f"running_{node.fold.name}", self.name("local", node.name), self.name("local", node.carry)
        self.use(RUNNING, word, "last_lane")
        self.assign(name, f"{word}({carry}, {bare(self.spread(node.term, node.dtype))})")
        self.assign(carry, f"last_lane({name})")

    def _track(self, node: Track) -> None:
        best, at = self.name("local", node.best), self.name("local", node.at)
        term = self.named(self.value(node.term))
        sign = ">" if node.fold is ops.ARGMAX else "<"
        nan_first = f" or ({term} != {term} and {best} == {best})" if node.term.dtype.is_float else ""
        self.line(f"if {term} {sign} {best}{nan_first}:")
        self.line(f"    {best} = {term}")
        self.line(f"    {at} = {self.name('index', node.index)}")

    def store(self, node: Store) -> None:
        """Write an element: of a tensor, of a row of locals, or a local scalar."""
        if self.lane:
            self.put(node.tensor, node.subscripts, node.value)
            return
        if is_local(node.tensor):
            row, place = self.name("local", node.tensor[1:]), self.integer(node.subscripts[0])
            self.assign(f"{row}[{place}]", self.value(node.value))
            return
        value = self.converted(node.value, self.nest.dtypes[node.tensor])
        address = self.address(node.tensor, node.subscripts)
        if node.fold is None:
            self.assign(f"{self.tensor(node.tensor)}[{address}]", value)
        else:
            place = f"{self.tensor(node.tensor)}[{self.named(address)}]"
            self.assign(place, self.folded(node.fold, place, value))

    def _turn(self, node: Turn) -> None:
        dtype = node.origin.dtype.value
        self.use(LANG, f"turn_{dtype}")
        rows, columns = (self.integer(n) for n in node.count)
        source = (self.tensor(node.origin.tensor), self.address(node.origin.tensor, node.origin.subscripts))
        step = self.number(("step", "turn"), int(node.step), "step")  # pyright: ignore[reportArgumentType]
        parts = (self.name("local", node.row), str(node.side), *source, step, rows, columns)
        self.line(f"turn_{dtype}({', '.join(bare(p) for p in parts)})")

    def _stream(self, node: Stream) -> None:
        self.use(LANG, "stream")
        place = self.address(node.tensor, node.subscripts)
        row, count = self.name("local", node.row), self.integer(node.count)
        self.line(f"stream({self.tensor(node.tensor)}, {place}, {row}, {bare(count)})")

    def _check(self, node: Check) -> None:
        if node.guard is not None:
            self.line(f"if {bare(self.value(node.guard))}:")
            self.depth += 1
            self.known.append({})
        value = self.named(self.value(node.subscript))
        self.use(LANG, "atomic_min")
        self.line(f"if {value} < 0 or {value} >= {self.size(node.extent, 'limit')}:")
        self.line(f"    atomic_min({self.word('fail')}, 0, {self.integer(node.position)})")
        self.line(f"    {self.word('status')}[0] = 1")
        if node.guard is not None:
            self.known.pop()
            self.depth -= 1


def _room(size: int) -> tuple[int, int]:
    """Bytes of a row for iterations that write `size` bytes each, and how many go together: powers of two."""
    room, together = _ROW, 1
    while room < size:
        room *= 2
    while 2 * together * size <= room:
        together *= 2
    return room, together
