"""The loop over the tiles of a contraction: a call of the kernel `tile_RxV_…` for every R rows."""

from abc import abstractmethod
from dataclasses import dataclass

from indexlang.emit.vectors import Vectors
from indexlang.emit.writer import LANG, SCALAR, TILES, bare
from indexlang.ir.expr import Read
from indexlang.ir.size import Extent, Named
from indexlang.nest.nodes import Aisle, Rounds, Store, TileLoop

_TERMS_AHEAD = 8  # of w, asked for before they are needed where they come from afar


@dataclass(frozen=True, slots=True)
class _Part:
    """The part of a sum that tiles are called for, as names of the kernel; a and w where they are packed.

    adds   whether the part is added to what stands there: a number that is not 0
    whole  a condition under which it is the last part; "" where it always is
    ahead  how far behind what is needed now stands what is needed soon
    """

    offsets: str
    segments: str
    run: str
    adds: str = "0"
    whole: str = ""
    ahead: str = ""
    a_shift: str = ""
    a: str = ""
    a_step: str = ""
    w: str = ""
    w_step: str = ""
    start: str = ""  # the row at which the copy of a begins


@dataclass(frozen=True, slots=True)
class _Copy:
    """Where one operand's part of a round is copied to.

    taken  how many elements each term has; `step` apart in the operand
    width  of a block, which has `terms` terms; terms 0: there is one block only
    which  0 for a, 1 for w, in the table of places
    """

    to: str
    width: int
    taken: str
    step: str
    which: int
    terms: int = 0


class Tiles(Vectors):
    """Writes tile loops. Steps of 0 and 1 are literals; others would give each extent a kernel of its own, for nothing."""

    def tiles(self, t: TileLoop) -> None:
        """All rows in tiles of R, the last tile overlapping the one before; single rows where there are fewer than R."""
        start, stop = self.named(self.integer(t.start)), self.named(self.stop(t.row, t.stop))
        adds = "1" if t.adds else "0"
        whole = _Part(self.table(t.offsets), self._step(t.segments, "segments"), self._step(t.run, "terms"), adds)
        if t.rounds is None:
            self._rows(t, start, stop, self._columns(t), whole)
        else:
            self._rounds(t, t.rounds, start, stop, whole)

    def _columns(self, t: TileLoop) -> str:
        """How many columns there are from the tile's first one on."""
        first = self.named(self.integer(t.first))
        return f"{self.extent(t.column, t.columns)} - {first}" if first != "0" else self.extent(t.column, t.columns)

    def _rounds(self, t: TileLoop, rounds: Rounds, start: str, stop: str, whole: _Part) -> None:
        """Each part of the sum by itself, with the rows of a and the columns of w that it needs packed together."""
        width = t.vectors * t.lanes
        self.use(LANG, "min2", "shift")
        terms = rounds.size * (1 if t.segments == 1 else int(t.run))  # pyright: ignore[reportArgumentType]
        w_copy = self._scratch(t, terms * rounds.panel) if rounds.width else ""
        a_copy = self._scratch(t, terms * rounds.rows) if rounds.rows else ""
        panel, end = self.named(self.integer(rounds.first)), self.named(self.stop(t.column, rounds.last))
        along = whole.run if t.segments == 1 else whole.segments
        first = self.fresh()
        self.line(f"for {first} in range(0, {along}, {rounds.size}):")
        self.depth += 1
        count = self.named(f"min2({rounds.size}, {along} - {first})")
        a_step = self._fixed(t.run_steps[0], "a_step")
        w_step = str(t.run_steps[1]) if t.in_panels else self._step(t.run_steps[1], "w_step")
        if a_copy:
            self.line(f"{self.name('index', t.row)} = {start}")
            taken = self.named(f"{stop} - {start}")
            self._copy(t, _Copy(a_copy, rounds.rows, taken, a_step, 0), self._origin(t.a), first, count)
        if w_copy:
            self.line(f"{self.name('index', rounds.at)} = {panel}")
            taken = self.named(f"{end} - {panel}")
            self._copy(t, _Copy(w_copy, width, taken, w_step, 1, terms), self._origin(t.w), first, count)
        self.line(f"for {self.name('index', rounds.at)} in range({panel}, {end}, {width}):")
        self.depth += 1
        columns = self.named(self._columns(t))
        one = t.segments == 1
        offsets = whole.offsets if one else self.named(f"shift({whole.offsets}, 2 * {first})")
        segments, run = (whole.segments, count) if one else (count, whole.run)
        a_shift = f"{first} * {a_step}" if one and not a_copy else ""
        if w_copy:
            w = self.named(f"shift({w_copy}, {terms} * ({self.name('index', rounds.at)} - {panel}))")
        else:
            w = self.named(f"shift({self._origin(t.w)}, {first} * {w_step})" if one else self._origin(t.w))
        w_step = str(width) if w_copy else w_step
        adds = whole.adds if t.adds else first
        part = _Part(
            offsets, segments, run, adds, f"{first} + {rounds.size} >= {along}", str(width),
            a_shift, a_copy, str(rounds.rows or a_step), w, w_step, start,
        )  # fmt: skip
        self._aisles(t, rounds.aisle, start, stop, columns, part)
        self.depth -= 2

    def _scratch(self, t: TileLoop, size: int) -> str:
        kind = f"scratch_{t.out.dtype.value}"
        self.use(LANG, kind)
        return self.named(f"{kind}({size})")

    def _aisles(self, t: TileLoop, aisle: Aisle | None, start: str, stop: str, columns: str, part: _Part) -> None:
        if aisle is None:
            self._rows(t, start, stop, columns, part)
            return
        first, end = self.integer(aisle.start), self.stop(aisle.index, aisle.stop)
        self.line(f"for {self.name('index', aisle.index)} in range({first}, {end}):")
        self.depth += 1
        self._rows(t, start, stop, columns, part)
        self.depth -= 1

    def _copy(self, t: TileLoop, copy: _Copy, origin: str, first: str, count: str) -> None:
        """One operand's part of a round: for every term the elements that lie side by side."""
        source, to, step = self.named(origin), copy.to, copy.step
        if t.segments == 1:
            self._terms(copy, to, self.named(f"shift({source}, {first} * {step})"), count)
            return
        assert t.rounds is not None
        segment = self.fresh()
        self.line(f"for {segment} in range({count}):")
        self.depth += 1
        place = f"{self.table(t.rounds.places)}[2 * ({first} + {segment}) + {copy.which}]"
        run = self._step(t.run, "terms")
        there = self.named(f"shift({to}, {segment} * {int(t.run) * copy.width})")  # pyright: ignore[reportArgumentType]
        self._terms(copy, there, self.named(f"shift({source}, {place})"), run)
        self.depth -= 1

    def _terms(self, copy: _Copy, to: str, source: str, terms: str) -> None:
        """The elements of each term, in blocks of `width` that have all their terms together."""
        term, c, width, taken = self.fresh(), self.fresh(), copy.width, copy.taken
        if not copy.terms:
            self.line(f"for {term} in range({terms}):")
            self.line(f"    for {c} in range({taken}):")
            self.line(f"        {to}[{term} * {width} + {c}] = {source}[{term} * {copy.step} + {c}]")
            return
        self.use(SCALAR, "mod")
        block, whole = self.fresh(), self.named(f"{taken} - mod({taken}, {width})")
        self.line(f"for {term} in range({terms}):")
        self.line(f"    for {block} in range(0, {whole}, {width}):")
        self.line(f"        for {c} in range({width}):")
        place = f"{source}[{term} * {copy.step} + {block} + {c}]"
        self.line(f"            {to}[{copy.terms} * {block} + {term} * {width} + {c}] = {place}")
        self.line(f"    for {c} in range({taken} - {whole}):")
        place = f"{source}[{term} * {copy.step} + {whole} + {c}]"
        self.line(f"        {to}[{copy.terms} * {whole} + {term} * {width} + {c}] = {place}")

    def _rows(self, t: TileLoop, start: str, stop: str, columns: str, part: _Part) -> None:
        """All rows, for the part of the sum that a table of offsets and a number of segments tell."""
        if t.rows == 1:
            self._each(t, 1, f"{start}, {stop}", columns, part)
            return
        if t.adds or t.rounds:
            self._disjoint(t, start, stop, columns, part)
            return
        if t.short:
            self.line(f"if {stop} - {start} >= {t.rows}:")
            self.depth += 1
        self.use(LANG, "min2")
        self._each(t, t.rows, f"{start}, {stop}, {t.rows}", columns, part, f"{stop} - {t.rows}")
        if t.short:
            self.depth -= 1
            self.line("else:")
            self.depth += 1
            self._each(t, 1, f"{start}, {stop}", columns, part)
            self.depth -= 1

    def _disjoint(self, t: TileLoop, start: str, stop: str, columns: str, part: _Part) -> None:
        """Tiles that add may not overlap: the rows that are left get a smaller tile, or one each."""
        self._each(t, t.rows, f"{start}, {stop} - {t.rows - 1}, {t.rows}", columns, part)
        rest = 1 if t.short else t.rest
        if rest:
            self.use(SCALAR, "mod")
            self._each(t, rest, f"{stop} - mod({stop} - {start}, {t.rows}), {stop}, {rest}", columns, part)

    def _each(self, t: TileLoop, rows: int, places: str, columns: str, part: _Part, most: str = "") -> None:
        """A tile of `rows` rows at each of `places`, or at `most` where that is less, and what follows its sum."""
        row, position = self.name("index", t.row), self.fresh()
        self.line(f"for {position} in range({places}):")
        self.depth += 1
        self.line(f"{row} = min2({position}, {most})" if most else f"{row} = {position}")
        self._call(t, rows, columns, part)
        if t.finish is not None:
            begin = self.named(f"min2({position}, {most})") if most else position
            self._finish(t, t.finish, begin, rows, columns, part.whole)
        self.depth -= 1

    def _finish(self, t: TileLoop, finish: Store, begin: str, rows: int, columns: str, whole: str) -> None:
        """`finish` for each element of a tile. Whole tiles get loops of a known length, which become a few vectors."""
        width, mark = t.vectors * t.lanes, self.depth
        if whole:
            self.line(f"if {whole}:")
            self.depth += 1
        first = self.named(self.integer(t.first))
        for condition, number in ((f"if {columns} >= {width}:", str(width)), ("else:", columns)):
            self.line(condition)
            self.depth += 1
            self.line(f"for {self.name('index', t.row)} in range({begin}, {begin} + {rows}):")
            self.depth += 1
            c = self.fresh()
            self.line(f"for {c} in range({number}):")
            self.depth += 1
            self.line(f"{self.name('index', t.column)} = {first} + {c}")
            self.known.append({})
            self.store(finish)
            self.known.pop()
            self.depth -= 3
        self.depth = mark

    @abstractmethod
    def store(self, node: Store) -> None:
        """Write one element."""

    def _call(self, t: TileLoop, rows: int, columns: str, part: _Part) -> None:
        tile = f"tile_{rows}x{t.vectors}_{t.out.dtype.value}"
        self.use(TILES, tile)
        out, a = self._origin(t.out), self._origin(t.a)
        if part.a:
            a = f"shift({part.a}, {self.name('index', t.row)} - {part.start})"
        elif part.a_shift:
            a = f"shift({a}, {part.a_shift})"
        out_row = self._step(t.row_steps[0], f"{t.out.tensor}_{t.row}")
        a_row, a_step = self._fixed(t.row_steps[1], "a_row"), part.a_step or self._fixed(t.run_steps[0], "a_step")
        w, w_step = part.w or self._origin(t.w), part.w_step or self._step(t.run_steps[1], "w_step")
        ahead = part.ahead or f"{_TERMS_AHEAD} * {w_step}"
        sums = (part.offsets, part.segments, part.run, columns, part.adds, ahead)
        parts = (out, out_row, a, a_row, a_step, w, w_step, *sums)
        self.line(f"{tile}({', '.join(bare(p) for p in parts)})")

    def _origin(self, r: Read) -> str:
        self.use(LANG, "shift")
        return f"shift({self.tensor(r.tensor)}, {self.address(r.tensor, r.subscripts)})"

    def _step(self, value: Extent, stem: str) -> str:
        assert isinstance(value, int)
        return self.number(("step", stem), value, stem)

    def _fixed(self, value: Extent, stem: str) -> str:
        literal = not isinstance(value, Named) and value in (0, 1)
        return str(value) if literal else self._step(value, stem)
