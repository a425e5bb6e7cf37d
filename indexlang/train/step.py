"""A program → its step of training, in the same language: the text, and behind it one equation for each parameter.

before   loss = …
after    loss = …
         optim.now = optim.cosine(optim.rate, optim.t, optim.steps, optim.warm)
         W <- optim.adam(W, d(loss)/d(W), optim.now, optim.decay, optim.t, optim.W)

So the update is part of the same plan as the gradient that it reads, and can join it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from indexlang.ir.dtypes import DType
from indexlang.program import Program
from indexlang.results import Results
from indexlang.summary import TensorInfo
from indexlang.syntax.parse import parse
from indexlang.text.diagnostics import data_error, program_error
from indexlang.text.names import did_you_mean
from indexlang.text.source import Source
from indexlang.train.rules import PREFIX, Rule, optimizer, schedule

Number = int | float


@dataclass(frozen=True, slots=True)
class Recipe:
    """How parameters are to follow their gradients.

    loss     a scalar of the program       clip   the most that the norm of all gradients may be; None: any
    rate     the learning rate             warm   steps in which it rises
    options  constants of the optimiser, as `beta`
    """

    loss: str
    optimizer: str = "adam"
    schedule: str = "constant"
    rate: float = 1e-3
    decay: float = 0.0
    clip: float | None = None
    warm: int = 0
    options: Mapping[str, Number] = field(default_factory=dict[str, Number])


@dataclass(frozen=True)
class Step:
    """A program whose every run is a step.

    metrics  the loss, and the other scalar outputs      rate  the name of the rate that was used, or ''
    """

    program: Program
    recipe: Recipe
    metrics: tuple[str, ...]
    rate: str

    def inputs(self, batch: Mapping[str, Any], t: int, steps: int) -> dict[str, Any]:
        """The inputs of step `t` of `steps`, counted from 1."""
        r = self.recipe
        numbers = {"rate": r.rate, "t": t, "steps": steps, "warm": r.warm, "decay": r.decay, "clip": r.clip}
        given = {PREFIX + n: np.float64(v) for n, v in numbers.items() if v is not None}
        return {**batch, **known_inputs(self.program, given)}

    def wanted(self) -> tuple[str, ...]:
        """The tensors that every step gives."""
        return (*self.metrics, self.rate) if self.rate else self.metrics

    def read(self, results: Results) -> dict[str, float]:
        """The metrics as numbers."""
        return {n: float(results[n]) for n in self.metrics}


def known_inputs(program: Program, given: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the values that a program takes: out of training it may read fewer inputs."""
    return {n: a for n, a in given.items() if n in program.inputs}


def loss_of(net: Program, name: str | None) -> str:
    """The tensor to be made small: the one named, else `loss`, else the only scalar output. Raises E0504, E0605."""
    scalars = [t.name for t in net.tensors.values() if t.role == "computed" and _is_scalar(t)]
    if name is not None and name not in scalars:
        advice = did_you_mean(name, scalars, f"the scalars are {', '.join(scalars) or 'none'}")
        raise data_error("E0605", kind="scalar", name=name, advice=advice)
    return name or ("loss" if "loss" in scalars else net.loss)


def metrics_of(net: Program, loss: str) -> tuple[str, ...]:
    """The loss first, if it is there; then every other output that is a number."""
    others = [t.name for t in net.outputs.values() if not t.extents and t.name != loss]
    return (*((loss,) if loss in net.tensors else ()), *others)


def _is_scalar(t: TensorInfo) -> bool:
    return not t.extents and t.dtype in (DType.F32.value, DType.F64.value)


def training_step(net: Program, recipe: Recipe) -> Step:
    """The step of training of a program.

    Raises DataError E0820 for an unknown optimiser, schedule or option; ProgramError E0504 where nothing can be trained.
    """
    training = net.in_training()
    names = _trained(training)
    if not names:
        message = "there is nothing to train: the program has no parameter of floats"
        raise program_error("E0504", message=message, advice="declare one, as in `param W[3,3,I,J]`")
    rule, pace = optimizer(recipe.optimizer), schedule(recipe.schedule)
    _check_options(rule, recipe)
    waiting = [n for n in names if n not in training.next_values]  # a text may train some by itself
    lines = "\n".join(_lines(training, recipe, rule, pace, waiting)) + "\n"
    module, found = parse(Source("step of training", lines))
    assert not found, found
    whole = net.in_training((*rule.defs, *pace.defs, *module.statements))
    rate = PREFIX + "now" if PREFIX + "now" in whole.tensors else ""
    return Step(whole, recipe, metrics_of(training, recipe.loss), rate)


def _trained(net: Program) -> tuple[str, ...]:
    return tuple(t.name for t in net.tensors.values() if t.role == "param" and t.dtype in ("f32", "f64"))


def _check_options(rule: Rule, recipe: Recipe) -> None:
    for name in recipe.options:
        if name not in rule.constants:
            known = f"{recipe.optimizer} has {', '.join(rule.constants) or 'none'}"
            raise data_error("E0820", kind="option", name=name, advice=did_you_mean(name, rule.constants, known))
    if recipe.decay and "decay" not in rule.takes:
        advice = f"`{recipe.optimizer}` has no `decay` in its head: leave weight_decay out"
        raise data_error("E0820", kind="option", name="weight_decay", advice=advice)


def _lines(net: Program, recipe: Recipe, rule: Rule, pace: Rule, names: list[str]) -> Iterator[str]:
    if not names:
        return
    clips = recipe.clip is not None
    asked = dict.fromkeys((*pace.takes, *rule.takes, *(("clip",) if clips else ())))
    yield from (f"input {PREFIX}{number}" for number in asked)
    yield f"{PREFIX}now = {pace.name}({', '.join(PREFIX + n for n in pace.takes)})"
    if clips:
        yield from _norm(net, recipe.loss, names)
    options = "".join(f", {n} = {v!r}" for n, v in recipe.options.items())
    numbers = "".join(f", {PREFIX}{'now' if n == 'rate' else n}" for n in rule.takes)
    factor = f"{PREFIX}scale*" if clips else ""
    for name in names:
        package = f", {PREFIX}{name}" if rule.has_memory else ""
        gradient = f"{factor}d({recipe.loss})/d({name})"
        yield f"{name} <- {rule.name}({name}, {gradient}{numbers}{package}{options})"


def _norm(net: Program, loss: str, names: list[str]) -> Iterator[str]:
    """The norm of all gradients together, and the factor that makes it no more than `clip` (as PyTorch has it)."""
    for k, name in enumerate(names):
        letters = ",".join(f"i{n}" for n in range(len(net.tensors[name].extents)))
        access = f"d({loss})/d({name}[{letters}])" if letters else f"d({loss})/d({name})"
        yield f"{PREFIX}square{k} = sum[{letters}] {access}^2" if letters else f"{PREFIX}square{k} = {access}^2"
    yield f"{PREFIX}norm = sqrt({' + '.join(f'{PREFIX}square{k}' for k in range(len(names)))})"
    yield f"{PREFIX}scale = min(1, {PREFIX}clip/({PREFIX}norm + 1e-6))"


__all__ = ["Recipe", "Step", "known_inputs", "loss_of", "metrics_of", "training_step"]
