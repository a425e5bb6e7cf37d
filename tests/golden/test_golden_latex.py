"""What is said of bad LaTeX, as files: tests/golden/latex/NAME.txt. Places are those in the LaTeX."""

from pathlib import Path

import pytest

from indexlang.api import check
from indexlang.text.render import render_plain

FOLDER = Path(__file__).parent / "latex"
RULE = "\n----\n"
WIDTH = 80

BAD = {
    "unknown_command": r"$$Y[i] = \sgima\left(\sum_j W[i,j] X[j]\right)$$",
    "unknown_sign": r"$$Y[i] = X[i] \otimes W[i]$$",
    "accent_over_a_sum": r"$$Y[i] = \hat{x + 1}$$",
    "matrix": r"$$Y[i] = \begin{pmatrix} 1 & 2 \end{pmatrix}$$",
    "words_inside": r"$$Y[i] = \text{the mean of } X[i]$$",
    "dots_in_a_sum": r"$$Y[i] = X[i,0] + \cdots + X[i,5]$$",
    "sum_from_one": r"$$Y[i] = \sum_{j=1}^{N} X[i,j]$$",
    "open_brace": r"$$Y[i] = \frac{X[i]}{2$$",
    "open_left": r"$$Y[i] = \left( X[i] + 1$$",
    "wrong_right": r"$$Y[i] = \left( X[i] \right] + 1$$",
    "cases_without_otherwise": r"$$Y[i] = \begin{cases} 1 & i < 2 \\ 2 & i > 3 \end{cases}$$",
    "half_a_fraction": r"$$Y[i] = \frac{1}$$",
    "bars": r"$$Y[i] = 2 | X[i] | + 1$$",
    "two_signs": r"$$Y[i] = X[i] + \cdot 2$$",
    "only_prose": "A net is $\\sigma$ after $W$.\n",
    "chain": "$$Y[i] = \\sum_j W[i,j] X[j]$$\n\n$$= \\sum_j X[j] W[i,j]$$\n",
    "loop_without_block": "$$\\text{for } \\ell = 1, \\ldots, 3:$$\n$$L_\\ell[i] = X[i]$$\n",
    "else_alone": "\\begin{aligned}\n\\text{else}: \\\\\n\\quad Y[i] = X[i]\n\\end{aligned}\n",
    "return_alone": r"$$\text{return } X[i]$$",
    "two_rows": "\\begin{aligned}\nY[i] &= \\foo X[i] \\\\\nZ[i] &= Y[i] \\\\\nV[i] &= \\bar + Z[i]\n\\end{aligned}\n",
    "conflicting_extents": "%! input X[4, 3]\n%! input W[2]\n\nThe layer $Y$:\n\n$$Y[b] = \\sum_i W[i] X[b,i]$$\n",
    "free_index": "$$Y[i] = \\sum_j W[i,j] \\tilde{X}_1[j, k]$$\n",
    "bad_declaration": "%! input X[3\n$$Y[i] = X[i]$$\n",
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_said(name: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    path = Path("slide.tex")
    path.write_text(BAD[name], encoding="utf-8")
    found = check(path)
    golden = FOLDER / f"{name}.txt"
    got = BAD[name].strip("\n") + RULE + "\n\n".join(render_plain(d, WIDTH) for d in found) + "\n"
    if request.config.getoption("--update-golden", default=False):
        golden.write_text(got, encoding="utf-8")
    assert found
    assert golden.exists(), "run `pytest tests/golden --update-golden`, and review the new file"
    assert golden.read_text(encoding="utf-8") == got


def test_no_file_is_left_over():
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(BAD)
