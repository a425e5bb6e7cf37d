"""`indexlang grad`: the equations of a gradient as a program, and their check."""

import json
from pathlib import Path

import numpy as np
import pytest
from commandline import Ended, indexlang

import indexlang as il

NET = """\
input X[B, 6, 6, 3]
input label[B] : int
param W[3, 3, 3, 4]
param C[4]
L[b,x,y,j] = relu(sum W[dx,dy,i,j]*X[b,x+dx,y+dy,i] - C[j])
P[b,j] = max[x,y] L[b,x,y,j]
loss = -1/B * sum[b] (P[b,label[b]] - logsumexp[j] P[b,j])
accuracy = 1/B * sum[b] (1 if argmax[j] P[b,j] == label[b] else 0)
output loss
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    Path("net.idx").write_text(NET, encoding="utf-8")
    return tmp_path


def written(text: str) -> str:
    Path("p.idx").write_text(text, encoding="utf-8")
    return "p.idx"


def good(*arguments: str) -> Ended:
    ended = indexlang("grad", *arguments)
    assert ended.exit == 0, ended.err
    return ended


def test_what_is_printed_is_a_program_that_runs():
    text = good("net.idx").out
    assert text == str(il.load("net.idx").grad("loss"))
    assert list(il.compile(text).outputs) == ["loss", "dW", "dC"]
    assert "accuracy" not in text


def test_of_and_with_respect_to():
    program = il.compile(good("net.idx", "--of", "loss", "--wrt", "C,X").out)
    assert list(program.outputs) == ["loss", "dC", "dX"]


def test_sizes_may_be_set():
    assert "input X[5, 6, 6, 3]" in good("net.idx", "-D", "B=5").out


def test_to_a_file_and_as_latex():
    assert good("net.idx", "-o", "g.idx").out == ""
    assert good("net.idx").out == Path("g.idx").read_text(encoding="utf-8")
    latex = good("net.idx", "--latex").out
    assert latex.startswith("\\begin{aligned}")
    assert list(il.compile(f"$${latex}$$").outputs)


def test_as_json():
    told = json.loads(good("net.idx", "--json", "--wrt", "C,X").out)
    assert (told["schema"], told["command"], told["of"]) == (1, "grad", "loss")
    assert told["gradients"] == [
        {"tensor": "C", "gradient": "dC", "extents": [4]},
        {"tensor": "X", "gradient": "dX", "extents": ["B", 6, 6, 3]},
    ]
    assert told["program"] == good("net.idx", "--wrt", "C,X").out


def test_a_gradient_that_is_zero_is_told():
    ended = good(written("input x[3]\nparam W[3]\nparam V[3]\nloss = sum W[i]*x[i]"))
    assert "W0501" in ended.err
    assert "dV[i0:3] = 0.0" in ended.out


def test_which_output_is_differentiated():
    assert good(written("loss = sum x[i]^2\nY[i] = x[i]\noutput Y, loss")).out.endswith("output loss, dx\n")
    for text, named in (
        ("a = sum x[i]\nc = sum x[i]^2", ("`a`", "`c`")),
        ("loss = sum x[i]^2\nY[i] = x[i]*loss", ("`loss`",)),
        ("Y[i] = 2*x[i]", ("loss = sum",)),
    ):
        ended = indexlang("grad", written(text))
        assert ended.exit == 1
        assert "E0504" in ended.err
        assert all(name in ended.err for name in named)


@pytest.mark.parametrize(
    ("arguments", "exit", "code"),
    [
        (("--of", "lost"), 1, "E0503"),
        (("--wrt", "V"), 1, "E0503"),
        (("--wrt", "label"), 1, "E0501"),
        (("--of", "P"), 1, "E0502"),
        (("--check", "--wrt", "P"), 1, "E0504"),
        (("--check", "--input", "Z=z.npy"), 3, "E0605"),
        (("--check", "--input", "X=z.npy"), 3, "E0701"),
        (("--check", "--latex"), 2, "--check"),
        (("--input", "X=z.npy"), 2, "--check"),
    ],
)
def test_wrong_use(arguments: tuple[str, ...], exit: int, code: str):
    ended = indexlang("grad", "net.idx", *arguments)
    assert ended.exit == exit
    assert code in ended.err
    assert "Traceback" not in ended.err


# -- the check


def test_the_check_prints_a_table():
    ended = good("net.idx", "--check", "--wrt", "W,C,X")
    head, _, *rows, last = ended.out.splitlines()
    assert head.split() == ["tensor", "elements", "kinks", "worst", "at", "gradient", "differences"]
    assert [row.split()[0] for row in rows] == ["W", "C", "X"]
    assert all(row.endswith("ok") for row in rows)
    assert "64 of 108" in ended.out
    assert "right" in last
    assert "B = 2" in ended.err
    assert max(map(len, ended.out.splitlines())) <= 80


def test_the_check_as_json():
    told = json.loads(good("net.idx", "--check", "--json", "-D", "B=3").out)["check"]
    assert told["ok"] is True
    assert [(t["name"], t["ok"]) for t in told["tensors"]] == [("W", True), ("C", True)]
    assert len(told["tensors"][0]["worst"]["index"]) == 4


def test_a_wrong_gradient_is_exit_code_1():
    ended = indexlang("grad", written("loss = sum stop(x[i])*x[i]"), "--check")
    assert ended.exit == 1
    assert "WRONG" in ended.out
    assert "with respect to x" in ended.out


def test_inputs_may_be_given():
    np.save("x.npy", np.ones((4, 6, 6, 3)))
    ended = good("net.idx", "--check", "--input", "X=x.npy")
    assert "B =" not in ended.err


def test_ints_are_drawn_inside_their_axes_where_these_are_known():
    good(written("input k[20] : int\ninput x[3]\nloss = sum[i] x[k[i]]^2"), "--check")
    good(written("input k[20] : int\ninput x[20]\nloss = sum k[i]*x[i]^2"), "--check")
    ended = indexlang(
        "grad", written("input k[20] : int\ninput x[3]\nloss = sum[i] (x[k[i] % 3]^2 + x[k[i] // 9])"), "--check"
    )
    assert ended.exit == 3
    assert "--input k=PATH" in " ".join(ended.err.split())


def test_extents_that_nothing_says_are_the_smallest_that_will_do():
    ended = good(written("input X[N]\nparam W[5]\nY[x] = sum W[dx]*X[x+dx]\nloss = mean Y[x]^2"), "--check")
    assert "N = 5" in ended.err
