"""The loop over the tiles of a contraction: a call of the kernel `tile_RxV_…` for every R rows."""

from dataclasses import dataclass

from indexlang.emit.vectors import Vectors
from indexlang.emit.writer import LANG, SCALAR, TILES, bare
from indexlang.ir.expr import Read
from indexlang.ir.size import Extent, Named
from indexlang.nest.nodes import Rounds, TileLoop


@dataclass(frozen=True, slots=True)
class _Part:
    """The part of a sum that tiles are called for, as names of the kernel; a and w where they are packed."""

    offsets: str
    segments: str
    run: str
    a_shift: str = ""
    a: str = ""
    a_step: str = ""
    w: str = ""
    w_step: str = ""
    start: str = ""  # the row at which the copy of a begins


class Tiles(Vectors):
    """Writes tile loops. Steps that the program fixes are literals: they become part of addresses."""

    def tiles(self, t: TileLoop) -> None:
        """All rows in tiles of R, the last tile overlapping the one before; single rows where there are fewer than R."""
        start, stop = self.named(self.integer(t.start)), self.named(self.stop(t.row, t.stop))
        whole = _Part(self.table(t.offsets), self._step(t.segments, "segments"), self._step(t.run, "terms"))
        if t.rounds is None:
            self._rows(t, start, stop, self._columns(t), whole)
        else:
            self._rounds(t, t.rounds, start, stop, whole)

    def _columns(self, t: TileLoop) -> str:
        """How many columns there are from the tile's first one on."""
        first = self.named(self.integer(t.w.subscripts[-1]))
        return f"{self.extent(t.column, t.columns)} - {first}" if first != "0" else self.extent(t.column, t.columns)

    def _rounds(self, t: TileLoop, rounds: Rounds, start: str, stop: str, whole: _Part) -> None:
        """Each part of the sum by itself, with the rows of a and the columns of w that it needs packed together."""
        kind, width = t.out.dtype.value, t.vectors * t.lanes
        terms = rounds.size * (1 if t.segments == 1 else int(t.run))  # pyright: ignore[reportArgumentType]
        self.use(LANG, "min2", "shift", f"scratch_{kind}")
        w_copy = self.named(f"scratch_{kind}({terms * width})")
        a_copy = self.named(f"scratch_{kind}({terms * rounds.rows})") if rounds.rows else ""
        panel, end = self.named(self.integer(rounds.first)), self.named(self.stop(t.column, rounds.last))
        along = whole.run if t.segments == 1 else whole.segments
        first = self.fresh()
        self.line(f"for {first} in range(0, {along}, {rounds.size}):")
        self.depth += 1
        count = self.named(f"min2({rounds.size}, {along} - {first})")
        a_step, w_step = self._fixed(t.run_steps[0], "a_step"), self._step(t.run_steps[1], "w_step")
        if a_copy:
            self.line(f"{self.name('index', t.row)} = {start}")
            self._copy(
                t, (a_copy, rounds.rows), self._origin(t.a), a_step, self.named(f"{stop} - {start}"), first, count, 0
            )
        self.line(f"for {self.name('index', rounds.at)} in range({panel}, {end}, {width}):")
        self.depth += 1
        columns = self.named(self._columns(t))
        self._copy(
            t, (w_copy, width), self._origin(t.w), w_step, self.named(f"min2({width}, {columns})"), first, count, 1
        )
        one = t.segments == 1
        offsets = whole.offsets if one else self.named(f"shift({whole.offsets}, 2 * {first})")
        segments, run = (whole.segments, count) if one else (count, whole.run)
        a_shift = f"{first} * {a_step}" if one and not a_copy else ""
        part = _Part(offsets, segments, run, a_shift, a_copy, str(rounds.rows or a_step), w_copy, str(width), start)
        self._rows(t, start, stop, columns, part)
        self.depth -= 2

    def _copy(
        self, t: TileLoop, copy: tuple[str, int], origin: str, step: str, taken: str, first: str, count: str, which: int
    ) -> None:
        """One operand's part of a round: for every term the `taken` elements that lie side by side."""
        source, (to, width) = self.named(origin), copy
        if t.segments == 1:
            self._terms(to, width, self.named(f"shift({source}, {first} * {step})"), count, step, taken)
            return
        assert t.rounds is not None
        segment = self.fresh()
        self.line(f"for {segment} in range({count}):")
        self.depth += 1
        place = f"{self.table(t.rounds.places)}[2 * ({first} + {segment}) + {which}]"
        run = self._step(t.run, "terms")
        there = self.named(f"shift({to}, {segment} * {int(t.run) * width})")  # pyright: ignore[reportArgumentType]
        self._terms(there, width, self.named(f"shift({source}, {place})"), run, step, taken)
        self.depth -= 1

    def _terms(self, to: str, width: int, source: str, terms: str, step: str, taken: str) -> None:
        term, c = self.fresh(), self.fresh()
        self.line(f"for {term} in range({terms}):")
        self.line(f"    for {c} in range({taken}):")
        self.line(f"        {to}[{term} * {width} + {c}] = {source}[{term} * {step} + {c}]")

    def _rows(self, t: TileLoop, start: str, stop: str, columns: str, part: _Part) -> None:
        """All rows, for the part of the sum that a table of offsets and a number of segments tell."""
        row = self.name("index", t.row)
        if t.rows == 1:
            self.line(f"for {row} in range({start}, {stop}):")
            self._call(t, 1, columns, part)
            return
        if t.ending or t.rounds:
            self._disjoint(t, start, stop, columns, part)
            return
        if t.short:
            self.line(f"if {stop} - {start} >= {t.rows}:")
            self.depth += 1
        self.use(LANG, "min2")
        position = self.fresh()
        self.line(f"for {position} in range({start}, {stop}, {t.rows}):")
        self.line(f"    {row} = min2({position}, {stop} - {t.rows})")
        self._call(t, t.rows, columns, part)
        if t.short:
            self.depth -= 1
            self.line("else:")
            self.depth += 1
            self.line(f"for {row} in range({start}, {stop}):")
            self._call(t, 1, columns, part)
            self.depth -= 1

    def _disjoint(self, t: TileLoop, start: str, stop: str, columns: str, part: _Part) -> None:
        """Tiles that add may not overlap: the rows that are left get a smaller tile, or one each."""
        row = self.name("index", t.row)
        self.line(f"for {row} in range({start}, {stop} - {t.rows - 1}, {t.rows}):")
        self._call(t, t.rows, columns, part)
        rest = 1 if t.short else t.rest
        if rest:
            self.use(SCALAR, "mod")
            self.line(f"for {row} in range({stop} - mod({stop} - {start}, {t.rows}), {stop}, {rest}):")
            self._call(t, rest, columns, part)

    def _call(self, t: TileLoop, rows: int, columns: str, part: _Part) -> None:
        tile = f"tile_{rows}x{t.vectors}_{t.out.dtype.value}{t.ending}"
        self.use(TILES, tile)
        out, a = self._origin(t.out), self._origin(t.a)
        if part.a:
            a = f"shift({part.a}, {self.name('index', t.row)} - {part.start})"
        elif part.a_shift:
            a = f"shift({a}, {part.a_shift})"
        out_row = self._step(t.row_steps[0], f"{t.out.tensor}_{t.row}")
        a_row, a_step = self._fixed(t.row_steps[1], "a_row"), part.a_step or self._fixed(t.run_steps[0], "a_step")
        w, w_step = part.w or self._origin(t.w), part.w_step or self._step(t.run_steps[1], "w_step")
        parts = (out, out_row, a, a_row, a_step, w, w_step, part.offsets, part.segments, part.run, columns)
        self.depth += 1
        self.line(f"{tile}({', '.join(bare(p) for p in parts)})")
        self.depth -= 1

    def _origin(self, r: Read) -> str:
        self.use(LANG, "shift")
        return f"shift({self.tensor(r.tensor)}, {self.address(r.tensor, r.subscripts)})"

    def _step(self, value: Extent, stem: str) -> str:
        assert isinstance(value, int)
        return self.number(("step", stem), value, stem)

    def _fixed(self, value: Extent, stem: str) -> str:
        return self._step(value, stem) if isinstance(value, Named) else str(value)
