"""`indexlang plot`: what is written where, and flags that do not go together."""

import sys
from pathlib import Path

import numpy as np
import pytest
from commandline import indexlang
from plot_drawn import colours
from plot_folders import layer, signals, trained, with_weights, written


def run_in(path: Path, name: str = "r") -> str:
    return str(with_weights(trained(path / name, epochs=2)))


def test_curves_go_into_the_folder_of_the_run(tmp_path: Path):
    ended = indexlang("plot", run_in(tmp_path))
    assert (ended.exit, ended.err) == (0, "")
    assert ended.out == f"{tmp_path / 'r' / 'curves.png'}\n"
    assert colours(tmp_path / "r" / "curves.png") > 20


def test_each_picture_has_its_name(tmp_path: Path):
    run = run_in(tmp_path)
    np.save(tmp_path / "image.npy", np.random.default_rng(0).random((1, 8, 8, 1)).astype(np.float32))
    given = f"image={tmp_path / 'image.npy'}"
    for flags, name in (
        (["--filters"], "filters.png"),
        (["--filters", "W2"], "filters-W2.png"),
        (["--features", "L1", "--input", given], "features-L1.png"),
        ([run_in(tmp_path, "other")], "comparison.png"),
    ):
        ended = indexlang("plot", run, *flags)
        assert (ended.exit, ended.out) == (0, f"{tmp_path / 'r' / name}\n"), ended.err
        assert (tmp_path / "r" / name).exists()


def test_signals_as_svg(tmp_path: Path):
    run = written(tmp_path / "r", [signals(1, 1, [layer("L1")])])
    ended = indexlang("plot", str(run), "--signals", "-o", str(tmp_path / "s.svg"))
    assert (ended.exit, ended.out) == (0, f"{tmp_path / 's.svg'}\n")
    assert (tmp_path / "s.svg").read_bytes().startswith(b"<?xml")


def test_damaged_lines_are_told(tmp_path: Path):
    run = trained(tmp_path / "r", epochs=1)
    with open(run / "metrics.jsonl", "a", encoding="utf-8") as file:
        file.write('{"kind": "st')
    ended = indexlang("plot", str(run))
    assert ended.exit == 0
    assert ended.err == "note: r: line 22 is damaged in metrics.jsonl, and left out\n"


def test_an_example_of_the_digits(tmp_path: Path):
    pytest.importorskip("sklearn")
    ended = indexlang("plot", run_in(tmp_path), "--features", "L1", "--example", "3")
    assert ended.exit == 0, ended.err
    assert colours(tmp_path / "r" / "features-L1.png") > 20


USAGE = (
    ([], "name a run"),
    (["--filters", "RUN"], "write RUN before it"),
    (["RUN", "--filters", "--signals"], "ask for one"),
    (["RUN", "--filters", "W1", "--features", "L1", "--example", "0"], "ask for one"),
    (["RUN", "RUN", "--filters"], "curves only"),
    (["RUN", "--input", "image=x.npy"], "go with --features"),
    (["RUN", "--example", "0"], "go with --features"),
    (["RUN", "--features", "L1"], "needs one of"),
    (["RUN", "--features", "L1", "--example", "0", "--input", "image=x.npy"], "needs one of"),
    (["RUN", "--features", "L1", "--example", "-1"], "--example"),
)


@pytest.mark.parametrize(("arguments", "said"), USAGE)
def test_flags_that_do_not_go_together(tmp_path: Path, arguments: list[str], said: str):
    run = str(trained(tmp_path / "r", epochs=1))
    ended = indexlang("plot", *(run if a == "RUN" else a for a in arguments))
    assert (ended.exit, ended.out) == (2, "")
    assert said in ended.err


def test_data_that_is_wrong_ends_in_3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    run = run_in(tmp_path)
    for arguments, code in (
        ([str(tmp_path)], "E0840"),
        ([run, "--signals"], "E0841"),
        ([run, "--filters", "B1"], "E0842"),
        ([run, "-o", str(tmp_path / "a.pdf")], "E0705"),
    ):
        ended = indexlang("plot", *arguments)
        assert (ended.exit, ended.out) == (3, "")
        assert f"error[{code}]" in ended.err
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    ended = indexlang("plot", run)
    assert ended.exit == 3
    assert "pip install 'indexlang[plot]'" in ended.err
