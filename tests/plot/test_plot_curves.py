"""Learning curves: what is drawn of one run and of several, and the same bytes each time."""

import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from plot_drawn import colours, cut_off, figure_of, has_colour, pixels, texts
from plot_folders import epoch, step, trained, written
from refused import told

from indexlang.plot.canvas import BLUE, GREEN, RED
from indexlang.plot.curves import draw_curves, names_of
from indexlang.plot.runs import Run, read_run


def drawn(path: Path, monkeypatch: pytest.MonkeyPatch, *runs: Run) -> Any:
    return figure_of(partial(draw_curves, runs), path, monkeypatch)


def test_a_picture_is_not_blank(tmp_path: Path):
    run = read_run(trained(tmp_path / "digits-1"))
    draw_curves([run], tmp_path / "a.png")
    assert colours(tmp_path / "a.png") > 20
    assert has_colour(tmp_path / "a.png", BLUE)
    assert has_colour(tmp_path / "a.png", RED)
    assert not list(tmp_path.glob(".*.part"))


def test_the_same_run_gives_the_same_bytes(tmp_path: Path):
    run = read_run(trained(tmp_path / "digits-1"))
    for name in ("a.svg", "b.svg", "a.png", "b.png"):
        draw_curves([run], tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    svg = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert "<svg" in svg
    assert "dc:date" not in svg


def test_settings_of_the_reader_change_nothing(tmp_path: Path):
    import matplotlib

    run = read_run(trained(tmp_path / "digits-1"))
    draw_curves([run], tmp_path / "a.svg")
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red"}):
        draw_curves([run], tmp_path / "b.svg")
        assert (matplotlib.rcParams["font.size"], matplotlib.rcParams["svg.hashsalt"]) == (30, None)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_pyplot_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    for name in ("a.png", "a.svg"):
        draw_curves([read_run(trained(tmp_path / "r"))], tmp_path / name)


def test_one_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    figure = drawn(tmp_path, monkeypatch, read_run(trained(tmp_path / "digits-1")))
    first, second = figure.axes
    assert (first.get_ylabel(), second.get_ylabel(), second.get_xlabel()) == ("loss", "accuracy", "epoch")
    assert all(tick == int(tick) for tick in second.get_xticks())
    written_out = texts(figure)
    for label in (
        "digits-1: 5 epochs",
        "each training step",
        "training, mean over the epoch",
        "validation",
        "best epoch (5)",
    ):
        assert label in written_out
    assert cut_off(figure) == []


def test_a_run_of_one_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    figure = drawn(tmp_path, monkeypatch, read_run(trained(tmp_path / "r", epochs=1)))
    assert "r: 1 epoch" in texts(figure)
    assert [t for t in figure.axes[1].get_xticks() if 0 <= t <= 1] == [0, 1]
    means = [line for line in figure.axes[0].get_lines() if len(line.get_xdata()) == 1]
    assert all(line.get_marker() != "None" for line in means)
    assert len(means) == 3  # training, validation, the ring about the best


def test_a_run_without_validation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    figure = drawn(tmp_path, monkeypatch, read_run(trained(tmp_path / "r", validation=False)))
    assert "validation" not in texts(figure)
    assert "best epoch (5)" in texts(figure)


def test_a_run_that_is_in_its_first_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    run = read_run(written(tmp_path / "r", [step(n, 1, 2.0 / n) for n in range(1, 9)]))
    figure = drawn(tmp_path, monkeypatch, run, read_run(trained(tmp_path / "s")))
    assert figure.axes[-1].get_xlabel() == "step"
    assert "r: 8 steps" in texts(drawn(tmp_path, monkeypatch, run))


def test_epochs_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    run = read_run(written(tmp_path / "r", [epoch(n, n * 5, {"loss": 1 / n}, {"loss": 1.2 / n}) for n in (1, 2, 3)]))
    assert "step" not in texts(drawn(tmp_path, monkeypatch, run))


def test_a_loss_over_decades_is_logarithmic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def scale(name: str, losses: list[float]) -> str:
        run = read_run(written(tmp_path / name, [step(n, 1, loss) for n, loss in enumerate(losses, 1)]))
        return drawn(tmp_path, monkeypatch, run).axes[0].get_yscale()

    assert scale("wide", [10.0, 1.0, 0.01]) == "log"
    assert scale("narrow", [10.0, 1.0, 0.2]) == "linear"
    assert scale("negative", [1000.0, 1.0, -1.0]) == "linear"


def test_a_loss_that_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    events = [*(step(n, 1, float(n)) for n in range(1, 6)), step(6, 1, "nan"), step(7, 1, "inf")]
    figure = drawn(tmp_path, monkeypatch, read_run(written(tmp_path / "r", events)))
    assert "then NaN or infinite" in texts(figure)
    (cross,) = [line for line in figure.axes[0].get_lines() if line.get_marker() == "x"]
    assert (cross.get_xdata()[0], cross.get_ydata()[0]) == (5, 5)


def test_no_finite_value_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    run = read_run(
        written(tmp_path / "r", [step(1, 1, "nan"), epoch(1, 1, {"loss": "nan"}, {"loss": "nan"}, best=True)])
    )
    assert "no finite value" in texts(drawn(tmp_path, monkeypatch, run))


def test_the_rate_where_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    events = [{**step(n, 1, 1.0), "rate": 0.1 / n} for n in range(1, 6)]
    figure = drawn(tmp_path, monkeypatch, read_run(written(tmp_path / "r", events)))
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss", "learning rate"]


def test_several_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    names = ("small", "_$x$", "a-name-" + "that-is-too-long-" * 5 + "end")
    runs = [read_run(trained(tmp_path / name, slope=0.02 * n)) for n, name in enumerate(names, 1)]
    figure = drawn(tmp_path, monkeypatch, *runs)
    (legend,) = figure.legends
    labels = [t.get_text() for t in legend.get_texts()]
    assert labels[:2] == ["small", r"_\$x\$"]
    assert labels[2].startswith("a-name-")
    assert labels[2].endswith("-end")
    assert len(labels[2]) < 50
    assert "validation" in labels
    assert cut_off(figure) == []
    monkeypatch.undo()
    draw_curves(runs, tmp_path / "a.png")
    assert all(has_colour(tmp_path / "a.png", c) for c in (BLUE, RED, GREEN))


def test_many_metrics_stand_in_two_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    events = [step(n, 1, 1.0, a=1.0, b=2.0, c=3.0, d=0.5) for n in range(1, 4)]
    figure = drawn(tmp_path, monkeypatch, read_run(written(tmp_path / "r", events)))
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_ylabel() for axes in shown] == ["loss", "a", "b", "c", "d"]
    assert [bool(axes.get_xlabel()) for axes in shown] == [False, False, False, True, True]


def test_runs_of_one_name_are_told_apart(tmp_path: Path):
    runs = [read_run(trained(tmp_path / folder / "r", epochs=1)) for folder in ("a", "b")]
    other = read_run(trained(tmp_path / "s", epochs=1))
    assert names_of([*runs, other]) == ["a/r", "b/r", "s"]


def test_nothing_measured(tmp_path: Path):
    code, message, _ = told(draw_curves, [read_run(written(tmp_path / "r", []))], tmp_path / "a.png")
    assert (code, message) == ("E0841", "the run r has measured nothing yet")


def test_places_that_cannot_be_written(tmp_path: Path):
    run = read_run(trained(tmp_path / "r", epochs=1))
    for name in ("a.pdf", "a", "a.jpg", "nowhere/a.png", "a\0.png", "b\0/a.png"):
        assert told(draw_curves, [run], tmp_path / name)[0] == "E0705", name


def test_without_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    run = read_run(trained(tmp_path / "r", epochs=1))
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, message, hint = told(draw_curves, [run], tmp_path / "a.png")
    assert (code, hint) == ("E0802", "pip install 'indexlang[plot]'")
    assert message == "drawing needs the package matplotlib"
    assert not (tmp_path / "a.png").exists()


def test_panels_are_white(tmp_path: Path):
    draw_curves([read_run(trained(tmp_path / "r"))], tmp_path / "a.png")
    assert (pixels(tmp_path / "a.png")[[0, -1], [0, -1]] == 255).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("losses", [[1.7e308] * 300, [1.7e308, -1.7e308, 1e-300], [5e-324, 1.0], [0.0, 1e101, 2.0]])
def test_numbers_that_no_scale_can_show(tmp_path: Path, losses: list[float]):
    run = read_run(written(tmp_path / "r", [step(n, 1, loss) for n, loss in enumerate(losses, 1)]))
    draw_curves([run], tmp_path / "a.png")
    assert colours(tmp_path / "a.png") > 5


@pytest.mark.filterwarnings("error")
def test_odd_runs(tmp_path: Path):
    for n, events in enumerate((
        [epoch(0, 0, {"loss": 1.0}, {"loss": 2.0})],
        [step(5, 3, 1.0), epoch(3, 2, {"loss": 1.0}, {}), epoch(1, 50, {"loss": 0.5}, {})],
        [step(1, 1, 1.0, **{"a\nb\x1b": 2.0, "x" * 300: 2.0, r"$\frac": 1.0})],
    )):  # fmt: skip
        draw_curves([read_run(written(tmp_path / f"r{n}", events))], tmp_path / "a.png")
        assert colours(tmp_path / "a.png") > 5
