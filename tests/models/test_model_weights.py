"""The maps of weights beside torchvision's own names: every tensor of every network, and files as torchvision writes them."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from models.catalogue import BY_NAME, MODELS, Model
from models.names import theirs

import indexlang as il
from indexlang.interop.maps import best, to_ours, to_theirs
from indexlang.interop.weights import Entry
from indexlang.interop.weights.forms import BY_NAME as FORMS

torch = pytest.importorskip("torch")

from models.beside import networks  # noqa: E402  (torch may be absent)
from models.weights import carry  # noqa: E402

FAMILIES = {
    "resnet.idx": "resnet",
    "mobilenet.idx": "mobilenet_v2",
    "shufflenet.idx": "shufflenet_v2",
    "inception.idx": "inception_v3",
}


Named = tuple[str, Mapping[str, Any]]


def program(model: Model, **more: Any) -> il.Program:
    return il.load(model.path, constants={**model.constants, "side": model.small, **more})


def named(model: Model) -> dict[str, tuple[int, ...]]:
    """Names and extents of torchvision's tensors; none is allocated."""
    with torch.device("meta"):
        net = getattr(networks, model.name)(**model.options)
    return {name: tuple(value.shape) for name, value in net.state_dict().items()}


def entries(extents: Mapping[str, tuple[int, ...]]) -> dict[str, Entry]:
    return {name: Entry(name, FORMS["F32"], e, lambda: np.zeros(0)) for name, e in extents.items()}


def extents(tensors: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(map(int, tensor.extents)) for name, tensor in tensors.items()}


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_every_tensor_finds_its_own(model: Model):
    net, found = program(model), entries(named(model))
    params, states = extents(net.params.tensors), extents(net.state.tensors)
    fit = best(params, states, found)
    assert fit.complete, fit
    assert fit.map.name in (FAMILIES.get(model.file), model.name, model.file.removesuffix(".idx"))
    assert {pair.ours: pair.entry.name for pair in fit.pairs} == {
        name: theirs(model.file, name, model.constants) for name in (*params, *states)
    }
    left = set(found) - {pair.entry.name for pair in fit.pairs}
    assert all(name.endswith("num_batches_tracked") or name.lower().startswith("aux") for name in left)


def written(model: Model, folder: Path, how: Any = None) -> tuple[Path, Any]:
    twin = getattr(networks, model.name)(**model.options)
    for name, value in twin.state_dict().items():
        if not name.endswith("_tracked"):
            value.uniform_(0.5, 1.5)
    state = {how(name) if how else name: value for name, value in twin.state_dict().items()}
    torch.save(state, folder / "w.pth")
    return folder / "w.pth", twin


def compared(model: Model, path: Path, twin: Any) -> str:
    """What was said of the file; its numbers are those that the tests of the models carry over."""
    net, wanted = program(model), carry(program(model), model.file, model.constants, twin)
    said = net.load_weights(path)
    for own, other in ((net.params, wanted.params), (net.state, wanted.state)):
        assert own.keys() == other.keys()
        for name in own:
            assert own[name].tobytes() == other[name].tobytes(), name
    assert not net.parameters_are_random
    all_ours = {**net.params, **net.state}
    state = {name: value.numpy() for name, value in twin.state_dict().items() if not name.endswith("_tracked")}
    same_bits(to_theirs(all_ours), (said.map, state))  # names and extents tell the family
    same_bits(to_ours(state), (said.map, all_ours))
    return str(said)


def same_bits(found: Named, wanted: Named) -> None:
    assert found[0] == wanted[0]
    assert {n: a.tobytes() for n, a in found[1].items()} == {n: a.tobytes() for n, a in wanted[1].items()}
    assert {n: a.shape for n, a in found[1].items()} == {n: a.shape for n, a in wanted[1].items()}


SMALL = ("squeezenet1_0", "squeezenet1_1", "shufflenet_v2_x0_5", "mnasnet0_5", "mobilenet_v2", "resnet18")


@pytest.mark.parametrize("name", SMALL)
def test_files_of_torchvision(tmp_path: Path, name: str):
    compared(BY_NAME[name], *written(BY_NAME[name], tmp_path))


def test_groups_and_flattened_pictures(tmp_path: Path):
    """ResNeXt has grouped filters; AlexNet's fc6 reads a picture, which torch flattens in another order."""
    resnext, alexnet = BY_NAME["resnext50_32x4d"], BY_NAME["alexnet"]
    for model in (resnext, alexnet):
        compared(model, *written(model, tmp_path))


def test_the_published_names_of_densenet(tmp_path: Path):
    """They say `norm.1` where the definition says `norm1`."""

    def older(name: str) -> str:
        return re.sub(r"(denselayer\d+\.(?:norm|conv))(\d)", r"\1.\2", name)

    model = BY_NAME["densenet121"]
    path, twin = written(model, tmp_path, older)
    assert "features.denseblock1.denselayer1.norm.1.weight" in torch.load(path)
    assert "121 num_batches_tracked left out" in compared(model, path, twin)


def test_heads_for_training_are_left_out(tmp_path: Path):
    model = BY_NAME["googlenet"]
    torch.save(networks.googlenet(init_weights=False).state_dict(), tmp_path / "w.pth")
    said = str(program(model).load_weights(tmp_path / "w.pth"))
    assert "by the map googlenet" in said
    assert "aux1 left out" in said
    training = il.load(model.path, constants={"side": 224}, training=True)
    assert "aux1 left out" not in str(training.load_weights(tmp_path / "w.pth"))


def test_another_network_is_told_and_changes_nothing(tmp_path: Path):
    path, _ = written(BY_NAME["resnet18"], tmp_path)
    net = program(BY_NAME["resnet34"])
    before = net.params["conv1.W"]
    with pytest.raises(il.DataError, match="by the map resnet") as caught:
        net.load_weights(path)
    assert caught.value.diagnostics[0].code == "E0609"
    assert "lacks" in str(caught.value)
    assert net.params["conv1.W"] is before
    ten = program(BY_NAME["resnet18"], classes=10)
    with pytest.raises(il.DataError) as caught:
        ten.load_weights(path)
    assert "`fc.W` wants [10, 512], but `fc.weight` has [1000, 512]" in str(caught.value)
