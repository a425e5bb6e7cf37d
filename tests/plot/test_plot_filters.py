"""Filters as small pictures: in colour, one by one, as means, and what is no filter."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from plot_drawn import colours, cut_off, figure_of, texts
from plot_folders import step, trained, with_weights, written
from refused import told

from indexlang.plot.filters import draw_filters
from indexlang.plot.grid import columns_for, fitting, symmetric
from indexlang.plot.runs import Run, read_run

RANDOM = np.random.default_rng(0)


def run_with(path: Path, **arrays: Any) -> Run:
    return read_run(with_weights(trained(path / "r", epochs=1), **arrays))


def weights(*shape: int) -> Any:
    return RANDOM.standard_normal(shape).astype(np.float32)


def pictures(figure: Any) -> list[np.ndarray[Any, Any]]:
    """The small pictures, without the scale of colours."""
    return [np.asarray(image.get_array()) for image in figure.axes[0].get_images()]


# Extents of the parameter, pictures drawn, what the title says.
KINDS = (
    ((3, 3, 1, 6), 6, "6 filters of 3×3"),
    ((5, 5, 3, 12), 12, "red, green, blue: grey is 0, full colour ±"),
    ((5, 5, 3, 300), 256, "the first 256 of 300"),
    ((3, 3, 4, 5), 20, "a row for each input channel i"),
    ((3, 3, 8, 20), 128, "the first 16 of 20"),
    ((3, 3, 64, 10), 10, "10 filters of 3×3"),
    ((3, 5, 16, 1), 1, "1 filter of 3×5"),
    ((1, 1, 12, 7), 1, "1×1 filters"),
    ((1, 3, 3, 1), 1, "red, green, blue"),
)


@pytest.mark.parametrize(("shape", "number", "said"), KINDS)
def test_filters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...], number: int, said: str):
    run = run_with(tmp_path, V=weights(*shape))
    figure = figure_of(partial(draw_filters, run, "V"), tmp_path, monkeypatch)
    assert len(pictures(figure)) == number
    assert said in texts(figure)
    assert f"V{list(shape)}, r, best epoch" in texts(figure)
    assert cut_off(figure) == []
    monkeypatch.undo()
    draw_filters(run, "V", tmp_path / "a.png")
    assert colours(tmp_path / "a.png") > 10


def test_the_pictures_are_the_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for shape in ((4, 2, 1, 3), (4, 2, 2, 3), (4, 2, 30, 3)):
        w = weights(*shape)
        found = pictures(figure_of(partial(draw_filters, run_with(tmp_path, V=w), "V"), tmp_path, monkeypatch))
        wanted = (
            [w[:, :, i, j] for i in range(2) for j in range(3)] if shape[2] == 2 else list(np.moveaxis(w.mean(2), 2, 0))
        )
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-7)


def test_colours_are_about_grey(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    w = np.zeros((1, 2, 3, 2), np.float32)
    w[0, 0, :, 1] = (2.0, -2.0, 1.0)
    found = pictures(figure_of(partial(draw_filters, run_with(tmp_path, V=w), "V"), tmp_path, monkeypatch))
    assert found[0].tolist() == [[[0.5] * 3, [0.5] * 3]]
    assert found[1].tolist() == [[[1.0, 0.0, 0.75], [0.5] * 3]]


def test_the_first_of_the_program_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    text = "param Z[3,3,1,2]\nparam  A[2,2,1,2] ~ he\n"
    path = with_weights(
        written(tmp_path / "r", [step(1, 1, 1.0)], text=text), Z=weights(3, 3, 1, 2), A=weights(2, 2, 1, 2)
    )
    assert "Z[3, 3, 1, 2]" in texts(figure_of(partial(draw_filters, read_run(path), ""), tmp_path, monkeypatch))


def test_weights_that_are_lost(tmp_path: Path):
    for value in (np.nan, np.inf, 3e38, 0.0):
        for channels in (1, 3):
            run = run_with(tmp_path, V=np.full((3, 3, channels, 2), value, np.float32))
            draw_filters(run, "V", tmp_path / "a.png")
            assert colours(tmp_path / "a.png") > 2


def test_the_last_weights_where_no_best_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    run = run_with(tmp_path)
    (run.path / "best.safetensors").rename(run.path / "last.safetensors")
    assert "last epoch" in texts(figure_of(partial(draw_filters, run, ""), tmp_path, monkeypatch))
    (run.path / "last.safetensors").unlink()
    code, message, _ = told(draw_filters, run, "", tmp_path / "a.png")
    assert (code, message) == ("E0841", "the run r has kept no weights yet")


WRONG = (
    ("w1", "E0605", "there is no parameter `w1`", "did you mean `W1`?"),
    ("Filters", "E0605", "there is no parameter `Filters`", "those with four axes are W1, W2"),
    ("B1", "E0842", "`B1`[6] has 1 axis, and filters have four: [dx,dy,i,j]", "choose W1, W2"),
)


@pytest.mark.parametrize(("name", "code", "message", "hint"), WRONG)
def test_what_is_no_filter(tmp_path: Path, name: str, code: str, message: str, hint: str):
    assert told(draw_filters, run_with(tmp_path), name, tmp_path / "a.png") == (code, message, hint)


def test_filters_without_elements(tmp_path: Path):
    run = run_with(tmp_path, V=np.zeros((3, 3, 0, 2), np.float32))
    assert told(draw_filters, run, "V", tmp_path / "a.png")[:2] == ("E0842", "`V`[3, 3, 0, 2] has no elements")


def test_no_filters_at_all(tmp_path: Path):
    text = "param V[3]\n"
    path = written(tmp_path / "r", [step(1, 1, 1.0)], text=text)
    run = read_run(with_weights(path, W1=weights(2, 3), W2=weights(2)))
    assert told(draw_filters, run, "", tmp_path / "a.png")[0] == "E0841"
    assert told(draw_filters, run, "W1", tmp_path / "a.png")[:2] == (
        "E0842",
        "`W1`[2, 3] has 2 axes, and filters have four: [dx,dy,i,j]",
    )


def test_damaged_weights(tmp_path: Path):
    run = run_with(tmp_path)
    (run.path / "best.safetensors").write_bytes(b"x" * 100)
    assert told(draw_filters, run, "", tmp_path / "a.png")[0] == "E0704"


SCALES = (
    ([0.0, 2.0], "SEQUENTIAL", 0, 2),
    ([-1.0, 0.5], "DIVERGING", -1, 1),
    ([0.0, 0.0], "SEQUENTIAL", 0, 1),
    ([float("nan"), 3.0], "SEQUENTIAL", 0, 3),
    ([float("inf"), -2.0], "DIVERGING", -2, 2),
    ([], "SEQUENTIAL", 0, 1),
)


@pytest.mark.parametrize(("values", "name", "low", "high"), SCALES)
def test_scales(values: list[float], name: str, low: float, high: float):
    found = fitting(np.array(values, float))
    assert (found.colours.name, found.low, found.high) == (name, low, high)


def test_a_symmetric_scale():
    assert (symmetric(np.array([-3.0, 1.0])).low, symmetric(np.array([-3.0, 1.0])).high) == (-3, 3)


@pytest.mark.parametrize(("number", "shape"), [(1, (3, 3)), (96, (11, 11)), (5, (1, 40)), (5, (40, 1)), (256, (3, 3))])
def test_columns(number: int, shape: tuple[int, int]):
    assert 1 <= columns_for(number, shape) <= number
