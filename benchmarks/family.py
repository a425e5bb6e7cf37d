"""A network of examples/models beside torchvision's definition of it, with the same weights."""

import sys
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import indexlang as il
from benchmarks import peers

TESTS = Path(__file__).parents[1] / "tests"
SIDE = 224


def network(torch: Any, name: str, threads: int, training: bool = False) -> tuple[il.Program, dict[Any, Any]]:
    """Our program, and a module for each memory format; the weights are drawn once, in torch."""
    with suppress(ValueError):
        sys.path.remove(str(TESTS))
    sys.path.insert(0, str(TESTS))
    from models import beside
    from models.catalogue import BY_NAME

    model = BY_NAME[name]
    made = beside.made(model)
    constants = {"side": SIDE, "normalise": 0, **model.constants}
    net = il.load(model.path, constants=constants, dtype="f32", threads=threads, training=training)
    beside.carry(net, model.file, model.constants, made)
    copies = {layout: deepcopy(made).float().train(training) for layout in peers.formats(torch).values()}
    return net, {layout: module.to(memory_format=layout) for layout, module in copies.items()}
