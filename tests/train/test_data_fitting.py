"""Columns become inputs: by name, else by what fits; and are looked through before the first step."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from datacases import IMAGE, LABEL, Input, X, numbered
from refused import told

import indexlang as il
from indexlang.interop.files import Declared
from indexlang.train.data.dataset import Dataset
from indexlang.train.data.fitting import fitted_data, label_range
from indexlang.train.data.splitting import split

X8 = np.arange(128.0).reshape(2, 8, 8)
INTS = np.array([0, 1])


def fit(columns: Mapping[str, Any], *inputs: Declared) -> dict[str, np.ndarray]:
    data = fitted_data(Dataset("d", columns), inputs)
    return data.take(np.arange(len(data)))


MATCHES = (
    # columns, inputs, input → column
    ({"x": np.ones((2, 3)), "y": np.ones((2, 3))}, (X,), {"x": "x"}),
    ({"x": np.ones((2, 3)), "X": np.ones((2, 3))}, (X,), {"x": "x"}),
    ({"X": np.ones((2, 3)), "Y": np.ones((2, 3))}, (X,), {"x": "X"}),
    ({"data": np.ones((2, 3)), "target": INTS}, (X, LABEL), {"x": "data", "label": "target"}),
    ({"data": np.ones((2, 3), np.uint8), "target": INTS}, (X, LABEL), {"x": "data", "label": "target"}),
    ({"data": np.ones((2, 3)), "ints": np.ones((2, 3), int)}, (X,), {"x": "data"}),
    ({"a": np.ones(2), "b": INTS}, (Input("v", ("B",)), LABEL), {"v": "a", "label": "b"}),
    ({"a": INTS}, (Input("v", ("B",)),), {"v": "a"}),
    ({"wide": np.ones((2, 4)), "fits": np.ones((2, 3))}, (X,), {"x": "fits"}),
)


@pytest.mark.parametrize(("columns", "inputs", "wanted"), MATCHES)
def test_matching(columns: dict[str, Any], inputs: tuple[Input, ...], wanted: dict[str, str]):
    found = fit(columns, *inputs)
    assert list(found) == [info.name for info in inputs]
    for name, column in wanted.items():
        assert (found[name] == columns[column]).all()


AMBIGUOUS = (
    ({"a": np.ones((2, 3)), "b": np.ones((2, 3))}, "`a` and `b` both fit"),
    ({"a": np.ones((2, 3)), "b": np.ones((2, 3)), "c": np.ones((2, 3))}, "all fit"),
    ({"a": np.ones((2, 4))}, "it wants [B, 3] of f32, and there is `a`[2, 4] of float64"),
    ({"XX": np.ones((2, 4))}, "it wants [B, 3]"),
)


@pytest.mark.parametrize(("columns", "message"), AMBIGUOUS)
def test_columns_that_are_for_no_input(columns: dict[str, Any], message: str):
    code, said, _ = told(fit, columns, X)
    assert code == "E0804"
    assert message in said


def test_a_name_almost_right_is_offered():
    assert "did you mean `labels`?" in told(fit, {"x": np.ones((2, 3)), "labels": np.ones(2)}, X, LABEL)[2]
    assert "no column is left" in told(fit, {"x": np.ones((2, 3))}, X, LABEL)[1]


EXTENTS = (
    (X8, ("B", 8, 8), (2, 8, 8)),
    (X8, ("B", 8, 8, 1), (2, 8, 8, 1)),
    (X8[..., None], ("B", 8, 8), (2, 8, 8)),
    (X8[:, None], ("B", 8, 8, 1), (2, 8, 8, 1)),
    (X8.reshape(2, 64), ("B", 8, 8, 1), (2, 8, 8, 1)),
    (X8[..., None], ("B", 64), (2, 64)),
    (X8, ("B", "X", "Y", 1), (2, 8, 8, 1)),
    (X8, ("B", "X", "Y"), (2, 8, 8)),
    (X8[..., None], ("B", "X", "Y"), (2, 8, 8)),
    (X8, ("B", 8, "2*N"), (2, 8, 8)),
    (X8[:, :1, 0], ("B",), (2,)),
    (X8[:, 0, 0], ("B", 1), (2, 1)),
    (X8, ("B", 4, 16), None),
    (X8, ("B", 8, 9), None),
    (X8, ("B", 8), None),
    (X8, ("B", "X"), None),
    (np.ones((2, 3, 8, 8)), ("B", 8, 8, 3), None),
)


@pytest.mark.parametrize(("column", "declared", "shape"), EXTENTS)
def test_extents(column: Any, declared: tuple[int | str, ...], shape: tuple[int, ...] | None):
    info = Input("x", declared)
    if shape is None:
        code, message, _ = told(fit, {"x": column}, info)
        assert code == "E0805"
        assert "column `x` of d is [2, " in message
        return
    found = fit({"x": column}, info)["x"]
    assert found.shape == shape
    assert (found.ravel() == column.ravel()).all()


def test_named_extents_agree():
    t = Input("t", ("B", "N"))
    assert fit({"x": np.ones((2, 4)), "t": np.ones((2, 4))}, Input("x", ("B", "N")), t)["t"].shape == (2, 4)
    code, message, _ = told(fit, {"x": np.ones((2, 4)), "t": np.ones((2, 5))}, Input("x", ("B", "N")), t)
    assert (code, "its column has 5 for N, and that of `x` has 4" in message) == ("E0805", True)


DTYPES = (
    ("f32", "float64", "float32"),
    ("f64", "float16", "float64"),
    ("f32", "uint8", "float32"),
    ("f32", "bool", "float32"),
    ("int", "uint8", "int64"),
    ("int", "uint64", "int64"),
    ("int", "int64", "int64"),
    ("u8", "int64", "uint8"),
    ("i32", ">i8", "int32"),
    ("bool", "bool", "bool"),
    ("int", "float32", None),
    ("bool", "int64", None),
    ("f32", "complex64", None),
    ("f32", "<U2", None),
    ("f64", "longdouble", None),
)


@pytest.mark.parametrize(("wanted", "given", "result"), DTYPES)
def test_dtypes(wanted: str, given: str, result: str | None):
    column = np.array([1, 0], given)
    info = Input("x", ("B",), wanted)
    if result is None:
        code, message, _ = told(fit, {"x": column}, info)
        assert code == "E0806"
        assert f"column `x` of d holds {column.dtype}" in message
        return
    found = fit({"x": column}, info)["x"]
    assert found.dtype == result
    assert found.tolist() == [1, 0]


def test_bytes_are_not_scaled():
    assert fit({"x": np.array([[0, 128, 255]], np.uint8)}, X)["x"].tolist() == [[0, 128, 255]]


def test_whole_numbers_out_of_range():
    for wanted, values in (("u8", [0, 300]), ("i32", [0, 2**40]), ("u8", [-1, 0])):
        code, message, _ = told(fit, {"x": np.array(values)}, Input("x", ("B",), wanted))
        assert (code, "outside its range" in message) == ("E0806", True)
    big = np.array([0, 2**63], np.uint64)
    assert told(fit, {"x": big}, Input("x", ("B",), "int"))[0] == "E0806"


BATCHLESS = (
    ((Input("rate", ()),), "it has no axes", "constant or a param"),
    ((Input("x", (8, 8, 1)),), "its first extent is 8", "`input x[B, …]`"),
    ((Input("x", ("2*B", 3)),), "its first extent is 2*B", "`input x[B, …]`"),
    ((X, Input("t", ("N",))), "but that of `x` is B", "name both B"),
    ((Input("x", ("B", "B")),), "`B` is another axis too", "another name"),
)


@pytest.mark.parametrize(("inputs", "message", "hint"), BATCHLESS)
def test_inputs_without_a_batch(inputs: tuple[Input, ...], message: str, hint: str):
    code, said, advice = told(fit, {"x": np.ones((2, 3))}, *inputs)
    assert code == "E0807"
    assert message in said
    assert hint in advice
    assert told(fit, {"x": np.ones((2, 3))})[0] == "E0804"


UNEVEN = (
    ({}, "has no columns"),
    ({"x": np.ones((0, 3))}, "has no examples"),
    ({"x": np.array(1.0)}, "has one number for `x`"),
    ({"x": np.ones((2, 3)), "y": np.ones(3)}, "has columns of unequal lengths: `x` 2, `y` 3"),
)


@pytest.mark.parametrize(("columns", "message"), UNEVEN)
def test_data_without_examples(columns: dict[str, Any], message: str):
    assert told(Dataset, "d", columns)[:2] == ("E0808", told(Dataset, "d", columns)[1])
    assert message in told(Dataset, "d", columns)[1]


@pytest.mark.parametrize("block", [1, 7, 10**6])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite(monkeypatch: pytest.MonkeyPatch, block: int, value: float):
    monkeypatch.setattr("indexlang.train.data.fitting.BLOCK", block)
    x = np.ones((40, 3))
    x[17, 2] = x[30, 0] = value
    code, message, _ = told(fit, {"x": x}, X)
    assert (code, message) == ("E0809", f"d, example 17: `x` is {value} at [2]")
    flat = np.ones(40)
    flat[17] = value
    assert told(fit, {"x": flat}, Input("x", ("B",)))[1] == f"d, example 17: `x` is {value}"


def test_what_float32_cannot_hold_is_infinite():
    assert told(fit, {"x": np.array([1, 1e300])}, Input("x", ("B",)))[1] == "d, example 1: `x` is inf"
    assert fit({"x": np.array([1, 1e300])}, Input("x", ("B",), "f64"))["x"][1] == 1e300


def test_columns_that_nothing_takes_may_hold_anything():
    assert list(fit({"x": np.ones((2, 3)), "y": np.array([np.nan, 1])}, X)) == ["x"]


@pytest.mark.parametrize("block", [1, 7, 10**6])
def test_labels_out_of_range(monkeypatch: pytest.MonkeyPatch, block: int):
    monkeypatch.setattr("indexlang.train.data.fitting.BLOCK", block)
    data = fitted_data(Dataset("d", {"label": np.arange(20) % 10}), (LABEL,))
    label_range(data, "label", 10)
    code, message, hint = told(label_range, data, "label", 9)
    assert (code, message) == ("E0810", "d, example 9: `label` is 9, but the classes are 0 to 8")
    assert "from 0" in hint
    assert "add classes" in told(label_range, data, "label", 5)[2] or block
    negative = fitted_data(Dataset("d", {"label": np.array([0, 1, -1])}), (LABEL,))
    assert told(label_range, negative, "label", 2)[1] == "d, example 2: `label` is -1, but the classes are 0 to 1"
    assert "0 alone" in told(label_range, negative, "label", 1)[1]


def test_a_part_names_the_examples_of_the_whole():
    data = fitted_data(numbered(20), (X, LABEL))
    _, validation = split(data, 5, 0)
    assert validation.take(np.array([3]))["label"][0] == int(validation.place(3).rsplit(" ", 1)[1])


def test_the_inputs_of_a_program():
    net = il.compile("input image[B,8,8,1]\ninput label[B] : int\ns = sum[b,x,y] image[b,x,y,0]*label[b]\noutput s")
    found = fit({"a": X8, "b": INTS}, *net.inputs.values())
    arguments: dict[str, Any] = dict(found)
    assert net(**arguments) == X8[1].sum()
    assert IMAGE.extents == net.inputs["image"].extents
