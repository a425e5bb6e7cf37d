"""The loop over the tiles of a contraction: a call of the kernel `tile_RxV_…` for every R rows."""

from indexlang.emit.expressions import Expressions
from indexlang.emit.writer import LANG, TILES, bare
from indexlang.ir.expr import Read
from indexlang.ir.size import Extent, Named
from indexlang.nest.nodes import TileLoop


class Tiles(Expressions):
    """Writes tile loops. Steps that the program fixes are literals: they become part of addresses."""

    def tiles(self, t: TileLoop) -> None:
        """All rows in tiles of R, the last tile overlapping the one before; single rows where there are fewer than R."""
        start, stop = self.named(self.integer(t.start)), self.named(self.stop(t.row, t.stop))
        first = self.named(self.integer(t.w.subscripts[-1]))
        columns = f"{self.extent(t.column, t.columns)} - {first}" if first != "0" else self.extent(t.column, t.columns)
        row = self.name("index", t.row)
        if t.rows == 1:
            self.line(f"for {row} in range({start}, {stop}):")
            self._call(t, 1, columns)
            return
        if t.short:
            self.line(f"if {stop} - {start} >= {t.rows}:")
            self.depth += 1
        self.use(LANG, "min2")
        position = self.fresh()
        self.line(f"for {position} in range({start}, {stop}, {t.rows}):")
        self.line(f"    {row} = min2({position}, {stop} - {t.rows})")
        self._call(t, t.rows, columns)
        if t.short:
            self.depth -= 1
            self.line("else:")
            self.depth += 1
            self.line(f"for {row} in range({start}, {stop}):")
            self._call(t, 1, columns)
            self.depth -= 1

    def _call(self, t: TileLoop, rows: int, columns: str) -> None:
        tile = f"tile_{rows}x{t.vectors}_{t.out.dtype.value}"
        self.use(TILES, tile)
        out, a, w = (self._origin(r) for r in (t.out, t.a, t.w))
        out_row = self._step(t.row_steps[0], f"{t.out.tensor}_{t.row}")
        a_row, a_step = self._fixed(t.row_steps[1], "a_row"), self._fixed(t.run_steps[0], "a_step")
        w_step = self._step(t.run_steps[1], "w_step")
        segments, run = self._step(t.segments, "segments"), self._step(t.run, "terms")
        parts = (out, out_row, a, a_row, a_step, w, w_step, self.table(t.offsets), segments, run, columns)
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
