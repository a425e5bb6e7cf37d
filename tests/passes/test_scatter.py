# pyright: reportArgumentType=false
"""`+=` with left sides that data decide: the oracle's sums, the same bits for every number of threads."""

import numpy as np
import pytest
from shapes import agrees, drawn

import indexlang as il
from indexlang.text.diagnostics import DataError


def head(given: dict[str, np.ndarray]) -> str:
    """Declarations of the inputs."""
    lines = (f"input {n}[{', '.join(map(str, a.shape))}]{' : int' * (a.dtype.kind == 'i')}" for n, a in given.items())
    return "\n".join(lines) + "\n"


def places(*shape: int, below: int) -> np.ndarray:
    return np.random.default_rng(shape[0] + below).integers(0, max(below, 1), shape)


@pytest.mark.parametrize("n", [0, 1, 7, 13])
@pytest.mark.parametrize("j", [0, 1, 5, 37])
def test_rows_of_a_table(n: int, j: int) -> None:
    text = f"tensor E[11,{j}]\nE[tok[b,t],j] += Y[b,t,j]"
    given = {"tok": places(3, n, below=11), **drawn({"Y": (3, n, j)})}
    agrees(head(given) + text, given)
    agrees(f"input tok[B,T] : int\ninput Y[B,T,J]\n{text}", given)


@pytest.mark.parametrize(
    "text",
    [
        "tensor T[5,6]\nT[r[n],c[n]] += v[n]",
        "tensor T[5,6,3]\nT[r[n],c[n],i] += v[n]*w[i]",
        "tensor T[5,9]\nT[r[n],n] += v[n]",
        "tensor T[5,11]\nT[r[n],k+n] += v[n]*w[k]",
        "tensor T[7,5]\nT[2*i+1,r[n]] += v[n]*(sum[m:3] w[m]*v[m+1]) + i*w[i]",
        "tensor T[5]\nT[r[n]] += v[n]\nT[c[n]//2] += 2*v[n]\nT[k] += w[k]",
        "tensor T[5]\nT[k] += w[k]\nT[r[n]] += v[n]",
        "tensor T[5,4]\nT[r[n],j:4] += sum[m:3] w[m]*v[m+j]*v[n]",
        "tensor T[5]\nT[r[n]] += sum[m] (v[m] if c[m] == r[n] else 0)",
        "tensor T[5] : int\nT[r[n]] += 1",
        "tensor T[5,4]\nT[r[n],i] += w[i] if c[n] > i else 0",
        "tensor T[5,3]\nT[r[n],2-i] += v[n]*w[i]",
    ],
)
def test_mixtures(text: str) -> None:
    given = {"r": places(9, below=5), "c": places(9, below=6), **drawn({"v": (9,), "w": (3,)})}
    agrees(head(given) + text, given)


@pytest.mark.parametrize(("n", "bins"), [(4096, 10), (10007, 3), (9001, 1), (70001, 100), (5000, 900)])
def test_many_points_meet_at_few_elements(n: int, bins: int) -> None:
    given = {"l": places(n, below=bins), **drawn({"v": (n,)})}
    wanted = np.bincount(given["l"], given["v"], bins)
    agrees(f"input l[N] : int\ninput v[N]\ntensor H[{bins}]\nH[l[b]] += v[b]", given, {"H": wanted})
    agrees(head(given) + f"tensor H[{bins}]\nH[b] += b\nH[l[b]] += v[b]", given, {"H": wanted + np.arange(bins)})


@pytest.mark.parametrize(
    ("n", "x", "y", "j"), [(5000, 70, 80, 1), (5000, 5, 30000, 2), (4096, 17, 4099, 3), (6000, 90000, 1, 1)]
)
def test_points_that_fall_far_apart(n: int, x: int, y: int, j: int) -> None:
    given = {"r": places(n, below=x), "c": places(n, below=y), **drawn({"v": (n, j)})}
    given["r"][: n // 2], given["c"][: n // 2] = x // 2, y // 3
    wanted = np.zeros((x, j, y))
    np.add.at(wanted, (given["r"], slice(None), given["c"]), given["v"])
    text = f"tensor T[{x},{j},{y}]\nT[r[n],j,c[n]] += v[n,j]"
    agrees(head(given) + text, given, {"T": wanted})
    assert "serial" not in il.compile(head(given) + text).show("nest")


def test_points_of_two_indices_in_blocks() -> None:
    given = {"l": places(300, 50, below=4), **drawn({"v": (300, 50, 3)})}
    wanted = np.zeros((4, 3))
    np.add.at(wanted, given["l"], given["v"])
    agrees(head(given) + "tensor H[4,3]\nH[l[b,t],j] += v[b,t,j]", given, {"H": wanted})


@pytest.mark.parametrize("n", [9, 9000])
def test_a_place_outside_is_told_in_the_indices_of_the_equation(n: int) -> None:
    given = {"l": places(n, below=5)}
    given["l"][n - 2] = 5
    with pytest.raises(DataError) as problem:
        il.compile("input l[N] : int\ntensor H[5]\nH[l[b]] += 1")(**given)
    assert f"b={n - 2}" in str(problem.value)


def test_threads_share_what_keeps_apart() -> None:
    shown = il.compile("input l[900] : int\ninput v[900,300]\ntensor E[5000,300]\nE[l[b],j] += v[b,j]").show("nest")
    assert "serial" not in shown
    shown = il.compile("input l[90000] : int\ntensor H[10]\nH[l[b]] += 1").show("nest")
    assert "serial" not in shown
