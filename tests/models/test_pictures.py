"""What the networks see of a picture: normalised as the published weights want it."""

import numpy as np
import pytest
from models.catalogue import FOLDER

import indexlang as il

MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


@pytest.mark.parametrize("file", ["resnet.idx", "googlenet.idx", "inception.idx"])
def test_pictures_are_normalised(file: str) -> None:
    """GoogLeNet and Inception v3 undo the mean and deviation, for 0.5 and 0.5 (torchvision's transform_input)."""
    image = np.random.default_rng(5).random((1, 96, 96, 3))
    wanted = (image - MEAN) / DEVIATION
    if file != "resnet.idx":
        wanted = wanted * (DEVIATION / 0.5) + (MEAN - 0.5) / 0.5
    net = il.load(FOLDER / file, constants={"side": 96}, dtype="f64")
    found = net(Input=image, want=["Picture"])
    np.testing.assert_allclose(found["Picture"] if not isinstance(found, np.ndarray) else found, wanted, atol=1e-12)
