"""`run` on a picture: how it is scaled, what its classes are called, where the parameters are from."""

import json
from pathlib import Path

import numpy as np
import pytest
from commandline import Ended, indexlang
from PIL import Image

import indexlang as il
from indexlang.interop.weights import write_weights

NET = "input Image[B,4,4,3]\nparam W[3,3]\nM[b,i] = sum[x,y] Image[b,x,y,i]\ns[b,j] = sum M[b,i]*W[i,j]\noutput s\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A red picture with a green edge; the scores are how much red, green and blue is seen."""
    monkeypatch.chdir(tmp_path)
    pixels = np.full((8, 8, 3), (255, 0, 0), np.uint8)
    pixels[0] = pixels[-1] = pixels[:, 0] = pixels[:, -1] = (0, 255, 0)
    Image.fromarray(pixels).save("p.png")
    Path("net.idx").write_text(NET)
    Path("names.txt").write_text("red\ngreen\nblue\n\n")
    write_weights("w.safetensors", {"W": np.eye(3, dtype=np.float32)})


def run(*more: str) -> Ended:
    return indexlang("run", "net.idx", "--input", "Image=p.png", "--weights", "w.safetensors", *more)


def test_names_stand_beside_scores():
    Path("names.json").write_text('["red", "green", "blue"]')
    for names in ("names.txt", "names.json"):
        ended = run("--labels", names)
        assert ended.exit == 0, ended.err
        lines = [line.split() for line in ended.out.splitlines() if line.endswith(("red", "green", "blue"))]
        assert [line[0] for line in lines] == ["0", "1", "2"]
        assert [line[2] for line in lines] == ["red", "green", "blue"]
    told = json.loads(run("--labels", "names.txt", "--json").out)
    assert [best["label"] for best in told["outputs"]["s"]["top"]] == ["red", "green", "blue"]
    assert "label" not in json.loads(run("--json").out)["outputs"]["s"]["top"][0]


def test_names_that_do_not_fit():
    wrong = {
        "two.txt": "red\ngreen\n",
        "gap.txt": "red\n\nblue\n",
        "none.txt": "\n\n",
        "none.json": "[]",
        "text.json": '"red"',
        "numbers.json": "[1, 2, 3]",
        "broken.json": "[",
        "deep.json": "[" * 100_000,
    }
    for name, text in wrong.items():
        Path(name).write_text(text)
    Path("bytes.txt").write_bytes(b"\xff\xfe\xfd")
    for name in (*wrong, "bytes.txt"):
        ended = run("--labels", name)
        assert ended.exit == 3, name
        assert "E0707" in ended.err, name
    assert "two.txt has 2 names, but `s` has 3" in run("--labels", "two.txt").err.replace("\n ", "")
    assert "E0701" in run("--labels", "missing.txt").err


def test_the_shorter_side_is_scaled():
    """Scaled to 8 pixels, the centre of 4×4 is all red; as it is by itself, the whole picture is seen."""
    assert json.loads(run("--json", "--resize", "8").out)["outputs"]["s"]["min"] == 0
    assert json.loads(run("--json").out)["outputs"]["s"]["top"][1]["value"] > 0
    ended = run("--resize", "3")
    assert ended.exit == 3
    assert "E0601" in ended.err
    assert run("--resize", "0").exit == 2


def test_where_parameters_are_from():
    assert "1 tensor by name" in run().out


def test_weights_are_shown(tmp_path: Path):
    odd = np.array([[1, np.nan, -2.5], [np.inf, 0, 3]], np.float32)
    write_weights("odd.safetensors", {"W": odd, "n": np.array(7), "none": np.zeros((0, 2), np.float32)})
    ended = indexlang("weights", "show", "odd.safetensors")
    assert ended.exit == 0
    assert "1 value infinite" in ended.out
    (row,) = (line.split() for line in ended.out.splitlines() if line.startswith("W"))
    assert row[-3:] == ["-2.5", "3", "1"]
    tensors = {
        t["name"]: t for t in json.loads(indexlang("weights", "show", "odd.safetensors", "--json").out)["tensors"]
    }
    assert tensors["W"]["nan"] == tensors["W"]["infinite"] == 1
    assert tensors["none"]["least"] is None
    assert tensors["n"] | {"form": ""} == {
        "name": "n", "extents": [], "form": "", "values": 1, "least": 7, "greatest": 7, "nan": 0, "infinite": 0,
    }  # fmt: skip
    assert indexlang("weights", "show", str(tmp_path)).exit == 3


def test_pictures_are_scaled_as_for_the_weights_of_torchvision() -> None:
    """Without --resize, where the weights are in torchvision's names and the picture is not larger than theirs."""
    model = Path(__file__).parents[2] / "examples" / "models" / "squeezenet.idx"
    pixels = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)
    Image.fromarray(pixels).save("big.png")
    il.load(model, constants={"version": 1.1}).init(0).save("own.safetensors")
    converted = indexlang("weights", "convert", "own.safetensors", "theirs.safetensors", "--as", "torchvision", "--family", "squeezenet1_1")  # fmt: skip
    assert converted.exit == 0, converted.err

    def ran(weights: str, *more: str) -> Ended:
        return indexlang("run", str(model), "--input", "Input=big.png", "--weights", weights, *more)

    def scores(weights: str, *more: str) -> list[float]:
        return [best["value"] for best in json.loads(ran(weights, "--json", *more).out)["outputs"]["s"]["top"]]

    theirs = scores("theirs.safetensors")
    assert theirs == scores("own.safetensors", "--resize", "256")
    assert theirs != scores("own.safetensors")
    assert "256 pixels" in " ".join(ran("theirs.safetensors").out.split())
    assert "pixels" not in ran("own.safetensors").out
    assert scores("theirs.safetensors", "-D", "side=300") == scores("own.safetensors", "-D", "side=300")
