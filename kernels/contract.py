"""The register-tiled contraction kernel: a tile of a sum of products, held in vector registers all along.

    for r < R, c < columns:
        out[r*out_row + c] = sum over s < segments, t < run of
            a[r*a_row + offsets[2*s] + t*a_step] * w[offsets[2*s+1] + t*w_step + c]

`tile_RxV_dtype` is this function with R rows and V vectors of columns, as generated source may import it:

    from indexlang.kernels.contract import tile_14x2_f32
    tile_14x2_f32(out, out_row, a, a_row, a_step, w, w_step, offsets, segments, run, columns, adds, ahead)

Where `adds` is not 0, the sums are added to what stands in `out`. Tiles of few rows ask for the part of w that is `ahead`
elements further on, so that it is there when it is needed.

shapes  out, a, w: pointers (`lang.pointer_f32` or `pointer_f64`) already at the tile's origin (`lang.shift`); offsets:
        pointer_i64 to `segments` pairs (offset in a, offset in w), in elements; the rest int64, in elements.
        columns >= V*lanes is a full tile; fewer columns: nothing behind them is read or written.
        Give literals where strides are known (`a_step` is mostly 1): they become part of the addresses, and of the
        name of the function that is called (`tile_14x2_f32_a_step_1`), which all kernels with such a call share.
cost    2*R*columns*segments*run flop, near the machine's peak when R*V fills the registers (`choose_tile`)
accuracy  at most 2*BLOCK + segments*run/BLOCK units in the last place of the sum of absolute values; products are
        fused into the sums; NaN and infinity as in the formula; the same order of additions on every run
source  the outer product kernel of Goto & van de Geijn, TOMS 34(3), 2008, without copying the image
"""

import re
from importlib import import_module
from typing import Any

from indexlang.kernels.machine import machine
from indexlang.kernels.tile_ir import ELEMENTS, SETTLED, Tile

_SETTLED = re.compile(rf"_({'|'.join(SETTLED)})_(\d{{1,9}})")
_NAME = re.compile(rf"tile_([1-9]\d?)x([1-9]\d?)_(f32|f64)((?:{_SETTLED.pattern})*)")
_IN_CODE = re.compile(_NAME.pattern.encode())


def parse_tile(name: str) -> Tile | None:
    """The tile that `name` (such as tile_14x2_f32) means, or None."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    settled = tuple((argument, int(value)) for argument, value in _SETTLED.findall(match[4]))
    return Tile(int(match[1]), int(match[2]), match[3], settled)


def tiles_in(object_code: bytes) -> list[Tile]:
    """The tiles whose names stand in object code: all that it calls. (A name may stand inside a longer one.)"""
    names = {match[0].decode() for match in _IN_CODE.finditer(object_code)}
    return [tile for name in sorted(names) if (tile := parse_tile(name))]


def choose_tile(rows: int, columns: int, dtype: str, vectors: int = 0) -> tuple[int, int]:
    """R and V that lose least for an output of `rows` x `columns` (f32 or f64), of which R <= rows.

    rows     how many consecutive rows have a constant stride; the last tile may overlap the one before
    columns  contiguous columns; the last tile is masked
    vectors  V, where it is settled already
    cost     the time of all tiles in cycles a term, as measured (see Note [Cost of a tile]), is made least; of equals
             the tile with more vectors, which reads longer pieces of memory
    """
    lanes = machine().lanes(ELEMENTS[dtype][1])
    if rows <= 1:
        return 1, vectors or _vectors_for_one_row(columns, lanes)
    registers = machine().vector_registers
    fitting = [
        (r, v)
        for v in ((vectors,) if vectors else range(1, 9))
        for r in range(1, min(rows, registers) + 1)
        if r * v + v + 1 <= registers
    ]
    return min(fitting, key=lambda tile: (_cycles(rows, columns, lanes, *tile), -tile[1]))


def _cycles(rows: int, columns: int, lanes: int, r: int, v: int) -> float:
    tiles = -(-rows // r) * -(-columns // (v * lanes))
    return tiles * max(r * v / 2, (r + v) * 0.54, 3.8) * (1 + 0.4 / r + 0.25 / v)


def _vectors_for_one_row(columns: int, lanes: int) -> int:
    """A vector times a matrix is limited by memory: long pieces of each row, but enough tiles for all threads."""
    return next((v for v in (16, 8, 4, 2) if columns >= 15 * v * lanes), 1)


def __getattr__(name: str) -> Any:
    """`tile_RxV_dtype` on first use; the numba side of it is only imported then."""
    tile = parse_tile(name)
    if tile is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    function = import_module("indexlang.kernels.lang").tile_function(tile)
    globals()[name] = function
    return function


# Note [Cost of a tile]
# Measured on a Zen 5 core, everything in the first cache: R x V tiles take max(R*V/2, about (R+V)/2, 4) cycles a term
# (two multiply-adds and two loads a cycle, a latency of four). All tiles with R*V >= 10 and V >= 2 reach 95 to 100 % of
# the peak, so that waste at the borders decides. The last factor is for what comes from a farther cache: each weight once
# per R rows, each element of a once per V vectors. On an Emerald Rapids core, with a in the second cache, 8x3 and 6x4 reach
# 80 % of the peak, 12x2 and 14x2 74 %.
