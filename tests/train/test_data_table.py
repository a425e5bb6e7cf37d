"""Tables: what a CSV file says becomes columns, or one error with its line."""

from pathlib import Path

import numpy as np
import pytest
from datacases import LABEL, Input, X, only_one
from hypothesis import given
from hypothesis import strategies as st
from refused import told

from indexlang.text.diagnostics import DataError
from indexlang.train.data.dataset import Dataset
from indexlang.train.data.fitting import fitted_data
from indexlang.train.data.table import read_table

A, C = Input("a", ("B",)), Input("c", ("B",))


def table(folder: Path, text: str | bytes) -> Path:
    path = folder / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(folder: Path, text: str | bytes, *inputs: Input) -> dict[str, list[float]]:
    found = fitted_data(read_table(table(folder, text), inputs), inputs)
    return {name: column[:].tolist() for name, column in found.columns.items()}


ROWS = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
BOTH = {"x": ROWS, "label": [0, 1]}

GOOD = (
    ("x[0],x[1],x[2],label\n1,2,3,0\n4,5,6,1\n", BOTH),
    ("label,x[2],x[0],x[1]\n0,3,1,2\n1,6,4,5\n", BOTH),
    ("x_0,x_1,x_2,label\n1,2,3,0\n4,5,6,1", BOTH),
    ("X_0,X_1,X_2,LABEL\n1,2,3,0\n4,5,6,1", BOTH),
    ("label,u,v,w\n0,1,2,3\n1,4,5,6\n", BOTH),
    ("u,v,w,species\n1.0,2.0,3,0\n4,5.,6.0,1\n", {"x": ROWS, "label": [0, 1]}),
    ("u,v,w,label\n1.0,2,3,0\n4,5.5e0,6,1\n", {"x": [[1, 2, 3], [4, 5.5, 6]], "label": [0, 1]}),
    ('"u","v, and more",w,"label"\r\n"1",2,3,0\r\n\r\n4,"5",6,1\r\n', BOTH),
    ("\ufeffu,v,w,label\n1, 2 ,\t3,0\n+4,5,6,1\n\n\n", BOTH),
    ("name,x_0,x_1,x_2,label\nAnna,1,2,3,0\n,4,5,6,1\n", BOTH),
    ("x_0,x_1,x_2,label,x\n1,2,3,0,9\n4,5,6,1,9\n", None),
)


@pytest.mark.parametrize(("text", "columns"), GOOD)
def test_tables(tmp_path: Path, text: str, columns: dict[str, list[float]] | None):
    if columns is None:
        assert told(read, tmp_path, text, X, LABEL)[0] == "E0805"
    else:
        assert read(tmp_path, text, X, LABEL) == columns


def test_scalars_of_an_example(tmp_path: Path):
    assert read(tmp_path, "c,a,rest\n1,2.5,x\n3,4,y\n", A, C) == {"a": [2.5, 4], "c": [1, 3]}
    assert read(tmp_path, "x_0,x_1\n1,2\n", Input("x_0", ("B",)), Input("x_1", ("B",))) == {"x_0": [1], "x_1": [2]}


def test_a_table_of_pixels(tmp_path: Path):
    header = ",".join(["label", *(f"pixel{n}" for n in range(4))])
    found = read(tmp_path, f"{header}\n7,1,2,3,4\n", Input("image", ("B", 2, 2, 1)), LABEL)
    assert found == {"image": [[[[1], [2]], [[3], [4]]]], "label": [7]}


def test_numbers_are_those_of_python(tmp_path: Path):
    texts = ["0.1", "-1e-3", ".5", "5.", "123456789012345678", "1234567890123456789", "1E+2", "-0"]
    found = read_table(table(tmp_path, "a\n" + "\n".join(texts)), (A,)).columns["a"][:]
    assert found.tolist() == [float(t) for t in texts]
    whole = read_table(table(tmp_path, "a\n999999999999999999\n-3\n"), (A,)).columns["a"][:]
    assert whole.dtype == np.int64
    assert whole.tolist() == [999999999999999999, -3]


@given(
    st.lists(
        st.tuples(st.floats(allow_nan=False, allow_infinity=False), st.integers(1 - 10**18, 10**18 - 1)), min_size=1
    )
)
def test_every_number_is_read_as_python_reads_it(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[float, int]]
):
    text = "".join(f"{a!r},{n:+} \n" for a, n in rows)
    found = read_table(table(tmp_path_factory.getbasetemp(), f"a,label\n{text}"), (A, LABEL)).columns
    assert found["a"][:].tolist() == [a for a, _ in rows]
    assert found["label"][:].tolist() == [n for _, n in rows]


def test_more_lines_than_a_block(tmp_path: Path):
    lines = [f"{n},{n / 4}" for n in range(9000)]
    found = read_table(table(tmp_path, "\n".join(["label,a", *lines])), (LABEL, A))
    assert found.columns["label"][:].tolist() == list(range(9000))
    assert found.columns["a"][:].tolist() == [n / 4 for n in range(9000)]
    lines[8000] = "8000,oops"
    code, message, _ = told(read_table, table(tmp_path, "\n".join(["label,a", *lines])), (LABEL, A))
    assert code == "E0803"
    assert "t.csv, line 8002: `oops` in column `a`" in message


BAD = (
    ("", "it is empty", ""),
    ("\n\n", "it is empty", ""),
    ("1,2,3\n4,5,6\n", "line 1 holds numbers", "line of column names"),
    ("a,a\n1,2\n", "two columns have the name `a`", "rename"),
    ("a,\n1,2\n", "column 2 has no name", ""),
    ("a;label\n1;2\n", "not divided by commas", "commas"),
    ("a,label\n1,2\n3,\n", "line 3: the cell of column `label` is empty", ""),
    ("a,label\n1,2\n\n3,  \n", "line 4: the cell of column `label` is empty", ""),
    ("a,label\n1,2\n3\n", "line 3: it has 1 cell, but there are 2 columns", "one cell"),
    ("a,label\n1,2\n3,4,5\n", "line 3: it has 3 cells, but there are 2 columns", "one cell"),
    ("a,label\n1,2\nthree,4\n", "line 3: `three` in column `a` is not a number", "digits 0-9"),
    ("a,label\nnan,4\n", "line 2: `nan` in column `a` is not a number", ""),
    ("a,label\n1_000,4\n", "line 2: `1_000` in column `a`", ""),
    ("a,label\n٣,4\n", "line 2: `٣` in column `a`", ""),
    ("a,label\n²,4\n", "line 2: `²` in column `a`", ""),
    ("a,label\n0x10,4\n", "line 2: `0x10` in column `a`", ""),
    ('a,label\n"1,5",4\n', "line 2: `1,5` in column `a`", "a point, not a comma"),
    ('a,label\n1,2\n"1\n2",4\n', "line 4: `1 2` in column `a`", ""),
    ('a,label\n1,2\n"1\n",4\n', "line 4: `1 ` in column `a`", ""),
    ('a,label\n"1,2\n', "line 2", "quotation mark"),
    ('a,label\n"1"x,2\n', "line 2", "quotation mark"),
    (b"a,label\n1,2\n\xff,3\n", "byte 0xff is not UTF-8 text", "UTF-8"),
    ("a[0],a[2],label\n1,2,3\n", "`a[1]` is missing", "a[0], a[1]"),
    ("a[0],a,label\n1,2,3\n", "column `a` stands beside `a[0]`", ""),
    ("a,label\n\x1b[31m,2\n", "`<U+001B>[31m` in column `a`", ""),
    ("a,label\n" + "z" * 100 + ",2\n", "`" + "z" * 40 + "…`", ""),
    ("a,label\n" + "1" * 200_000 + "z,2\n", "field larger than field limit", ""),
)


@pytest.mark.parametrize(("text", "message", "hint"), BAD)
def test_tables_that_cannot_be_read(tmp_path: Path, text: str | bytes, message: str, hint: str):
    code, said, advice = told(read, tmp_path, text, A, LABEL)
    assert code == "E0803"
    assert message in said
    assert "t.csv" in said
    assert hint in advice


def test_what_a_table_lacks(tmp_path: Path):
    code, message, hint = told(read, tmp_path, "u,w,label\n1,2,3\n", X, LABEL)
    assert (code, "`u`[1] of int64" in message, "name a column `x`" in hint) == ("E0804", True, True)
    assert told(read, tmp_path, "u,w\n1,2\n", X, LABEL)[0] == "E0804"
    assert told(read, tmp_path, "a,label\n", A, LABEL)[0] == "E0808"
    code, message, hint = told(read, tmp_path, "a,label\n1,2.5\n", A, LABEL)
    assert (code, "column `label` of" in message, "whole numbers" in hint) == ("E0806", True, True)
    code, message, _ = told(read, tmp_path, "a,label\n1,2\n1e999,3\n", A, LABEL)
    assert code == "E0809"
    assert "t.csv, line 3: `a` is inf" in message


def test_places_are_lines(tmp_path: Path):
    found = read_table(table(tmp_path, "a\n1\n\n2\n"), (A,))
    assert found.place(1) == f"{tmp_path / 't.csv'}, line 4"


JUNK = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=100).map(lambda t: t.encode("utf-8", "surrogatepass")),
    st.lists(st.text('a1,".\n\r -e', max_size=12), max_size=8).map(lambda t: ("a,label\n" + "\n".join(t)).encode()),
    st.lists(st.tuples(st.text("0123456789.-+e\"', \n", max_size=6), st.integers()), max_size=6).map(
        lambda rows: ("label,x_0\n" + "\n".join(f"{n},{t}" for t, n in rows)).encode()
    ),
)


@given(JUNK, st.sampled_from([(A, LABEL), (X, LABEL), (Input("x", ("B", "N")),), (Input("x", ("B",), "int"),)]))
def test_any_bytes_give_data_or_one_error(tmp_path_factory: pytest.TempPathFactory, junk: bytes, inputs: tuple[Input]):
    path = table(tmp_path_factory.getbasetemp(), junk)
    try:
        found = fitted_data(read_table(path, inputs), inputs)
    except DataError as problem:
        only_one(problem)
    else:
        assert isinstance(found, Dataset)
        assert list(found.columns) == [info.name for info in inputs]
        assert all(np.isfinite(column[:]).all() for column in found.columns.values())
