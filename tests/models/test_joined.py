"""`L ; R` of DenseNet: layers are written where they belong, and what was there before is never written again."""

from typing import Any

import pytest
from models.catalogue import BY_NAME, MODELS

import indexlang as il
from indexlang import pipeline
from indexlang.ir.equation import Program
from indexlang.ir.expr import Const, Expr, Read, Select
from indexlang.ir.layout import layout
from indexlang.passes.embed import copied
from indexlang.run.machine import target

STAGES = {"densenet121": (6, 12, 24, 16), "densenet161": (6, 12, 36, 24), "densenet169": (6, 12, 32, 32), "densenet201": (6, 12, 48, 32)}  # fmt: skip
OTHERS = [m.name for m in MODELS if m.name in STAGES and m.name != "densenet121"]


def densenet(name: str, side: int = 64, **how: Any) -> Program:
    net = il.load(BY_NAME[name].path, constants={**BY_NAME[name].constants, "side": side}, **how)
    return net.bound(B=2)._typed  # pyright: ignore[reportPrivateUsage]


def moved(e: Expr) -> str | None:
    """The tensor whose elements are stored as they are, at any place and with any border; None where anything is computed."""
    match e:
        case Read(tensor=tensor):
            return tensor
        case Select(then=a, other=b):
            parts = {moved(p) for p in (a, b) if not isinstance(p, Const)}
            return parts.pop() if len(parts) == 1 else None
        case _:
            return None


def copies(name: str, program: Program) -> list[str]:
    """The kernels that only copy what is joined, or was."""
    simple = pipeline.simple(program, program.outputs, target())
    steps = pipeline.plan(program, program.outputs, target()).steps
    wholes = {layout(simple, f"L_{k}_{layers}").root for k, layers in enumerate(STAGES[name], 1)}
    parts = {t.name for t in simple.tensors if layout(simple, t.name).root in wholes or t.name.startswith(("L_", "R_"))}
    return [s.nest.title for s in steps if moved(s.equation.body) in parts]


def nothing_is_copied(name: str, program: Program) -> None:
    simple = pipeline.simple(program, program.outputs, target())
    for k, layers in enumerate(STAGES[name], 1):
        whole = layout(simple, f"L_{k}_{layers}").root
        assert all(layout(simple, f"L_{k}_{n}").root == whole for n in range(layers))
    assert not copies(name, program)


def test_what_a_layer_joins_is_one_buffer() -> None:
    program = densenet("densenet121")
    joins = sum(STAGES["densenet121"])
    assert sum(e.part and copied(e) is not None for e in program.equations) == 2 * joins  # both parts, as it is written
    nothing_is_copied("densenet121", program)


def test_it_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the pass that embeds the parts, each join copies both of them."""
    monkeypatch.setattr(pipeline, "embed_copies", lambda program: program)
    program = densenet("densenet121")
    assert len(copies("densenet121", program)) == 2 * sum(STAGES["densenet121"])


@pytest.mark.soak
@pytest.mark.parametrize("name", OTHERS)
def test_the_others_at_full_size(name: str) -> None:
    nothing_is_copied(name, densenet(name, 224))
