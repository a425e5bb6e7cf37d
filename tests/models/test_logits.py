"""The logits of every network, beside torchvision's definition of it."""

import numpy as np
import pytest
from models.beside import made, ours, pictures, theirs
from models.catalogue import BY_NAME, MODELS, Model

QUICK = ("squeezenet1_1",)


def agree(model: Model, side: int) -> None:
    """In float64 to 1e-9 of the largest logit; in float32 to ten times torch's own error."""
    net, images = made(model), pictures(side)
    wanted = theirs(net, images)
    assert abs(wanted[0] - wanted[1]).max() > 0.05 * abs(wanted).max()  # the pictures are told apart
    size = abs(wanted).max()
    assert abs(ours(model, net, side, "f64")(Input=images) - wanted).max() < 1e-9 * size
    single = ours(model, net, side, "f32")(Input=images.astype(np.float32))
    own = abs(theirs(net.float(), images) - wanted).max()
    assert abs(single - wanted).max() < max(10 * own, 1e-5 * size)


@pytest.mark.parametrize("name", QUICK)
def test_small_pictures(name: str) -> None:
    agree(BY_NAME[name], BY_NAME[name].small)


@pytest.mark.soak
@pytest.mark.parametrize("model", [m for m in MODELS if m.name not in QUICK], ids=lambda m: m.name)
def test_small_pictures_of_the_others(model: Model) -> None:
    agree(model, model.small)


@pytest.mark.soak
@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_whole_pictures(model: Model) -> None:
    agree(model, model.side)
