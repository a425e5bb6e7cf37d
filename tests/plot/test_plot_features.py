"""Features: the network of a run with its weights, shown an example; each channel a small picture."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from plot_drawn import colours, cut_off, figure_of, texts
from plot_folders import NET, step, trained, with_weights, written
from refused import told

from indexlang.api import compile
from indexlang.interop.weights import read_weights, write_weights
from indexlang.plot.examples import Example, from_data, from_files
from indexlang.plot.features import draw_features
from indexlang.plot.runs import Run, read_run
from indexlang.program import Program

RANDOM = np.random.default_rng(3)


def run_in(path: Path, config: str = "") -> Run:
    run = with_weights(trained(path / "r", epochs=1))
    if config:
        (run / "config.toml").write_text(config, encoding="utf-8")
    return read_run(run)


def image(path: Path) -> Path:
    value = RANDOM.random((2, 8, 8, 1)).astype(np.float32)
    np.save(path / "image.npy", value)
    return path / "image.npy"


def shown(path: Path) -> Callable[[Program], Example]:
    return partial(from_files, paths={"image": image(path)})


def pictures(figure: Any) -> list[np.ndarray[Any, Any]]:
    return [np.asarray(image.get_array()) for image in figure.axes[1].get_images()]


def test_features_are_those_of_the_trained_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    run, example = run_in(tmp_path), shown(tmp_path)
    figure = figure_of(partial(draw_features, run, "L1", example), tmp_path, monkeypatch)
    net = compile(NET)
    net.params.update(read_weights(run.path / "best.safetensors"))
    given = np.load(tmp_path / "image.npy")
    wanted = net(image=given, label=np.zeros(2, int), want=["L1"])[0]
    np.testing.assert_allclose(pictures(figure), np.moveaxis(wanted, 2, 0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(figure.axes[0].get_images()[0].get_array(), given[0, :, :, 0], rtol=1e-6)
    assert "L1[6, 6, 6], r, best epoch\nimage.npy" in texts(figure)
    assert cut_off(figure) == []


def test_a_tensor_of_one_channel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    figure = figure_of(partial(draw_features, run_in(tmp_path), "M", shown(tmp_path)), tmp_path, monkeypatch)
    assert [p.shape for p in pictures(figure)] == [(6, 6)]
    assert "M[6, 6]" in texts(figure)


def test_a_picture_is_written(tmp_path: Path):
    draw_features(run_in(tmp_path), "L1", shown(tmp_path), tmp_path / "a.png")
    draw_features(run_in(tmp_path), "L1", shown(tmp_path), tmp_path / "a.svg")
    assert colours(tmp_path / "a.png") > 20
    assert b"<svg" in (tmp_path / "a.svg").read_bytes()


def data(path: Path) -> tuple[Path, dict[str, Any]]:
    arrays = {"image": RANDOM.random((7, 8, 8, 1)).astype(np.float32), "label": np.arange(7)}
    np.savez(path / "data.npz", **arrays)
    return path / "data.npz", arrays


def test_an_example_of_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    place, arrays = data(tmp_path)
    run = run_in(tmp_path, f"data = {str(place)!r}\n")
    figure = figure_of(partial(draw_features, run, "L1", partial(from_data, run=run, number=4)), tmp_path, monkeypatch)
    np.testing.assert_allclose(figure.axes[0].get_images()[0].get_array(), arrays["image"][4, :, :, 0], rtol=1e-6)
    assert "data.npz, example 4, label = 4" in texts(figure)


def test_classes_have_names(tmp_path: Path):
    for name in ("cat", "dog"):
        (tmp_path / "pets" / name).mkdir(parents=True)
        Image.new("L", (8, 8), 128).save(tmp_path / "pets" / name / "1.png")
    run = run_in(tmp_path, f"data = {str(tmp_path / 'pets')!r}\n")
    assert from_data(compile(NET), run, 1).said.endswith("label = 1 (dog)")


def test_examples_that_are_not_there(tmp_path: Path):
    place, _ = data(tmp_path)
    run = run_in(tmp_path, f"data = {str(place)!r}\n")
    code, message, hint = told(from_data, compile(NET), run, 7)
    assert (code, hint) == ("E0843", "take 0 to 6")
    assert message.endswith("it has 7 examples")
    assert told(from_data, compile(NET), run_in(tmp_path, "lr = 0.1\n"), 0)[:2] == (
        "E0841",
        "the run r does not say where its data lies",
    )


WRONG = (
    ("l1", "E0605", "there is no tensor `l1`", "did you mean `L1`?"),
    ("features", "E0605", "there is no tensor `features`", "there are L1"),
    ("s", "E0842", "`s`[B, 10] is no picture [b,x,y,j]", "choose L1"),
    ("loss", "E0842", "`loss`[] is no picture [b,x,y,j]", "choose L1"),
    ("W1", "E0842", "`W1` is not computed: it is the same for every example", "draw it with --filters W1"),
    ("image", "E0842", "`image` is an input, and features are computed from it", "choose L1"),
)


@pytest.mark.parametrize(("name", "code", "message", "hint"), WRONG)
def test_what_has_no_features(tmp_path: Path, name: str, code: str, message: str, hint: str):
    found = told(draw_features, run_in(tmp_path), name, shown(tmp_path), tmp_path / "a.png")
    assert found == (code, message, hint)


def test_inputs_that_are_wrong(tmp_path: Path):
    run = run_in(tmp_path)
    files = partial(from_files, paths={"images": image(tmp_path)})
    assert told(draw_features, run, "L1", files, tmp_path / "a.png") == (
        "E0605",
        "there is no input `images`",
        "did you mean `image`?",
    )
    np.save(tmp_path / "label.npy", np.zeros(1, int))
    files = partial(from_files, paths={"label": tmp_path / "label.npy"})
    code, message, hint = told(draw_features, run, "L1", files, tmp_path / "a.png")
    assert (code, message) == ("E0604", "no value for input `image`")
    assert "--example" in hint
    np.save(tmp_path / "empty.npy", np.zeros((0, 8, 8, 1), np.float32))
    files = partial(from_files, paths={"image": tmp_path / "empty.npy"})
    assert told(draw_features, run, "L1", files, tmp_path / "a.png")[0] == "E0842"


def test_weights_of_another_program(tmp_path: Path):
    run = run_in(tmp_path)
    arrays = read_weights(run.path / "best.safetensors")
    write_weights(run.path / "best.safetensors", {"w1": arrays["W1"], "B1": arrays["B1"], "W2": arrays["W2"]})
    code, message, hint = told(draw_features, run, "L1", shown(tmp_path), tmp_path / "a.png")
    assert (code, message) == ("E0609", "the weights of r lack `W1`")
    assert hint == "is `w1` the program's `W1`?"
    write_weights(run.path / "best.safetensors", {**arrays, "W1": arrays["W1"][:2]})
    assert told(draw_features, run, "L1", shown(tmp_path), tmp_path / "a.png")[0] == "E0601"


CONSTANTS = """
F = 2
input image[B, 8, 8, 1]
param W1[3, 3, 1, F]
state scale = 1
L1[b,x,y,j] = scale * sum W1[dx,dy,i,j] * image[b, x+dx, y+dy, i]
loss = sum L1[b,x,y,j]
"""


@pytest.mark.parametrize("is_written_out", [False, True])
def test_constants_and_states(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_written_out: bool):
    """A run may keep the text as it was written, or with its constants in their places."""
    text = str(compile(CONSTANTS, constants={"F": 5}, dtype="f32")) if is_written_out else CONSTANTS
    path = written(tmp_path / "r", [step(1, 1, 1.0)], "[constants]\nF = 5\n", text)
    w = RANDOM.random((3, 3, 1, 5)).astype(np.float32)
    write_weights(path / "best.safetensors", {"W1": w, "scale": np.array(3.0, np.float32)})
    figure = figure_of(partial(draw_features, read_run(path), "L1", shown(tmp_path)), tmp_path, monkeypatch)
    given = np.load(tmp_path / "image.npy")[0, :, :, 0]
    assert len(pictures(figure)) == 5
    wanted = 3 * sum(w[dx, dy, 0, 4] * given[dx : dx + 6, dy : dy + 6] for dx in range(3) for dy in range(3))
    np.testing.assert_allclose(pictures(figure)[4], wanted, rtol=1e-4)


def test_a_program_that_is_missing(tmp_path: Path):
    run = run_in(tmp_path)
    (run.path / "program.idx").unlink()
    assert told(draw_features, run, "L1", shown(tmp_path), tmp_path / "a.png")[0] == "E0701"


def test_inputs_of_a_tensor():
    net = compile(NET)
    assert net.inputs_of("L1") == ("image",)
    assert net.inputs_of("loss") == ("image", "label")
    assert net.inputs_of("label") == ("label",)
    assert net.inputs_of("W1") == ()
