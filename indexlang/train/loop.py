"""The loop: batch after batch, epoch after epoch; every event is told, and at every instant the last checkpoint is whole.

A run that goes on from a checkpoint ends with the same bits as one that was never stopped: batches follow from the seed
and their number, random tensors from the number of the run, and a step is done wholly or not at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from time import perf_counter
from typing import Any, Protocol

from indexlang.program import Program
from indexlang.train.checkpoint import Position
from indexlang.train.data.feeds import Feed
from indexlang.train.diagnose import numbers_lost
from indexlang.train.events import Begun, Ended, EpochDone, Event, Numbers, StepDone, Watcher
from indexlang.train.interrupts import Interrupts
from indexlang.train.step import Step, known_inputs

Batch = Mapping[str, Any]
CHECKPOINT_SECONDS = 30.0  # within an epoch: what a kill can cost
RETRY_SECONDS = 5.0  # after a checkpoint that could not be written


class Keeper(Protocol):
    """Where a run is kept; a failure to write is told there and does not come back, but for whether it was written."""

    def checkpoint(self, program: Program, position: Position) -> bool:
        """Write what a run needs to go on from `position`; whether it was. Raises NumericalError E1001."""
        ...

    def best(self, program: Program) -> None:
        """Write the parameters and states: no epoch was better."""
        ...

    def last(self, program: Program) -> None:
        """Write the parameters and states with which the run ends."""
        ...


class KeepsNothing:
    """For runs that leave no files."""

    def checkpoint(self, program: Program, position: Position) -> bool:
        """Nothing is to be written, so nothing is missing."""
        return True

    def best(self, program: Program) -> None:
        """Not kept."""

    def last(self, program: Program) -> None:
        """Not kept."""


@dataclass(frozen=True)
class Watched:
    """What decides which epoch is the best: a metric, and whether more of it is better."""

    name: str
    sign: float

    def value(self, metrics: Numbers) -> float | None:
        """Larger is better; None where the metric is not there or is no number."""
        found = metrics.get(self.name)
        return None if found is None or not isfinite(found) else self.sign * found


@dataclass
class Loop:
    """A run of training. `position` moves with every step.

    evaluate    the program out of training, for the validation feed
    watchers    are told of events          probe  measures a step now and then
    """

    name: str
    step: Step
    feed: Feed
    epochs: int
    evaluate: Program
    validation: Feed | None = None
    watchers: Sequence[Watcher] = ()
    keeper: Keeper = field(default_factory=KeepsNothing)
    probe: "Probe | None" = None
    position: Position = field(default_factory=Position)
    _began: float = 0.0
    _saved: float = 0.0

    def run(self) -> bool:
        """Train to the last epoch; whether it got there (else it was interrupted, and saved).

        Raises NumericalError E1001, and what the data or a data-dependent subscript raises; the last checkpoint stays.
        """
        self._began = self._saved = perf_counter() - self.position.seconds
        self._tell(self._begun())
        with Interrupts() as interrupts:
            done = all(self._epoch(interrupts) for _ in range(self.position.epoch, self.epochs + 1))
        self._end(done)
        return done

    # -- one epoch

    def _epoch(self, interrupts: Interrupts) -> bool:
        began = perf_counter()
        p = self.position
        batches = self.feed.batches(p.epoch, p.done)
        for batch in batches:
            try:
                self._step(batch, interrupts)
            except KeyboardInterrupt:
                if not interrupts.gave_up:
                    raise
            if interrupts.came:
                self._checkpoint()
                return False
            if perf_counter() - self._saved > CHECKPOINT_SECONDS:
                self._checkpoint()
        self._close(perf_counter() - began)
        return not interrupts.came

    def _step(self, batch: Batch, interrupts: Interrupts) -> None:
        p, began = self.position, perf_counter()
        t = p.step + 1
        given = self.step.inputs(batch, t, self._steps(t))
        with interrupts.held():  # a step is short; only its first may compile
            results, take = self.step.program.proposed(given, self.step.wanted())
        metrics = self.step.read(results)
        if not isfinite(next(iter(metrics.values()))):
            raise numbers_lost(self.step, given, t)
        measured = self.probe.before(self.step, given) if self.probe is not None and self.probe.wants(p) else None
        take()
        n = _examples(batch)
        sums = {k: p.sums.get(k, 0.0) + n * v for k, v in metrics.items()}
        self.position = replace(p, step=t, done=p.done + 1, examples=p.examples + n, sums=sums)
        rate = float(results[self.step.rate]) if self.step.rate else 0.0
        self._tell(StepDone(p.epoch, t, p.done + 1, n, metrics, rate, perf_counter() - began))
        if self.probe is not None and measured is not None:
            self._tell(self.probe.after(self.step, measured, p.epoch, t))

    def _close(self, seconds: float) -> None:
        """The end of an epoch: means, validation, the best, a checkpoint that begins the next."""
        p = self.position
        training = {k: v / max(p.examples, 1) for k, v in p.sums.items()}
        validation = self._validated()
        value = self._watched().value(validation or training)
        is_best = value is not None and (p.best is None or value > p.best)
        if is_best:
            p = replace(p, best=value, best_epoch=p.epoch, best_metrics=validation or training)
        self.position = replace(p, epoch=p.epoch + 1, done=0, examples=0, sums={})
        self._tell(EpochDone(p.epoch, p.step, training, validation, seconds, is_best))
        if is_best:
            self.keeper.best(self.step.program)
        self._checkpoint()

    def _validated(self) -> dict[str, float]:
        """The means of the metrics over the validation data, each batch by its number of examples."""
        names = [n for n in self.step.metrics if n in self.evaluate.tensors]
        if self.validation is None or not names:
            return {}
        self.evaluate.follow(self.step.program)
        self.evaluate.begin(self.step.program.seed, 0)
        sums, examples = dict.fromkeys(names, 0.0), 0
        for batch in self.validation.batches(0):
            found = self.evaluate.proposed(known_inputs(self.evaluate, batch), names)[0]
            count = _examples(batch)
            examples += count
            sums = {n: s + count * float(found[n]) for n, s in sums.items()}
        return {n: s / examples for n, s in sums.items()} if examples else {}

    def _watched(self) -> Watched:
        name = "accuracy" if "accuracy" in self.step.metrics else self.step.metrics[0]
        return Watched(name, 1.0 if name == "accuracy" else -1.0)

    # -- what is told and kept

    def _steps(self, t: int) -> int:
        """How many steps the run will have taken: where the data cannot say, as many as are known of."""
        return max(self.epochs * self.feed.steps, t) if self.feed.steps is not None else t

    def _begun(self) -> Begun:
        parameters = sum(t.params for t in self.step.program.tensors.values())
        p = self.position
        return Begun(self.name, self.epochs, self.feed.steps, self.feed.examples, parameters, p.epoch, p.step)

    def _checkpoint(self) -> None:
        now = perf_counter()
        self.position = replace(self.position, seconds=now - self._began)
        written = self.keeper.checkpoint(self.step.program, self.position)
        self._saved = now if written else now - CHECKPOINT_SECONDS + RETRY_SECONDS

    def _end(self, done: bool) -> None:
        p = self.position
        if done:
            self.keeper.last(self.step.program)
        seconds = perf_counter() - self._began
        epoch = min(p.epoch, self.epochs) if p.done else p.epoch - 1
        self._tell(Ended(epoch, p.step, seconds, not done, p.best_metrics, p.best_epoch))

    def _tell(self, event: Event) -> None:
        for watcher in self.watchers:
            watcher.on(event)


class Probe(Protocol):
    """Measures the signals of a step now and then."""

    def wants(self, position: Position) -> bool:
        """Whether the step at `position` is to be measured."""
        ...

    def before(self, step: Step, given: Batch) -> Any:
        """What has to be read before the step changes it."""
        ...

    def after(self, step: Step, measured: Any, epoch: int, t: int) -> Event:
        """The signals, from what `before` gave and what the step has left."""
        ...


def _examples(batch: Batch) -> int:
    return next((len(a) for a in batch.values() if getattr(a, "ndim", 0)), 1)


__all__ = ["Keeper", "KeepsNothing", "Loop", "Probe"]
