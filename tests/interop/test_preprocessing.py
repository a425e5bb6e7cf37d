"""Pictures as torchvision's classifiers see them: scaled to a shorter side, cut about the centre, the same bytes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from test_files import CAT, Info, code

from indexlang.interop.files import read_input

PRESETS = ((224, 256), (224, 232), (299, 342), (224, 224))


def drawn(path: Path, width: int, height: int) -> Path:
    pixels = np.random.default_rng(width).integers(0, 256, (height, width, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def by_hand(path: Path, side: int, shorter: int) -> np.ndarray[Any, Any]:
    """What torchvision's Resize and CenterCrop do to a picture of pillow's."""
    image = Image.open(path)
    short, long = sorted(image.size)
    scaled = [shorter if n == short else int(shorter * long / short) for n in image.size]
    image = image.resize((scaled[0], scaled[1]), Image.Resampling.BILINEAR)
    top, left = round((image.height - side) / 2), round((image.width - side) / 2)
    return np.asarray(image, np.float32)[top : top + side, left : left + side] / 255


@pytest.mark.parametrize(("side", "shorter"), PRESETS)
@pytest.mark.parametrize("extents", [(451, 300), (300, 451), (256, 256), (225, 1000), (1001, 777)])
def test_pixels_of_torchvision(tmp_path: Path, side: int, shorter: int, extents: tuple[int, int]):
    path = drawn(tmp_path / "p.png", *extents)
    found = read_input(path, Info((1, side, side, 3)), shorter=shorter)
    np.testing.assert_array_equal(found[0], by_hand(path, side, shorter))


@pytest.mark.parametrize(("side", "shorter"), PRESETS)
@pytest.mark.parametrize("extents", [(451, 300), (225, 1000), (1001, 777)])
def test_beside_torchvision_itself(tmp_path: Path, side: int, shorter: int, extents: tuple[int, int]):
    torch = pytest.importorskip("torch")
    pytest.importorskip("models.beside")  # declares what torchvision wants before it can be imported
    presets = pytest.importorskip("torchvision.transforms._presets")
    view = presets.ImageClassification(crop_size=side, resize_size=shorter, mean=(0.0,) * 3, std=(1.0,) * 3)
    path = drawn(tmp_path / "p.png", *extents)
    wanted = view(Image.open(path)).movedim(0, -1).numpy()
    assert torch.is_tensor(view(Image.open(path)))
    np.testing.assert_allclose(read_input(path, Info((side, side, 3)), shorter=shorter), wanted, atol=1e-7)


def test_an_extent_that_is_free_is_the_pictures(tmp_path: Path):
    path = drawn(tmp_path / "p.png", 40, 20)
    assert read_input(path, Info(("X", "Y", 3)), shorter=10).shape == (10, 20, 3)
    assert read_input(path, Info((8, "Y", 3)), shorter=10).shape == (8, 20, 3)


def test_a_centre_that_is_not_there(tmp_path: Path):
    assert code(read_input, CAT, Info((224, 224, 3)), None, 200) == "E0601"
    assert code(read_input, drawn(tmp_path / "thin.png", 30_000, 1), Info((9, 9, 3)), None, 5000) == "E0601"
