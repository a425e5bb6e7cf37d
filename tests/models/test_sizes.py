"""The parameters and multiply-adds of every network, as torchvision's have them."""

import pytest
from models.catalogue import MODELS, Model

import indexlang as il


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_parameters_and_multiply_adds(model: Model) -> None:
    """Batch norms, pools and sums are no multiply-adds; what the table counts is convolutions and linear layers."""
    net = il.load(model.path, constants=model.constants)
    assert net.inputs["Input"].extents[1:] == (model.side, model.side, 3)
    assert sum(t.params for t in net.tensors.values()) == model.parameters
    assert net.bound(B=1).summary().macs == model.macs


@pytest.mark.parametrize("model", [m for m in MODELS if m.heads], ids=lambda m: m.name)
def test_heads_are_there_in_training_alone(model: Model) -> None:
    net = il.load(model.path, constants=model.constants, training=True)
    assert sum(t.params for t in net.tensors.values()) == model.parameters + model.heads
