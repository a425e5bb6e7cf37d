# pyright: reportMissingImports=false
"""Every code of the table is reached by a test: by its own example, by a row of the bad programs, or by name.

Codes that need more than a text (data, a run, a file) are named by the tests of what raises them; the few that no other
test names are raised here.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bad_programs import BAD, CALLS
from feeds import REGRESSION

import indexlang as il
from indexlang.text.codes import CODES

HERE = Path(__file__).resolve()
DATA = {"X": np.ones((8, 4)), "T": np.ones((8, 2))}
NO_RATE = "def still(W[I...], g[I...], what, Φ) = W - what*g\n"
AMBIGUOUS = "input X[B]\ninput B[3]\ndef F(L[I]) = sum L[i]\nY = F(B)"


def fitted(**settings: Any) -> Any:
    return il.compile(REGRESSION).init(0).fit(DATA, epochs=1, val=0, watchers=(), **settings)


def fitted_by_file(folder: Path) -> Any:
    path = folder / "still.idx"
    path.write_text(NO_RATE)
    return fitted(optimizer=str(path))


RAISED: dict[str, Callable[[Path], Any]] = {
    "E0208": lambda folder: il.compile(AMBIGUOUS),
    "E0610": lambda folder: il.compile("input X[3]\nY[i:N] = X[0]*i\nparam N_0[N]\nZ = sum[i:N] N_0[i]")(X=np.ones(3)),
    "E0820": lambda folder: fitted(optimizer="adams"),
    "E0821": lambda folder: il.compile(REGRESSION).init(0).fit("", epochs=1, watchers=()),
    "E0823": fitted_by_file,
}


@pytest.mark.parametrize("code", RAISED)
def test_a_code_that_no_other_test_names(code: str, tmp_path: Path) -> None:
    with pytest.raises(il.IndexlangError) as caught:
        RAISED[code](tmp_path)
    assert code in [d.code for d in caught.value.diagnostics], str(caught.value)
    assert all(d.hint for d in caught.value.diagnostics)


def named() -> set[str]:
    """The codes that tests name, but for the lists of alternatives of the table of bad programs, and this file."""
    files = (p for p in HERE.parent.rglob("test_*.py") if p != HERE)
    return {code for p in files for code in re.findall(r"[EW]\d{4}", p.read_text(encoding="utf-8"))}


def reached(code: str) -> bool:
    shown = code in CODES and bool(CODES[code].example)  # tests/golden runs each example
    return shown or code in {r.code for r in (*BAD, *CALLS)} or code in RAISED or code in named()


@pytest.mark.parametrize("code", CODES)
def test_each_code_is_reached(code: str) -> None:
    assert reached(code)


def test_a_code_without_a_test_is_found() -> None:
    assert not reached("E0999"), "a code that no row, no example and no other file names"
