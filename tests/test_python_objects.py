"""What Python shows of programs and results, and what is said of wrong names and places for results."""

from typing import Any

import numpy as np
import pytest

import indexlang as il

TWO = "input X[3]\nA[i] = 2*X[i]\nB[i] = A[i] + 1\noutput A, B"
X = np.arange(3.0, dtype=np.float32)


def refused(error: pytest.ExceptionInfo[il.IndexlangError]) -> tuple[str, str, str]:
    first = error.value.diagnostics[0]
    return first.code, first.message, first.hint


def test_programs_and_results_say_what_they_are() -> None:
    net = il.compile(TWO)
    assert repr(net) == "Program(X: f32[3]) -> A: f32[3], B: f32[3]"
    assert repr(net(X=X)) == "Results(A: float32[3], B: float32[3])"


def test_a_notebook_shows_formulas_and_a_table() -> None:
    net = il.compile(TWO)
    assert net._repr_latex_() == f"$${net.latex()}$$"
    page = net._repr_html_()
    assert page.count("<tr>") == page.count("</tr>") >= 4
    assert [page.index(f"<td>{name}</td>") for name in ("A", "B", "total")] == sorted(
        page.index(f"<td>{name}</td>") for name in ("A", "B", "total")
    )


def test_a_result_is_an_attribute() -> None:
    found = il.compile(TWO)(X=X)
    np.testing.assert_array_equal(found.B, 2 * X + 1)
    with pytest.raises(AttributeError, match="Q"):
        _ = found.Q


@pytest.mark.parametrize("stage", ["ast", "typed", "nest", "source"])
def test_one_equation_is_shown_alone(stage: str) -> None:
    net = il.compile(TWO)
    assert "A" in net.show(stage, "B")
    assert net.show(stage, "B") in net.show(stage) or len(net.show(stage, "B")) < len(net.show(stage))


def test_the_source_of_one_tensor_is_that_stage() -> None:
    net = il.compile(TWO)
    assert net.source("B") == net.show("source", "B")


def test_one_equation_as_a_formula() -> None:
    net = il.compile(TWO)
    assert "B" in net.latex("B")
    assert "X" not in net.latex("B")


def test_unknown_stages_and_equations_are_told() -> None:
    net = il.compile(TWO)
    with pytest.raises(il.DataError) as caught:
        net.show("tokens")
    assert refused(caught)[0] == "E0605"
    assert "nest" in refused(caught)[2]
    with pytest.raises(il.DataError) as caught:
        net.show("typed", "Bb")
    assert (refused(caught)[0], "`B`" in refused(caught)[2]) == ("E0605", True)


@pytest.mark.parametrize(
    "out",
    [
        np.empty(4, np.float32),
        np.empty(3),
        np.empty((6,), np.float32)[::2],
        np.frombuffer(bytes(12), np.float32),
        [0.0, 0.0, 0.0],
    ],
    ids=["another extent", "another type", "gaps", "read-only", "a list"],
)
def test_a_place_for_a_result_must_fit(out: Any) -> None:
    with pytest.raises(il.DataError) as caught:
        il.compile("input X[3]\nA[i] = 2*X[i]")(X=X, out={"A": out})
    assert (refused(caught)[0], "writeable C-contiguous" in refused(caught)[1]) == ("E0601", True)


def test_a_result_is_not_written_over_an_input() -> None:
    given = X.copy()
    with pytest.raises(il.DataError) as caught:
        il.compile("input X[3]\nA[i] = 2*X[i]")(X=given, out={"A": given})
    assert refused(caught)[0] == "E0608"
    np.testing.assert_array_equal(given, X)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("input X[3]\nA[i] = 2*X[i]", "add one"),
        ("input X[3]\na = sum X[i]\nb = sum 2*X[i]\noutput a, b", "`a`, `b`"),
    ],
    ids=["no scalar", "two scalars"],
)
def test_a_gradient_needs_one_scalar(text: str, word: str) -> None:
    with pytest.raises(il.ProgramError) as caught:
        il.compile(text).grad()
    assert (refused(caught)[0], word in refused(caught)[2]) == ("E0504", True)


def test_there_must_be_something_to_differentiate_by() -> None:
    with pytest.raises(il.ProgramError) as caught:
        il.compile("input X[3] : int\nloss = 0.5*sum X[i]").grad()
    assert refused(caught)[0] == "E0504"
