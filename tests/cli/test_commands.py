"""run, check and show, as a user calls them."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commandline import Ended, indexlang
from PIL import Image

from indexlang.cli.commands import check as check_command
from indexlang.interop.weights import write_weights
from indexlang.pipeline import STAGES
from indexlang.text.diagnostics import diagnostic

NET = """\
# two layers and a softmax
input X[B, 4]
param W1[4, 8] ~ xavier
param W2[8, 3] ~ xavier
L1[b,j] = relu(sum X[b,i]*W1[i,j])
L2[b,k] = sum L1[b,j]*W2[j,k]
s[b,k] = exp(L2[b,k]) / sum[m] exp(L2[b,m])
output s
"""
WRONG = "input X[5]\nA[i:5] = X[i+1]\nC[i] = rleu(X[i])\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test runs in a folder with a program and its input."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "net.idx").write_text(NET, encoding="utf-8")
    (tmp_path / "bad.idx").write_text(WRONG, encoding="utf-8")
    np.save(tmp_path / "x.npy", np.arange(4.0).reshape(1, 4))
    return tmp_path


def program(text: str, name: str = "p.idx") -> str:
    Path(name).write_text(text, encoding="utf-8")
    return name


def good(*arguments: str) -> Ended:
    ended = indexlang(*arguments)
    assert ended.exit == 0, ended.err
    assert "Traceback" not in ended.err
    return ended


def as_json(*arguments: str) -> dict[str, Any]:
    value = json.loads(good(*arguments, "--json").out)
    assert value["schema"] == 1
    return value


# -- run


def test_run_prints_a_table_and_the_best_scores():
    out = good("run", "net.idx", "--input", "X=x.npy").out
    lines = out.splitlines()
    assert lines[0].split() == ["equation", "extents", "parameters", "multiply-adds", "ms", "GFLOP/s"]
    assert [line.split("[")[0] for line in lines if line.startswith(("L", "s[b"))] == ["L1", "L2", "s"]
    assert "1×8" in out
    (total,) = [line for line in lines if line.startswith("total")]
    assert total.split()[1:3] == ["56", "56"]
    assert "top 3 of 3" in out
    assert "random" in out
    assert "--weights" in out
    assert max(map(len, lines)) <= 80


def test_run_as_json():
    value = as_json("run", "net.idx", "--input", "X=x.npy", "--top", "2")
    assert [row["name"] for row in value["equations"]][:3] == ["L1", "L2", "s"]
    assert value["totals"]["parameters"] == 56
    assert value["totals"]["multiply_adds"] == 56
    assert value["parameters_are_random"] is True
    best = value["outputs"]["s"]["top"]
    assert len(best) == 2
    assert best[0]["value"] >= best[1]["value"]
    assert abs(value["outputs"]["s"]["mean"] - 1 / 3) < 1e-6


def test_a_failed_run_as_json_says_why():
    ended = indexlang("run", "bad.idx", "--json")
    value = json.loads(ended.out)
    assert ended.exit == 1
    assert value["schema"] == 1
    assert {d["code"] for d in value["diagnostics"]} == {"E0412", "E0204"}
    assert "error[E0412]" in ended.err


def test_run_is_repeatable_and_the_seed_matters():
    def scores(*flags: str) -> np.ndarray:
        good("run", "net.idx", "--input", "X=x.npy", "--out", "s=s.npy", *flags)
        return np.load("s.npy")

    first = scores()
    assert (scores() == first).all()
    assert (scores("--threads", "1") == first).all()
    assert (scores("--seed", "1") != first).any()
    assert scores("--dtype", "f64").dtype == np.float64


def test_run_with_weights_says_so():
    weights = {"W1": np.ones((4, 8), np.float32), "W2": np.ones((8, 3), np.float32)}
    write_weights("w.safetensors", weights)
    ended = good("run", "net.idx", "--input", "X=x.npy", "--weights", "w.safetensors", "--out", "s=s.npy")
    assert "random" not in ended.out
    np.testing.assert_allclose(np.load("s.npy"), 1 / 3, rtol=1e-6)


def test_run_writes_any_tensor_and_shows_those_wanted():
    out = good("run", "net.idx", "--input", "X=x.npy", "--want", "L1,L2", "--out", "L1=l.npz", "--out", "s=s.npy").out
    assert "L1[1, 8]" in out
    assert "s[1, 3]" not in out
    assert np.load("l.npz")["L1"].shape == (1, 8)
    assert np.load("s.npy").shape == (1, 3)


def test_run_sets_constants():
    name = program('s = 1\ninput X[9] from "v.npy"\nA[i] = X[s*i]')
    np.save("v.npy", np.arange(9.0))
    good("run", name, "-D", "s=2", "--out", "A=a.npy")
    assert np.load("a.npy").tolist() == [0, 2, 4, 6, 8]


def test_run_takes_the_picture_that_the_program_names():
    name = program('input X[B,8,8,3] from "p.png"\nA[b,c] = mean[x,y] X[b,x,y,c]')
    Image.fromarray(np.full((10, 20, 3), (255, 0, 51), np.uint8)).save("p.png")
    good("run", name, "--out", "A=a.npy")
    np.testing.assert_allclose(np.load("a.npy"), [[1, 0, 0.2]], atol=1e-6)


def test_run_shows_steps_with_profile():
    out = good("run", "net.idx", "--input", "X=x.npy", "--profile").out
    assert out.startswith("step")
    assert "share" in out


def test_run_of_scalars_ints_bools_and_odd_values():
    name = program("a = sum X[i]\nb[i] = X[i] > 1\nc = argmax[i] X[i]\nd[i] = X[i]/0.0\nk[i:0] = X[i]")
    np.save("v.npy", np.array([0.0, 1.0, 2.0]))
    out = good("run", name, "--input", "X=v.npy").out
    assert "a = 3" in out
    assert "1 of 3 true" in out
    assert "c = 2" in out
    assert "3 of 3 not finite" in out
    assert "empty" in out
    value = as_json("run", name, "--input", "X=v.npy")["outputs"]
    assert value["a"]["value"] == 3
    assert value["d"]["not_finite"] == 3


# -- check


def test_check_says_what_is_wrong_on_stderr():
    ended = indexlang("check", "bad.idx", "net.idx")
    assert ended.exit == 1
    assert ended.out == "bad.idx: 2 errors\nnet.idx: no errors\n"
    assert "error[E0412]" in ended.err
    assert "bad.idx:2:12" in ended.err
    assert "error[E0204]" in ended.err
    assert "\x1b" not in ended.err


def test_check_as_json():
    ended = indexlang("check", "bad.idx", "--format", "json")
    value = json.loads(ended.out)
    assert ended.exit == 1
    assert value["schema"] == 1
    assert value["files"] == [{"file": "bad.idx", "errors": 2}]
    assert {d["code"] for d in value["diagnostics"]} == {"E0412", "E0204"}
    assert all(d["line"] and d["hint"] for d in value["diagnostics"])


def test_check_in_one_line_each():
    lines = indexlang("check", "bad.idx", "--format", "short").out.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("bad.idx:") and ": error[E0" in line for line in lines)


def test_check_for_a_workflow():
    lines = indexlang("check", "bad.idx", "--format", "github").out.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("::error file=bad.idx,line=") for line in lines)


def test_a_warning_is_no_error(monkeypatch: pytest.MonkeyPatch):
    warning = diagnostic("W0301", op="sum", term="`y`")
    monkeypatch.setattr(check_command, "check", lambda *_, **__: [warning])
    ended = good("check", "net.idx")
    assert "warning[W0301]" in ended.err
    assert ended.out == "net.idx: no errors, 1 warning\n"


def test_a_missing_file_is_a_data_problem():
    ended = indexlang("check", "net.idx", "missing.idx")
    assert ended.exit == 3
    assert "E0701" in ended.err


# -- show


@pytest.mark.parametrize("stage", STAGES)
def test_show_prints_every_stage(stage: str):
    assert "L1" in good("show", "net.idx", "--stage", stage, "-D", "B=1").out


def test_show_of_one_equation():
    out = good("show", "net.idx", "--stage", "typed", "--equation", "L2").out
    assert out.startswith("L2[")
    assert "relu" not in out


def test_show_the_summary():
    out = good("show", "net.idx", "--summary").out
    for word in ("L1", "32", "24", "56"):
        assert word in out


def test_show_writes_a_file():
    ended = good("show", "net.idx", "-o", "out.idx")
    assert ended.out == ""
    assert "L1" in Path("out.idx").read_text(encoding="utf-8")
    assert good("check", "out.idx").exit == 0


def test_show_of_no_such_equation():
    ended = indexlang("show", "net.idx", "--stage", "typed", "--equation", "Q")
    assert ended.exit in (1, 2, 3)
    assert "Q" in ended.err


# -- fmt


def test_fmt_lays_out_in_place_and_keeps_the_mode(folder: Path):
    path = folder / "f.idx"
    path.write_bytes(b"\xef\xbb\xbfA[ i ]=X[i]*2 # twice\r\n")
    path.chmod(0o640)
    assert good("fmt", "f.idx").out == ""
    assert path.read_bytes() == b"A[i] = X[i] * 2  # twice\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert not list(folder.glob(".*"))


def test_fmt_leaves_what_a_link_points_to_linked(folder: Path):
    program("A[ i ]=X[i]", "f.idx")
    (folder / "link.idx").symlink_to("f.idx")
    good("fmt", "link.idx")
    assert (folder / "link.idx").is_symlink()
    assert (folder / "f.idx").read_text() == "A[i] = X[i]\n"


def test_fmt_check_and_diff_write_nothing():
    program("A[ i ]=X[i]", "f.idx")
    ended = indexlang("fmt", "--check", "f.idx")
    assert (ended.exit, ended.err) == (1, "f.idx: the layout would change\n")
    shown = good("fmt", "--diff", "f.idx").out
    assert "-A[ i ]=X[i]\n+A[i] = X[i]\n" in shown
    assert Path("f.idx").read_text() == "A[ i ]=X[i]"
    good("fmt", "f.idx")
    assert good("fmt", "--check", "--diff", "f.idx").out == ""


def test_fmt_reads_stdin(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("A[ i ]=σ(X[i])".encode())))
    assert good("fmt", "--ascii", "-").out == "A[i] = sigmoid(X[i])\n"


def test_fmt_leaves_a_file_with_mistakes():
    program("A[i] = + * 2\nC[ i ]=X[i]", "f.idx")
    program("A[ i ]=X[i]", "g.idx")
    ended = indexlang("fmt", "f.idx", "nothere.idx", "g.idx")
    assert ended.exit == 3
    assert "E0101" in ended.err
    assert "E0701" in ended.err
    assert Path("f.idx").read_text() == "A[i] = + * 2\nC[ i ]=X[i]"
    assert Path("g.idx").read_text() == "A[i] = X[i]\n"


def test_fmt_says_which_names_stay():
    program("A[x] = W[dx] * X[x+Δx]", "f.idx")
    assert "`Δx` stays" in good("fmt", "--ascii", "f.idx").err
