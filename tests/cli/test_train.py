"""`indexlang train` as its users meet it: settings, bad data, runs that are killed, interrupted and go on."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commandline import indexlang
from long_runs import part_of
from safetensors.numpy import load_file

NET = """
input X[N, 4]
input label[N] : int
F[N,16] = FC(X)
H[N,16] = Dropout(relu(BatchNorm(F)), drop 0.2)
s[N,3] = FC(H)
loss = CrossEntropy(s, label)
accuracy = 1/N * sum[n] (1 if argmax[k] s[n,k] == label[n] else 0)
output s, loss, accuracy
"""
EXAMPLES = 200
EPOCHS = "150"  # of runs that are killed


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program with data beside it: three clusters of four numbers each. Lines are long enough for any path."""
    monkeypatch.setenv("COLUMNS", "500")
    random = np.random.default_rng(0)
    label = random.integers(0, 3, EXAMPLES)
    x = (random.standard_normal((3, 4))[label] * 2 + random.standard_normal((EXAMPLES, 4))).astype(np.float32)
    np.savez(tmp_path / "data.npz", X=x, label=label)
    file = tmp_path / "net.idx"
    file.write_text(NET)
    return file


def arguments(net: Path, folder: str, *more: str) -> list[str]:
    data, run = net.parent / "data.npz", net.parent / folder
    return ["train", str(net), "--data", str(data), "--save", str(run), "--batch", "16", "--seed", "3", *more]


def weights(net: Path, folder: str) -> dict[str, bytes]:
    return {n: a.tobytes() for n, a in load_file(net.parent / folder / "last.safetensors").items()}


def test_a_run_from_beginning_to_end(net: Path):
    ended = indexlang(*arguments(net, "run", "--epochs", "4", "--lr", "0.05"))
    assert ended.exit == 0
    assert ended.out.startswith("best epoch ")
    assert f"kept in {net.parent / 'run'}" in ended.out
    lines = ended.err.splitlines()
    assert lines[0] == "net: 160 examples, 163 parameters; compiling"
    assert [line.split("  ")[0] for line in lines[1:5]] == [f"epoch {n}/4" for n in range(1, 5)]
    assert "\x1b" not in ended.err
    assert "\r" not in ended.err
    folder = net.parent / "run"
    assert {p.name for p in folder.iterdir()} == {
        "about.json", "best.safetensors", "checkpoint.safetensors", "config.toml", "last.safetensors",
        "metrics.jsonl", "program.idx"}  # fmt: skip
    told = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [t["kind"] for t in told].count("step") == 40
    assert told[-1]["validation"]["accuracy"] > 0.8


def test_json(net: Path):
    ended = indexlang(*arguments(net, "run", "--epochs", "1", "--json"))
    found = json.loads(ended.out)
    assert found["schema"] == 1
    assert found["epochs"] == found["best_epoch"] == 1
    assert set(found["best"]) == {"loss", "accuracy"}


def test_settings_come_from_the_file_beside_then_from_flags(net: Path):
    net.with_suffix(".toml").write_text('optimizer = "momentum"\nlr = 0.5\nepochs = 7\n[options]\nbeta = 0.8\n')
    ended = indexlang("train", str(net), "--lr", "0.25", "--print-config", "-D", "K=3")
    assert ended.exit == 0
    assert 'optimizer = "momentum"' in ended.out
    assert "lr = 0.25" in ended.out
    assert "epochs = 7" in ended.out
    assert ended.out.endswith("[options]\nbeta = 0.8\n\n[constants]\nK = 3\n")
    other = net.parent / "other.toml"
    other.write_text("epochs = 2\n")
    assert "epochs = 2" in indexlang("train", str(net), "--config", str(other), "--print-config").out


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("epoch = 3", "did you mean `epochs`"),
        ("epochs = 'three'", "it is a whole number"),
        ("epochs = true", "it is a whole number"),
        ("batch = 0", "it is at least 1"),
        ("lr = -1.0", "it is more than 0"),
        ("lr = nan", "it is a finite number"),
        ("options = 3", "it is a table of numbers"),
        ("[options]\nbeta = 'x'", "it is a number"),
        ("dtype = 'f16'", "it is f32 or f64"),
        ("epochs = ", "is not TOML"),
    ],
)
def test_a_wrong_setting(net: Path, settings: str, said: str):
    net.with_suffix(".toml").write_text(settings)
    ended = indexlang("train", str(net), "--print-config")
    assert ended.exit == 3
    assert said in " ".join(ended.err.split())
    assert ended.err.count("error[") == 1


def changed(net: Path, **columns: Any) -> None:
    whole = dict(np.load(net.parent / "data.npz"))
    np.savez(net.parent / "data.npz", **{**whole, **columns})


def bad_labels(net: Path) -> None:
    label = np.load(net.parent / "data.npz")["label"]
    label[17] = 3
    changed(net, label=label)


def bad_number(net: Path) -> None:
    x = np.load(net.parent / "data.npz")["X"]
    x[17, 2] = np.nan
    changed(net, X=x)


BAD_DATA = {
    "a file that is missing": (lambda net: (net.parent / "data.npz").unlink(), "data.npz"),
    "labels out of range": (bad_labels, "17"),
    "NaN in row 17": (bad_number, "17"),
    "wrong extents": (lambda net: changed(net, X=np.zeros((EXAMPLES, 5), np.float32)), "5"),
    "floats for labels": (lambda net: changed(net, label=np.zeros(EXAMPLES)), "label"),
    "unequal lengths": (lambda net: changed(net, label=np.zeros(7, int)), "7"),
    "no examples": (lambda net: changed(net, X=np.zeros((0, 4)), label=np.zeros(0, int)), "data.npz"),
}


@pytest.mark.parametrize("name", BAD_DATA)
def test_bad_data_is_told_before_anything_is_trained(net: Path, name: str):
    spoil, said = BAD_DATA[name]
    spoil(net)
    ended = indexlang(*arguments(net, "run"))
    assert ended.exit == 3
    assert ended.err.count("error[") == 1
    assert said in ended.err
    assert not (net.parent / "run").exists()


def test_no_data_at_all(net: Path):
    ended = indexlang("train", str(net))
    assert ended.exit == 3
    assert "--data digits" in ended.err


def test_a_run_is_not_written_over(net: Path):
    indexlang(*arguments(net, "run", "--epochs", "1"))
    ended = indexlang(*arguments(net, "run", "--epochs", "1"))
    assert ended.exit == 3
    assert "E0824" in ended.err


def test_a_run_goes_on_to_more_epochs(net: Path):
    indexlang(*arguments(net, "straight", "--epochs", "4"))
    indexlang(*arguments(net, "run", "--epochs", "2"))
    ended = indexlang(*arguments(net, "run", "--epochs", "4", "--resume"))
    assert ended.exit == 0
    assert weights(net, "run") == weights(net, "straight")
    lines = [(net.parent / r / "metrics.jsonl").read_text().splitlines() for r in ("run", "straight")]
    told = [[{k: v for k, v in json.loads(s).items() if k != "seconds"} for s in found] for found in lines]
    assert told[0] == told[1]


def test_other_settings_are_another_run(net: Path):
    indexlang(*arguments(net, "run", "--epochs", "1"))
    ended = indexlang(*arguments(net, "run", "--epochs", "2", "--lr", "0.5", "--resume"))
    assert ended.exit == 3
    assert "E0822" in ended.err


def test_a_lost_number_ends_the_run_with_exit_4(net: Path):
    ended = indexlang(*arguments(net, "run", "--lr", "1e30", "--optimizer", "sgd"))
    assert ended.exit == 4
    assert "E1001" in ended.err


def started(net: Path, folder: str, *more: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "indexlang", *arguments(net, folder, "--epochs", EPOCHS, *more)]
    # a shell's background jobs are started with SIGINT ignored
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))  # fmt: skip


def until(path: Path, has: int, process: "subprocess.Popen[str]") -> None:
    """Wait until a file has so many lines."""
    begun = time.monotonic()
    while time.monotonic() - begun < 120 and process.poll() is None:
        if path.exists() and path.read_text().count("\n") >= has:
            return
        time.sleep(0.002)


def killed(net: Path, folder: str, seed: int, lives: int) -> int:
    """A run that is killed `lives` times, each a random time after it has begun to train: how many were cut short.

    It is resumed in the end, and must come to the bits of the run that lies in `straight`.
    """
    random = np.random.default_rng(seed)
    metrics, cut_short = net.parent / folder / "metrics.jsonl", 0
    for life in range(lives):
        process = started(net, folder, *(("--resume",) if life else ()))
        until(metrics, 1 + (metrics.read_text().count("\n") if life else 0), process)
        time.sleep(float(random.random()) * 0.1)
        process.kill()
        process.communicate()
        cut_short += process.returncode == -signal.SIGKILL
    ended = indexlang(*arguments(net, folder, "--epochs", EPOCHS, "--resume"))
    assert ended.exit == 0, (seed, ended.err)
    assert weights(net, folder) == weights(net, "straight"), seed
    assert not list((net.parent / folder).glob(".*")), seed
    return cut_short


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_killed_ten_times_it_ends_with_the_same_bits(net: Path):
    indexlang(*arguments(net, "straight", "--epochs", EPOCHS))
    assert killed(net, "run", 5, 10) >= 5


@pytest.mark.soak
@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_killed_five_hundred_times_it_ends_with_the_same_bits(net: Path):
    """Fifty runs of ten lives."""
    indexlang(*arguments(net, "straight", "--epochs", EPOCHS))
    seeds = part_of(range(100, 150))
    assert sum(killed(net, f"run{seed}", seed, 10) for seed in seeds) >= 5 * len(seeds)


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_saves_and_says_how_to_go_on(net: Path):
    indexlang(*arguments(net, "straight", "--epochs", EPOCHS))
    process = started(net, "run")
    until(net.parent / "run" / "metrics.jsonl", 1, process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    if process.returncode == 0:
        pytest.skip("it was done before Ctrl-C came")
    assert process.returncode == 130, err
    assert not out
    assert "interrupted after" in err
    assert f"--save {net.parent / 'run'} --resume" in err
    ended = indexlang(*arguments(net, "run", "--epochs", EPOCHS, "--resume"))
    assert ended.exit == 0
    assert weights(net, "run") == weights(net, "straight")


def test_what_was_learnt_is_run_without_a_label(net: Path):
    """The scores of a trained network: an input that only the loss reads need not be given."""
    indexlang(*arguments(net, "run", "--epochs", "1"))
    np.save(net.parent / "x.npy", np.load(net.parent / "data.npz")["X"][:5])
    best, x = net.parent / "run" / "best.safetensors", net.parent / "x.npy"
    ended = indexlang("run", str(net), "--weights", str(best), "--input", f"X={x}", "--want", "s")
    assert ended.exit == 0, ended.err
    assert "s[5, 3]" in ended.out
    missing = indexlang("run", str(net), "--input", f"X={x}")
    assert missing.exit == 3
    assert "`label`" in missing.err
