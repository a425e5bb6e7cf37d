"""The contraction tile against its formula in float64; nothing outside the tile is read or written."""

import ctypes
import os
import subprocess
import sys
from functools import cache
from itertools import product

import numpy as np
import pytest

from indexlang.kernels.contract import choose_tile, parse_tile, tiles_in
from indexlang.kernels.loader import Cache, load
from indexlang.kernels.machine import machine
from indexlang.kernels.tile_ir import Tile
from indexlang.kernels.toolchain import compile_worker

SOURCE = """
from indexlang.kernels.contract import {tile}
from indexlang.kernels.lang import pointer_{dtype}, pointer_i64, shift
def worker_{tile}(start, stop, args):
    out = shift(pointer_{dtype}(args[0]), 1)
    a = pointer_{dtype}(args[1])
    w = pointer_{dtype}(args[2])
    offsets = pointer_i64(args[3])
    {tile}(out, args[4], a, args[5], args[6], w, args[7], offsets, args[8], args[9], args[10], args[11], args[7])
"""


@cache
def worker(tile: str, dtype: str):
    name = f"worker_{tile}"
    code = compile_worker(SOURCE.format(tile=tile, dtype=dtype), "<test>", name)
    return ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p)(load(code, name))


def run(
    tile: str, columns: int, segments: int, length: int, a_row: int, a_step: int, special: bool = False, adds: int = 0
) -> None:
    """Compute one tile on random numbers, with NaN wherever nothing may be read, and compare with the formula."""
    parsed = parse_tile(tile)
    assert parsed is not None
    rows, kind = parsed.rows, {"f32": np.float32, "f64": np.float64}[parsed.dtype]
    random = np.random.default_rng(columns + segments)
    w_step, out_row = columns + 2, columns + 3
    reach = (rows - 1) * a_row + max(length - 1, 0) * a_step + 1
    a = np.full(max(segments, 1) * reach + 9, np.nan, kind)
    w = np.full(max(segments, 1) * length * w_step + 9, np.nan, kind)
    out = np.full(rows * out_row + 2, 7, kind)
    offsets = np.array(
        [[s * reach, (segments - 1 - s) * length * w_step] for s in range(segments)] or [[0, 0]], np.int64
    )
    expected = np.zeros((rows, columns))
    size = np.zeros((rows, columns))
    for s in range(segments):
        at_a = offsets[s, 0] + np.arange(rows)[:, None] * a_row + np.arange(length) * a_step
        at_w = offsets[s, 1] + np.arange(length)[:, None] * w_step + np.arange(columns)
        a[at_a] = random.standard_normal(at_a.shape)
        w[at_w] = random.standard_normal(at_w.shape)
        if special and s == 0:
            a[at_a[0, 0]], a[at_a[-1, -1]] = np.inf, np.nan
            w[at_w[0, -1]] = 0
    with np.errstate(invalid="ignore"):
        for s in range(segments):
            at_a = offsets[s, 0] + np.arange(rows)[:, None] * a_row + np.arange(length) * a_step
            at_w = offsets[s, 1] + np.arange(length)[:, None] * w_step + np.arange(columns)
            x, y = a[at_a].astype(np.float64), w[at_w].astype(np.float64)
            expected += np.einsum("rt,tc->rc", x, y)
            size += np.einsum("rt,tc->rc", np.abs(x), np.abs(y))
    first = 7 if adds else 0
    numbers = [out.ctypes.data, a.ctypes.data, w.ctypes.data, offsets.ctypes.data, out_row, a_row, a_step, w_step]
    args = np.array([*numbers, segments, length, columns, adds], np.int64)
    worker(tile, parsed.dtype)(0, 1, args.ctypes.data)
    assert out[0] == 7
    got = out[1 : 1 + rows * out_row].reshape(rows, out_row)
    assert np.all(got[:, columns:] == 7)
    with np.errstate(invalid="ignore"):
        error = np.abs(got[:, :columns] - (expected + first))
        bound = np.finfo(kind).eps * (1100 + segments * length / 512) * (size + first) / 16
    finite = np.isfinite(expected)
    assert np.array_equal(np.isnan(expected), np.isnan(got[:, :columns]))
    assert np.array_equal(expected[~finite], got[:, :columns][~finite], equal_nan=True)
    assert np.all(error[finite] <= bound[finite])


TILES = [
    "tile_14x2_f32",
    "tile_1x1_f32",
    "tile_1x8_f32",
    "tile_3x3_f32",
    "tile_6x4_f32",
    "tile_7x2_f64",
    "tile_2x1_f64",
]


def widths(tile: str) -> list[int]:
    parsed = parse_tile(tile)
    assert parsed is not None
    full = parsed.vectors * parsed.lanes
    return sorted({full, full - 1, full // 2 + 1, 1})


@pytest.mark.parametrize(("tile", "columns"), [(t, c) for t in TILES for c in widths(t)])
def test_the_formula(tile: str, columns: int):
    for segments, length in [(1, 1), (5, 33), (3, 700), (0, 4), (3, 0), (2, 1025)]:
        run(tile, columns, segments, length, a_row=length + 3, a_step=1)
        run(tile, columns, segments, length, a_row=length + 3, a_step=1, adds=1)
        run(tile, columns, segments, length, a_row=1, a_step=5)


@pytest.mark.parametrize("tile", TILES)
def test_nan_and_infinity(tile: str):
    for columns in widths(tile):
        run(tile, columns, 2, 9, a_row=9, a_step=1, special=True)


def test_a_long_sum_of_f32_is_blocked():
    """One million ones and then small numbers: a serial sum in f32 would lose all of them."""
    length = 1 << 20
    tile = worker("tile_1x1_f32", "f32")
    a, w = np.ones(length, np.float32), np.zeros((length, 1), np.float32)
    w[0], w[1:] = 2.0**20, 2.0**-5
    out, offsets = np.zeros(2, np.float32), np.zeros(2, np.int64)
    args = np.array(
        [out.ctypes.data, a.ctypes.data, w.ctypes.data, offsets.ctypes.data, 1, 1, 1, 1, 1, length, 1], np.int64
    )
    tile(0, 1, args.ctypes.data)
    assert abs(out[1] - w.sum(dtype=np.float64)) <= 2.0**5


@pytest.mark.parametrize("width", ["16", "32"])
def test_narrower_vectors_give_the_same_numbers(width: str):
    """The same tests once more, in a process whose vectors are narrower."""
    if int(width) >= machine().vector_bytes:
        pytest.skip("not narrower than this machine's vectors")
    wanted = [f"{__file__}::test_the_formula", f"{__file__}::test_nan_and_infinity"]
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *wanted]
    ended = subprocess.run(
        command, env={**os.environ, "INDEXLANG_VECTOR_BYTES": width}, capture_output=True, check=False, timeout=300
    )
    assert ended.returncode == 0, ended.stdout.decode()


def test_chosen_tiles_fit():
    for rows, columns, dtype in product([1, 2, 7, 13, 27, 55, 224], [1, 10, 96, 256, 1000, 4096], ["f32", "f64"]):
        r, v = choose_tile(rows, columns, dtype)
        assert 1 <= r <= rows
        assert v >= 1
        assert r * v <= machine().vector_registers
        assert parse_tile(f"tile_{r}x{v}_{dtype}") is not None


def product_of(source: str, name: str, store: Cache | None = None) -> np.ndarray:
    """What a worker with a 3x1 tile makes of numbers of ours: 3 rows of a, 7 columns of w, 5 terms."""
    code = compile_worker(source, "<test>", name)
    assert len(tiles_in(code)) == 1
    call = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p)(load(code, name, store))
    out, a, w = np.zeros(3 * 7 + 1, "f4"), np.arange(15, dtype="f4") / 7, np.arange(35, dtype="f4") / 3
    offsets = np.zeros(2, np.int64)
    addresses = [v.ctypes.data for v in (out, a, w, offsets)]
    args = np.array([*addresses, 7, 5, 1, 7, 1, 5, 7, 0], np.int64)
    call(0, 1, args.ctypes.data)
    return out[1:].reshape(3, 7)


def test_literals_become_part_of_a_tile_and_change_no_bit():
    source = SOURCE.format(tile="tile_3x1_f32", dtype="f32")
    settled = source.replace("args[6]", "1").replace("args[11]", "0").replace("worker_tile_3x1_f32", "settled")
    known = tiles_in(compile_worker(settled, "<test>", "settled"))
    assert known == [Tile(3, 1, "f32", (("a_step", 1), ("adds", 0)))]
    assert known == [parse_tile(known[0].name)]
    found = product_of(settled, "settled")
    assert np.array_equal(found, product_of(source.replace("worker_tile_3x1_f32", "plain"), "plain"))
    assert np.allclose(found, (np.arange(15).reshape(3, 5) / 7) @ (np.arange(35).reshape(5, 7) / 3))


def test_a_kept_tile_that_is_no_object_code_is_compiled_anew():
    class Odd(dict[str, bytes]):
        def get(self, key: str, default: object = None) -> bytes:  # type: ignore[override]
            return b"MZ something else"

    source = (
        SOURCE.format(tile="tile_3x1_f32", dtype="f32").replace("args[6]", "1").replace("worker_tile_3x1_f32", "odd")
    )
    assert product_of(source, "odd", Odd()).any()  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["tile_0x1_f32", "tile_1x2_f16", "tile_1x2", "tile_1x2_f32_sub", "nothing"])
def test_other_names_are_no_tiles(name: str):
    import indexlang.kernels.contract as contract

    assert parse_tile(name) is None
    with pytest.raises(AttributeError):
        getattr(contract, name)
