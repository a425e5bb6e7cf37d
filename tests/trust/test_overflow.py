"""Whole numbers at the edge of 64 bits: what indices decide is refused, what data decide wraps and is then checked.

Both were holes once: a border test was dropped because a product of an index is "never negative", and a check of a
product of data because LLVM was promised that it never wraps. What would go wrong ends the process, so each runs in one.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import indexlang as il

ROOT = Path(__file__).parents[2]
CHILD = """
import sys, numpy as np, indexlang as il
text, value = sys.argv[1], int(sys.argv[2])
try:
    print(list(il.compile(text, dtype="f64")(np.arange(100.0), np.array([0, 1, 2, value]))))
except il.DataError as error:
    print(error.diagnostics[0].code)
"""


def outcome(text: str, value: int) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", CHILD, text, str(value)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr[-1000:]
    return ended.stdout.strip()


GATHER = "input X[100]\ninput t[4] : int\nA[i] = X[{}]\n"
SUBSCRIPTS = (
    "t[i]*t[i]",
    "t[i]*t[i]*t[i]",
    "t[i]*4611686018427387905",
    "t[i] + 9223372036854775800",
    "(t[i]*t[i])//t[i]",
)
VALUES = (3037000500, 2**32 + 5, 2**62, -(2**62), 2**63 - 1, -(2**63), -1, 100)


@pytest.mark.parametrize("subscript", ["t[i]*t[i]", "(t[i] + 9223372036854775800) // 3 * 3"])
def test_a_product_of_data_that_wraps_is_checked(subscript: str) -> None:
    assert outcome(GATHER.format(subscript), 3037000500) == "E0607"


@pytest.mark.parametrize("subscript", SUBSCRIPTS)
@pytest.mark.parametrize("value", VALUES)
def test_compiled_and_interpreted_agree_on_what_wraps(subscript: str, value: int) -> None:
    program = il.compile(GATHER.format(subscript), dtype="f64")
    given = np.arange(100.0), np.array([0, 1, 2, value])
    try:
        with np.errstate(over="ignore"):
            wanted = program.interpret(*given)
    except il.DataError:
        with pytest.raises(il.DataError, match="E0607"):
            program(*given)
    else:
        np.testing.assert_array_equal(program(*given), wanted)


@pytest.mark.parametrize("rule", ["0", "edge", "wrap", "mirror", "reflect"])
@pytest.mark.parametrize("factor", [4611686018427387905, 4611686019427387904, 2**63 - 1])
def test_an_index_that_would_wrap_is_refused(rule: str, factor: int) -> None:
    (found,) = il.check(f"input X[5]\nA[i:5] = X[i*{factor} else {rule}]\n")
    assert found.code == "E0315"
    assert str(4 * factor) in found.message


@pytest.mark.parametrize(
    "text",
    [
        "A[i:5] = i*4611686018427387905\n",
        "A[i:5] = 1.5*(i*4611686018427387905)\n",
        "A = sum[i:3000000000, j:3] i*i*i*j\n",
        "input X[3]\nA[i] = X[i] if i*4611686018427387905 < 5 else 0\n",
        "input X[3]\nA[i] = max(i*9223372036854775807, 3)*X[i]\n",
        "A[i:5] = (i*4611686018427387905) // 4611686018427387905\n",
        "input X[3]\nA[i:3] = X[(i + 9223372036854775806)%3]\n",
    ],
)
def test_every_place_of_an_index_is_looked_at(text: str) -> None:
    assert {d.code for d in il.check(text)} == {"E0315"}


@pytest.mark.parametrize(
    "text",
    [
        "A[i:2] = i*9223372036854775807\n",
        "A[i:5] = i*2305843009213693951\n",
        "A[i:0] = i*4611686018427387905*4\n",
        "input X[3]\nA[i:3] = X[(i + 9223372036854775805)%3]\n",
    ],
)
def test_what_fits_is_no_mistake(text: str) -> None:
    assert il.check(text) == []


def test_the_last_value_that_fits_is_right() -> None:
    assert list(il.compile("A[i:2] = i*9223372036854775807 - 1\n")()) == [-1, 2**63 - 2]
