"""Inputs that nothing wanted reads may be left out of a call; the others may not."""

import numpy as np
import pytest

import indexlang as il

SCORED = """
input Image[b,i]
input label[b] : int
input weight[n]
param W[i:4,c:3]
s[b,c] = sum Image[b,i]*W[i,c]
loss = sum[b] s[b,label[b]]
w[n] = 2*weight[n]
output s, loss, w
"""
X = np.arange(8, dtype=np.float32).reshape(2, 4)
LABEL = np.array([0, 2])
WEIGHT = np.ones(5, np.float32)


def scored(dtype: str | None = None) -> il.Program:
    return il.compile(SCORED, dtype=dtype).init(3)


def code(error: pytest.ExceptionInfo[il.IndexlangError]) -> tuple[str, str]:
    first = error.value.diagnostics[0]
    return first.code, first.message


@pytest.mark.parametrize("dtype", [None, "f64"])
def test_scores_without_labels(dtype: str | None) -> None:
    with pytest.raises(il.DataError) as caught:
        scored(dtype)(Image=X, want="s")  # nobody says how long `weight` is, and so what n is
    assert code(caught) == ("E0604", "no value for input `weight`")
    net = scored(dtype)
    whole = net(X, LABEL, WEIGHT)
    for _ in range(2):  # the second call is one like the first
        found = net(Image=X, weight=WEIGHT, want="s")
        np.testing.assert_array_equal(found, whole.s)
        assert found.dtype == whole.s.dtype
        np.testing.assert_array_equal(net(Image=X, weight=WEIGHT, want=("w", "s")).w, 2 * WEIGHT)


@pytest.mark.parametrize("want", [None, "loss", ("s", "loss")])
def test_what_is_read_must_be_given(want: str | tuple[str, ...] | None) -> None:
    with pytest.raises(il.DataError) as caught:
        scored()(Image=X, weight=WEIGHT, want=want)
    assert code(caught) == ("E0604", "no value for input `label`")


def test_an_unknown_wish_is_told_before_what_is_left_out() -> None:
    with pytest.raises(il.DataError) as caught:
        scored()(Image=X, want="scores")
    assert code(caught)[0] == "E0605"


def test_states_in_training_need_what_they_read() -> None:
    text = "input X[b]\ninput T[b]\nstate m = 0\nm <- sum T\ny[b] = 2*X[b]\nz[b] = X[b] + m\n"
    net = il.compile(text, training=True)
    with pytest.raises(il.DataError) as caught:
        net(X=X[0], want="y")
    assert code(caught) == ("E0604", "no value for input `T`")


def test_one_more_axis() -> None:
    net = il.compile("input X[i:4]\ninput T[i:4]\ny[i] = 2*X[i]\nz[i] = X[i]*T[i]")
    np.testing.assert_array_equal(net(X=X, want="y"), 2 * X)


def test_an_array_for_the_only_result() -> None:
    net, place = il.compile("input X[i]\ny[i] = 2*X[i]\nz[i] = X[i] + 1\noutput y, z"), np.empty(4, np.float32)
    assert net(X[0], want="z", out=place) is place
    np.testing.assert_array_equal(place, X[0] + 1)
    with pytest.raises(il.DataError) as caught:
        net(X[0], out=place)
    assert code(caught) == ("E0608", "`out`: it does not say which result goes where")


def test_a_place_for_what_is_not_computed() -> None:
    with pytest.raises(il.DataError) as caught:
        il.compile("input X[i]\nscore[i] = 2*X[i]")(X[0], out={"scores": np.empty(4, np.float32)})
    assert code(caught)[0] == "E0605"
    assert "`score`" in str(caught.value)
