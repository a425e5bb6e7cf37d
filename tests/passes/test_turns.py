"""Equations that take turns give what they give one after the other, in less memory, with the same bits on any number of threads."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

import indexlang as il
from indexlang.nest import turns
from indexlang.nest.moves import winograd
from indexlang.run.machine import target
from indexlang.run.plan import Plan

# text; extents of the inputs; how many turns there are at least on two threads, where a cache holds 700 bytes
PROGRAMS: dict[str, tuple[str, Mapping[str, tuple[int, ...]], int]] = {
    "a chain": (
        "T[b,k] = sum[j] X[b,j]*W[j,k]\nP[b,k] = exp(T[b,k])\nQ[b,l] = sum[k] P[b,k]*V[k,l]\n"
        "Y[b,l] = Q[b,l]*sum[m:9] Q[b,m]",
        {"X": (37, 5), "W": (5, 23), "V": (23, 9)},
        8,
    ),
    "rows of pictures": (
        "T[b,x,y,k] = sum[j] X[b,x,y,j]*W[j,k]\nY[b,x,y:8] = max[k] T[b,x,y,k]*T[b,x,y+1,k]",
        {"X": (1, 13, 9, 4), "W": (4, 16)},
        6,
    ),
    "read twice": (
        "T[b,k] = sum[j] X[b,j]*W[j,k]\nP[b,k] = max[j] T[b,j]*V[j,k]\nY[b,k] = P[b,k] + max[j] T[b,j]*P[b,j]",
        {"X": (29, 5), "W": (5, 16), "V": (16, 16)},
        6,
    ),
    "of a tensor that others read": (
        "T[b,k] = sum[j] X[b,j]*W[j,k]\nP[b,k] = max[j] T[b,j]*V[j,k]\nY[k,b] = P[b,k] + sum[c] P[c,k]",
        {"X": (29, 5), "W": (5, 16), "V": (16, 16)},
        3,
    ),
    "an index that only one more has": (
        "T[b,k] = sum[j] X[b,j]*W[j,k]\nP[b,k,l] = max[j] T[b,j]*V[j,k]*U[k,l]\nY[b,l] = sum[k] P[b,k,l]",
        {"X": (11, 5), "W": (5, 16), "V": (16, 7), "U": (7, 6)},
        2,
    ),
}
# what is not cut: another order, neighbours, the position itself, a tensor that is returned, one made in parts
WHOLE = {
    "backwards": ("T[b,j] = exp(X[b,j])\nY[b,j] = T[28-b,j]", {"X": (29, 16)}),
    "neighbours": ("T[b,j] = exp(X[b,j])\nY[b,j] = T[b,j] + T[b+1,15-j else 0]", {"X": (29, 16)}),
    "the position counts": ("T[b,j] = exp(X[b,j])*b\nY[b,j] = T[b,j]*T[b,15-j]", {"X": (29, 16)}),
    "every other": ("T[b,j] = exp(X[b,j])\nY[b:14,j] = T[2*b,j]*T[2*b,15-j]", {"X": (29, 16)}),
    "no index in common": ("T[b,j] = exp(X[b,j])\nY[j] = sum[b] T[b,j]*T[b,15-j]", {"X": (29, 16)}),
    "another row too": ("T[b,j] = exp(X[b,j])\nY[b,j] = T[b,j]*T[0,15-j]", {"X": (29, 16)}),
    "a third that is a number": (
        "T[x,c] = exp(X[x,c])\nY[z:26,c] = (max[d] T[z//3,d]*T[z//3,15-c])*(z%3)",
        {"X": (9, 16)},
    ),
}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LARGE", 1)
    monkeypatch.setattr(turns, "SMALL", 4096)


def planned(
    text: str, extents: Mapping[str, tuple[int, ...]], dtype: str, threads: int = 2, **machine: int
) -> tuple[Plan, np.ndarray]:
    """The plan on a machine, and the result, which is right."""
    declared = "".join(f"input {n}[{', '.join(map(str, e))}]\n" for n, e in extents.items())
    net = il.compile(declared + text + "\noutput Y", dtype=dtype, threads=threads)
    random = np.random.default_rng(3)
    given = {n: random.standard_normal(e) for n, e in extents.items()}
    plan, run = net.timed(given, replace(target(), **machine))
    found = run()[0]["Y"]
    wanted = net.interpret(**given)
    np.testing.assert_allclose(found, wanted, *((1e-12, 1e-12) if dtype == "f64" else (1e-4, 1e-4)))
    return plan, found


def count(plan: Plan) -> int:
    return 1 + max(step.turn for step in plan.steps)


@pytest.mark.parametrize("dtype", ["f64", "f32"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_turns(name: str, dtype: str) -> None:
    text, extents, least = PROGRAMS[name]
    assert count(planned(text, extents, dtype, near=1 << 40, cores=1 << 20)[0]) == 1
    for cores in (1, 2, 3):
        results: set[bytes] = set()
        for threads in (1, 2, 3):
            plan, found = planned(text, extents, dtype, threads, near=700, cores=cores)
            results.add(found.tobytes())
        assert count(plan) >= least
        assert plan.copies
        assert len(results) == 1


@pytest.mark.parametrize("name", WHOLE)
def test_what_cannot_be_cut_stays_whole(name: str) -> None:
    plan, _ = planned(*WHOLE[name], "f64", near=700, cores=2)
    assert count(plan) == 1


@pytest.mark.parametrize("side", [9, 13, 17])
def test_windows_by_fewer_products(side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("LEAST_PRODUCTS", 0), ("LEAST_CHANNELS", 0), ("GAIN", 0.0)):
        monkeypatch.setattr(winograd, name, value)
    text = f"param W[3,3,16,7]\nparam B[7]\nY[b,x:{side},y:{side},j] = relu((sum[k:3,m:3,i] W[k,m,i,j]*X[b,x+k-1,y+m-1,i else 0]) + B[j])"
    net = il.compile(f"input X[b,{side},{side},16]\n" + text).init(1)
    for batch in (1, 3):
        x = np.random.default_rng(2).standard_normal((batch, side, side, 16)).astype(np.float32)
        found: list[bytes] = []
        for near in (1 << 40, 1 << 16, 1 << 15):
            plan, run = net.timed({"X": x}, replace(target(), near=near, cores=2))
            found.append(run()[0]["Y"].tobytes())
        assert count(plan) > 1
        assert len(set(found)) == 1
    around = np.pad(x.astype(np.float64), ((0, 0), (1, 1), (1, 1), (0, 0)))
    taps = [(k, m, around[:, k : k + side, m : m + side]) for k in range(3) for m in range(3)]
    wanted = np.maximum(sum(part @ net.params["W"][k, m] for k, m, part in taps) + net.params["B"], 0)
    np.testing.assert_allclose(np.frombuffer(found[0], "f4"), wanted.reshape(-1), 1e-3, 1e-4)


def test_a_piece_is_all_there_is() -> None:
    text, extents, _ = PROGRAMS["a chain"]
    whole, _ = planned(text, extents, "f64", near=1 << 40, cores=1 << 20)
    plan, _ = planned(text, extents, "f64", near=700, cores=2)
    assert plan.arena < whole.arena / 2


def test_steps_have_times_of_their_own() -> None:
    text, extents, _ = PROGRAMS["a chain"]
    declared = "".join(f"input {n}[{', '.join(map(str, e))}]\n" for n, e in extents.items())
    net = il.compile(declared + text + "\noutput Y")
    plan, run = net.timed(net.example_inputs(1), replace(target(), near=700, cores=2))
    _, times = run()
    assert len(times) == len(plan.steps)
    assert (times >= 0).all()
    assert times.sum() > 0
