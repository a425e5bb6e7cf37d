"""Contractions under every schedule that the generator can choose: odd tiles, panels or none, short and long rounds."""

import random
from math import prod
from typing import Any

import numpy as np
import pytest

import indexlang as il
from indexlang import sized
from indexlang.kernels.machine import machine
from indexlang.nest.cost import Product, pieces
from indexlang.nest.moves import contract, pack
from indexlang.nest.moves.target import Target

# equation, inputs; a batch size is the extent of a first axis
EQUATIONS = {
    "product": ("C[i,k] = sum[j] A[i,j]*B[j,k]", {"A": (29, 23), "B": (23, 37)}),
    "transposed w": ("C[i,k] = sum[j] A[i,j]*B[k,j]", {"A": (29, 23), "B": (37, 23)}),
    "transposed a": ("C[i,k] = sum[j] A[j,i]*B[j,k]", {"A": (23, 29), "B": (23, 37)}),
    "both transposed": ("C[i,k] = sum[j] A[j,i]*B[k,j]", {"A": (23, 29), "B": (17, 23)}),
    "batches": ("C[b,i,k] = sum[j] A[b,i,j]*B[b,j,k]", {"A": (3, 17, 11), "B": (3, 11, 33)}),
    "batches inside": ("C[i,b,k] = sum[j] A[i,j,b]*B[j,b,k]", {"A": (13, 11, 3), "B": (11, 3, 18)}),
    "few rows": ("C[b,k] = relu(sum[j] A[b,j]*B[j,k] - D[k])", {"A": (3, 41), "B": (41, 67), "D": (67,)}),
    "padded, bias, relu": (
        "Y[b,x:5,y:7,j] = relu((sum[dx:3,dy:3,i] W[dx,dy,i,j]*X[b,x+dx-1,y+dy-1,i else 0]) + D[j])",
        {"X": (2, 5, 7, 5), "W": (3, 3, 5, 19), "D": (19,)},
    ),
    "stride 2, dilated": (
        "Y[b,x:4,y:3,j] = sum[dx:3,dy:2,i] W[dx,dy,i,j]*X[b,2*x+2*dx,2*y+dy,i]",
        {"X": (2, 11, 6, 3), "W": (3, 2, 3, 17)},
    ),
    "gradient of x": (
        "Y[b,u:6,v:6,i] = sum[dx:3,dy:3,j] W[dx,dy,i,j]*G[b,u-dx,v-dy,j else 0]",
        {"G": (2, 4, 4, 7), "W": (3, 3, 18, 7)},
    ),
    "gradient of w": (
        "Y[dx:3,dy:3,i,j] = sum[b,x:5,y:5] X[b,x+dx,y+dy,i]*G[b,x,y,j]",
        {"X": (2, 7, 7, 9), "G": (2, 5, 5, 20)},
    ),
    "gradient of x, stride 2": (
        "Z[b,x:4,y:4,j] = sum[dx:3,dy:3,i] W[dx,dy,i,j]*X[b,2*x+dx-1,2*y+dy-1,i else 0]\n"
        "loss = sum[b,x:4,y:4,j] G[b,x,y,j]*Z[b,x,y,j]\nD = d(loss)/d(X)\noutput D",
        {"X": (2, 7, 8, 18), "W": (3, 3, 18, 7), "G": (2, 4, 4, 7)},
    ),
    "groups": (
        "Y[b,x:6,(g,j)] = sum[dx:3,i] W[g,dx,i,j]*X[b,x+dx,(g,i)]",
        {"X": (3, 8, 10), "W": (2, 3, 5, 9)},
    ),
    "added to": ("C[i,k] += D[i,k]\nC[i,k] += sum[j] A[i,j]*B[j,k]", {"A": (29, 23), "B": (23, 37), "D": (29, 37)}),
    "a residual": ("C[i,k] = exp(D[i,k] - sum[j] A[i,j]*B[j,k]/16)", {"A": (29, 23), "B": (23, 37), "D": (29, 37)}),
    "a part": ("T[i,k] = sum[j] A[i,j]*B[j,k]\nC[i,K1+K2] = T[i,K1] ; A[i,K2]\noutput C", {"A": (29, 9), "B": (9, 37)}),
    "one term": ("C[i,k] = sum[j] A[i,j]*B[j,k]", {"A": (29, 4), "B": (4, 37)}),
    "nothing": ("C[i,k] = sum[j] A[i,j]*B[j,k]", {"A": (29, 0), "B": (0, 37)}),
    "no rows": ("C[i,k] = sum[j] A[i,j]*B[j,k]", {"A": (0, 23), "B": (23, 37)}),
}
TILES = ((1, 1), (2, 3), (3, 1), (5, 2), (7, 1))


@pytest.mark.parametrize("count", [1, pytest.param(20, marks=pytest.mark.soak)])
@pytest.mark.parametrize("name", EQUATIONS)
def test_every_schedule_gives_what_the_equation_says(name: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    text, shapes = EQUATIONS[name]
    draw = random.Random(name)
    for _ in range(count):
        rows, vectors = draw.choice(TILES)
        settings = {
            "uses": draw.choice((0, 1, 10**9)),
            "terms": draw.choice((1, 3, 8)),
            "many": draw.choice((1, 10**9)),
        }
        dtype = draw.choice(("f32", "f64"))
        _force(monkeypatch, rows, vectors, **settings)
        arrays = _arrays(shapes, draw.randrange(1000), dtype)
        results = [_run(text, arrays, dtype, threads) for threads in (1, 3)]
        wanted, size = _by_interpreter(text, arrays)
        terms = prod(max(shape) for shape in shapes.values())
        bound = np.finfo(results[0].dtype).eps * (8 + min(terms, 500)) * (size + 1)
        assert np.all(np.abs(results[0] - wanted) <= bound), (name, rows, vectors, settings, dtype)
        assert all(np.array_equal(results[0], other) for other in results[1:]), "threads change bits"


def _force(monkeypatch: pytest.MonkeyPatch, rows: int, vectors: int, uses: int, terms: int, many: int) -> None:
    """A target that wants this tile everywhere, and limits so small that small programs take every path."""

    def choose(r: int, columns: int, dtype: str, v: int = 0, /) -> tuple[int, int]:
        return min(rows, max(r, 1)), v or vectors

    monkeypatch.setattr(sized, "target", lambda: Target(machine().lanes, choose))
    monkeypatch.setattr(pack, "_LEAST_WORK", 0)
    monkeypatch.setattr(pack, "_LEAST_USES", uses)
    monkeypatch.setattr(pack, "ROUND_TERMS", terms)
    monkeypatch.setattr(pack, "MANY_ROWS", many)
    monkeypatch.setattr(contract, "MANY_ROWS", many)
    monkeypatch.setattr(contract, "ROUND_TERMS", terms)
    monkeypatch.setattr(contract, "_ROUND_BYTES", 4 * terms)
    monkeypatch.setattr(contract, "_TALL", 1)
    monkeypatch.setattr(contract, "PANEL_ROWS", 3 * rows)
    monkeypatch.setattr(contract, "_FEW_SHARES", 1)


def _arrays(shapes: dict[str, tuple[int, ...]], seed: int, dtype: str) -> dict[str, Any]:
    made = np.random.default_rng(seed)
    kind = np.float32 if dtype == "f32" else np.float64
    return {n: made.standard_normal(shape).astype(kind) for n, shape in shapes.items()}


def _run(text: str, arrays: dict[str, Any], dtype: str, threads: int) -> np.ndarray:
    return il.compile(text, dtype=dtype, threads=threads)(**arrays)


def _by_interpreter(text: str, arrays: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """What the equation says, and the size of what is added up: the same of absolute values."""
    net = il.compile(text, dtype="f64")
    doubles = {n: a.astype(np.float64) for n, a in arrays.items()}
    positive = net.interpret(**{n: np.abs(a) for n, a in doubles.items()})
    return net.interpret(**doubles), np.abs(positive)


def test_panels_for_single_rows_do_not_bind_other_contractions() -> None:
    """One row wants many columns at once, for which several rows have no registers."""
    text = """input A[50, 3, 64]
input B[70, 2, 64]
input W[2, 64, 4000]
C[b,r:1,k] = sum[dx,j] A[b,2*r+dx,j]*W[dx,j,k]
D[i,k] = sum[dx,j] B[i,dx,j]*W[dx,j,k]
output C, D
"""
    random = np.random.default_rng(0)
    a, b, w = (random.standard_normal(s).astype(np.float32) for s in ((50, 3, 64), (70, 2, 64), (2, 64, 4000)))
    got = il.compile(text, threads=1)(a, b, w)
    np.testing.assert_allclose(got["C"][:, 0], np.einsum("bdj,djk->bk", a[:, :2], w), rtol=0, atol=2e-4)
    np.testing.assert_allclose(got["D"], np.einsum("idj,djk->ik", b, w), rtol=0, atol=2e-4)


def test_what_lies_in_order_and_is_read_by_one_product_is_copied_by_its_pieces() -> None:
    text = "{} B[300,600]\ninput A[500,300]\nC[i,k] = sum[j] A[i,j]*B[j,k]"
    assert "B_panels" not in il.compile(text.format("input")).show("simple")
    assert "B_panels" in il.compile(text.format("param")).show("simple")
    again = "input B[300,600]\ninput A[9,300,500]\nC[b,i,k] = sum[j] A[b,j,i]*B[j,k]"
    assert "B_panels" in il.compile(again).show("simple")


@pytest.mark.parametrize("tile", [(1, 8), (6, 64), (13, 32)])
@pytest.mark.parametrize(
    "extents", [(1, 1, 1), (7, 65, 3), (256, 256, 256), (16384, 64, 64), (64, 16384, 64), (999, 4001, 5000)]
)
def test_pieces_are_whole_tiles_that_fit(extents: tuple[int, int, int], tile: tuple[int, int]) -> None:
    rows, columns, terms = extents
    at_once = min(terms, 192)
    taken = []
    for cores in (1, 2, 16):
        p = Product(rows, columns, terms, 3, at_once, tile, 16, 4, cores, 1 << 20)
        height, width = pieces(p)
        assert (height % tile[0], width % tile[1]) == (0, 0)
        assert height < rows + tile[0]
        assert width < 2 * (columns + tile[1])
        assert width == tile[1] or at_once * width * 4 <= 1 << 18
        taken.append(3 * -(-rows // height) * -(-columns // width))
    assert taken == sorted(taken), "more cores want no fewer pieces"
