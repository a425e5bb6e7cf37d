"""Where steps and epochs lie, and what smoothing does with noise, gaps and numbers that are lost."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plot_folders import epoch, step, trained, written

from indexlang.plot.runs import Run, read_run
from indexlang.plot.series import POINTS, in_epochs, in_steps, series, smoothed, wants_log

NAN = float("nan")


def run_of(path: Path, *events: object) -> Run:
    return read_run(written(path / "r", events))


def test_steps_lie_between_epochs(tmp_path: Path):
    run = read_run(trained(tmp_path / "r", epochs=3, of_epoch=4))
    places = in_epochs(run)
    assert places.steps.tolist() == [n / 4 for n in range(1, 13)]
    assert places.middles.tolist() == [0.5, 1.5, 2.5]
    assert places.ends.tolist() == [1, 2, 3]


def test_an_epoch_that_still_runs_is_as_long_as_others(tmp_path: Path):
    events = [*(step(n, 1, 1.0) for n in range(1, 5)), epoch(1, 4, {"loss": 1.0}, {}), step(5, 2, 1.0), step(6, 2, 1.0)]
    assert in_epochs(run_of(tmp_path, *events)).steps.tolist() == [0.25, 0.5, 0.75, 1, 1.25, 1.5]


def test_places_in_steps(tmp_path: Path):
    events = [step(1, 1, 1.0), step(2, 1, 1.0), epoch(1, 2, {"loss": 1.0}, {}), epoch(2, 6, {"loss": 1.0}, {})]
    places = in_steps(run_of(tmp_path, *events))
    assert (places.steps.tolist(), places.middles.tolist(), places.ends.tolist()) == ([1, 2], [1, 4], [2, 6])
    assert in_steps(run_of(tmp_path / "none", step(1, 1, 1.0))).ends.size == 0


SMOOTHED = (
    ([1, 2, 3], 1, [1, 2, 3]),
    ([0, 3, 6, 9], 3, [1.5, 3, 6, 7.5]),
    ([1, 3], 2, [2, 3]),
    ([2, NAN, 4], 3, [2, NAN, 4]),
    ([NAN], 5, [NAN]),
    ([], 5, []),
)


@pytest.mark.parametrize(("values", "width", "wanted"), SMOOTHED)
def test_smoothing(values: list[float], width: int, wanted: list[float]):
    np.testing.assert_allclose(smoothed(np.array(values, float), width), wanted)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60), st.integers(1, 80))
def test_smoothing_stays_between_the_extremes(values: list[float], width: int):
    found = smoothed(np.array(values), width)
    assert found.shape == (len(values),)
    assert (found >= min(values) - 1e-4).all()
    assert (found <= max(values) + 1e-4).all()


def test_a_long_run_has_few_points(tmp_path: Path):
    run = run_of(tmp_path, *(step(n, 1, 1.0 + n % 2) for n in range(1, 5001)))
    found = series(run, "loss", in_steps(run))
    assert found.width == 50
    assert len(found.steps[0]) == POINTS
    assert np.ptp(found.steps[1][10:-10]) < 0.05


def test_the_last_number_before_none(tmp_path: Path):
    run = run_of(tmp_path, step(1, 1, 3.0), step(2, 1, 4.0), step(3, 1, "nan"), step(4, 1, "inf"))
    found = series(run, "loss", in_steps(run))
    assert found.lost == (2.0, 4.0)
    assert found.values.tolist() == [3.0, 4.0]
    lost = run_of(tmp_path, step(1, 1, "nan"), step(2, 1, 1.0))
    assert series(lost, "loss", in_steps(lost)).lost is None


def test_a_metric_that_some_steps_lack(tmp_path: Path):
    run = run_of(
        tmp_path, step(1, 1, 3.0), step(2, 1, 2.0, accuracy=0.5), epoch(1, 2, {"loss": 2.5}, {"accuracy": 0.4})
    )
    found = series(run, "accuracy", in_epochs(run))
    assert found.lost is None
    assert (found.steps[0].tolist(), found.steps[1].tolist()) == ([1.0], [0.5])
    assert found.validation[1].tolist() == [0.4]
    assert np.isnan(found.training[1]).all()


LOG = (([1.0, 101.0], True), ([1.0, 99.0], False), ([0.0, 1000.0], False), ([-1.0, 1e9], False), ([], False))


@pytest.mark.parametrize(("values", "wanted"), LOG)
def test_when_a_scale_is_logarithmic(values: list[float], wanted: bool):
    assert wants_log([np.array(values)]) is wanted
