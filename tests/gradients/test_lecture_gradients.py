"""Every file of examples/lecture: what is computed moves with its parameters as derivatives say, forwards and backwards.

The results of the files are distances that are 0, where they have no derivative; so all its tensors of floats are taken.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from gradients.numeric import Arrays, derivatives

import indexlang as il
from indexlang.interop.files import read_input
from indexlang.ir.equation import Role

FOLDER = Path(__file__).parents[2] / "examples" / "lecture"
FILES = sorted(FOLDER.glob("[0-9][0-9]-*.idx"))
CONSTANT = "18-saturation.idx"  # nothing is given to it
# Files whose three programs take long to compile or to run, or that are like another: only when asked for.
LONG = ("02", "05", "06", "08", "11", "13", "14", "15", "16", "19", "20", "23", "24", "25", "27", "28")
STEP = 1e-7  # of differences, in parts of what is given: so short that hardly an element passes a kink


class Net(NamedTuple):
    """A file, what it is given, and a direction for each float of that."""

    program: il.Program
    of: list[str]
    given: Arrays
    along: Arrays


def loaded(path: Path) -> Net:
    net = il.load(path, dtype="f64")
    typed = net._typed
    of = [t.name for t in typed.with_role(Role.COMPUTED) if t.dtype.is_float and t.extents]
    given = {n: np.asarray(read_input(path.parent / f, net.inputs[n]), float) for n, f in net.defaults.items()}
    rng = np.random.default_rng(0)
    for name, start in net.params.items():
        if not start.any():  # thresholds: at 0, whatever reads nothing but zeros would be at a kink
            net.params[name] = 0.1 * rng.standard_normal(start.shape)
    along = {n: np.std(a) * rng.standard_normal(a.shape) for n, a in {**given, **net.params}.items()}
    return Net(net, of, given, along)


def marked(path: Path) -> object:
    return pytest.param(path, marks=pytest.mark.soak) if path.name[:2] in LONG else path


VARIED = [marked(path) for path in FILES if path.name != CONSTANT]


@pytest.mark.parametrize("path", VARIED, ids=lambda p: p.name)
def test_tangents_are_differences_and_the_reverse_is_their_adjoint(path: Path) -> None:
    net, of, given, along = loaded(path)
    _, tangents = net.jvp(given, along, of)
    rng = np.random.default_rng(1)
    seeds = {n: rng.standard_normal(t.shape) for n, t in tangents.items()}

    reverse = net.grad(of, list(along), seeds=True)
    found = results(reverse, {**given, **{f"d{n}": a for n, a in seeds.items()}}, list(reverse.gradients.values()))
    forwards = sum(float(np.sum(tangents[n] * seeds[n])) for n in of)
    backwards = sum(float(np.sum(found[g] * along[n])) for n, g in reverse.gradients.items())
    size = sum(float(np.sum(np.abs(tangents[n] * seeds[n]))) for n in of)
    assert abs(forwards - backwards) <= 1e-12 * size

    up, down = (moved(net, of, given, along, by) for by in (STEP, -STEP))
    for n in of:
        difference = (up[n] - down[n]) / (2 * STEP)
        error = float(np.linalg.norm(tangents[n] - difference))
        assert error <= 1e-6 * float(np.linalg.norm(difference)) + 1e-6, (n, error, np.linalg.norm(difference))


def moved(net: il.Program, of: list[str], given: Arrays, along: Arrays, by: float) -> Arrays:
    """The results at a point that is `by` along the direction."""
    start = dict(net.params)
    for name in start:
        net.params[name] = start[name] + by * along[name]
    found = results(net, {n: a + by * along[n] for n, a in given.items()}, of)
    for name in start:
        net.params[name] = start[name]
    return found


def results(net: il.Program, given: Mapping[str, Any], want: list[str]) -> Arrays:
    found = net(**given, want=want)
    return {want[0]: found} if len(want) == 1 else found


# Files that the oracle goes through at once, and in minutes: only when asked for.
AT_ONCE = ("03", "09", "17", "21", "22", "23")
IN_MINUTES = ("01", "04", "05", "07", "10", "11", "12", "16", "24", "25", "26", "27")


def slowly(path: Path) -> object:
    if path.name[:2] in AT_ONCE:
        return path
    reason = "too large for the oracle: the compiled program is compared with differences above"
    mark = pytest.mark.soak if path.name[:2] in IN_MINUTES else pytest.mark.skip(reason=reason)
    return pytest.param(path, marks=mark)


@pytest.mark.parametrize("path", [slowly(p) for p in FILES if p.name != CONSTANT], ids=lambda p: p.name)
def test_the_oracle_agrees_with_differences(path: Path) -> None:
    net, of, _, _ = loaded(path)
    program, arrays = net._bind((), {})
    given = {**arrays, **net._kept(program)}
    wrong = [d for d in derivatives(program.replace(outputs=tuple(of)), given) if not d.is_right]
    assert not wrong
