"""Signals: the layers in their order, first record beside last, and marks for what no scale can show."""

import math
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from plot_drawn import colours, cut_off, figure_of, has_colour, texts
from plot_folders import layer, signals, step, written
from refused import told

from indexlang.plot.canvas import BLUE, GREEN, RED, SKY
from indexlang.plot.runs import read_run
from indexlang.plot.signals import draw_signals


def drawn(path: Path, monkeypatch: pytest.MonkeyPatch, *events: Any) -> Any:
    run = read_run(written(path / "r", [step(1, 1, 1.0), *events]))
    return figure_of(partial(draw_signals, run), path, monkeypatch)


def lines(axes: Any, colour: str) -> list[list[float]]:
    return [list(line.get_ydata()) for line in axes.get_lines() if line.get_color() == colour]


def marks(figure: Any, marker: str) -> list[float]:
    return [
        x for axes in figure.axes for line in axes.get_lines() if line.get_marker() == marker for x in line.get_xdata()
    ]


def test_first_and_last_are_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    records = [signals(n, n, [layer("L1", 1.0, 0.1 * n), layer("L2", 2.0, 0.2 * n, 1e-4)]) for n in (1, 2, 3)]
    figure = drawn(tmp_path, monkeypatch, *records)
    activation, gradient, share, update = figure.axes
    assert lines(activation, BLUE) == [[1.0, 2.0]]
    assert (lines(gradient, SKY), lines(gradient, BLUE)) == ([[0.1, 0.2]], [pytest.approx([0.3, 0.6])])
    assert (lines(share, RED), lines(share, GREEN)) == ([[25, 25]], [[10, 10]])
    assert lines(update, BLUE) == [[1e-3, 1e-4]]
    assert [axes.get_yscale() for axes in figure.axes] == ["log", "log", "linear", "log"]
    assert any(list(line.get_ydata()) == [1e-3, 1e-3] and line.get_linestyle() == "--" for line in update.get_lines())
    for label in ("first: step 1, epoch 1", "last: step 3, epoch 3", "L1", "L2", "layer, in the order of computing"):
        assert label in texts(figure).split("\n")
    assert cut_off(figure) == []


def test_one_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    figure = drawn(tmp_path, monkeypatch, signals(1, 1, [layer("L1")]))
    assert "first" not in texts(figure)
    assert "\nstep 1, epoch 1" in texts(figure)
    assert lines(figure.axes[0], SKY) == []


def test_zeros_and_lost_numbers_are_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    layers = [
        layer("a"),
        layer("b", gradient=0.0),
        layer("c", gradient="nan"),
        layer("d", activation="inf"),
        layer("e"),
    ]
    figure = drawn(tmp_path, monkeypatch, signals(1, 1, layers))
    assert marks(figure, "v") == [1]
    assert marks(figure, "x") == [3, 2]
    assert "is 0" in texts(figure)
    assert "NaN or infinite" in texts(figure)
    assert all(math.isnan(v) for v in lines(figure.axes[1], BLUE)[0][1:3])


def test_a_layer_without_parameters_has_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    figure = drawn(tmp_path, monkeypatch, signals(1, 1, [layer("a"), layer("b", update="nan")]))
    assert marks(figure, "x") == []
    assert math.isnan(lines(figure.axes[3], BLUE)[0][1])


def test_nothing_that_a_scale_can_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    figure = drawn(tmp_path, monkeypatch, signals(1, 1, [layer("a", 0.0, 0.0, 0.0), layer("b", "nan", "inf", "nan")]))
    assert marks(figure, "v") == [0, 0, 0]


def test_layers_that_only_the_first_record_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    figure = drawn(tmp_path, monkeypatch, signals(1, 1, [layer("b"), layer("a")]), signals(2, 1, [layer("a")]))
    assert [t.get_text() for t in figure.axes[-1].get_xticklabels()] == ["a", "b"]


@pytest.mark.parametrize("number", [1, 25, 150])
def test_many_layers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int):
    layers = [layer(f"A_rather_long_name_of_a_layer_{n}.H") for n in range(number)]
    figure = drawn(tmp_path, monkeypatch, signals(1, 1, layers))
    labels = figure.axes[-1].get_xticklabels()
    assert 1 <= len(labels) <= 60
    assert all(len(t.get_text()) <= 18 for t in labels)
    assert cut_off(figure) == []


def test_a_picture_is_written(tmp_path: Path):
    run = read_run(written(tmp_path / "r", [signals(n, n, [layer("L1", 0.1 * n), layer("L2")]) for n in (1, 5)]))
    for name in ("a.png", "a.svg", "b.svg"):
        draw_signals(run, tmp_path / name)
    assert colours(tmp_path / "a.png") > 20
    assert all(has_colour(tmp_path / "a.png", c) for c in (BLUE, SKY, RED, GREEN))
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_no_signals(tmp_path: Path):
    for events in ([step(1, 1, 1.0)], [signals(1, 1, [])]):
        run = read_run(written(tmp_path / "r", events))
        code, message, hint = told(draw_signals, run, tmp_path / "a.png")
        assert (code, message, hint) == ("E0841", "the run r has no signals", "train with --watch-gradients")


@pytest.mark.filterwarnings("error")
def test_numbers_that_no_scale_can_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    figure = drawn(tmp_path, monkeypatch, signals(1, 1, [layer("a", 1e308, 5e-324), layer("$b", 1.0, 1.0)]))
    assert marks(figure, "x") == [0]
    assert marks(figure, "v") == [0]
