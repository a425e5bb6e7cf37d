"""The files of a run that hold numbers: weights as safetensors, and the checkpoint to go on from."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from indexlang.interop.weights import write_weights
from indexlang.program import Program
from indexlang.text.diagnostics import DataError
from indexlang.train import checkpoint
from indexlang.train.checkpoint import Position
from indexlang.train.diagnose import number_lost
from indexlang.train.rules import PREFIX

CHECKPOINT, BEST, LAST = "checkpoint.safetensors", "best.safetensors", "last.safetensors"


class Folder:
    """Keeps a run in a folder. What cannot be written is told once, and tried again at the next occasion.

    digest  of the program and the settings: a checkpoint of another run is refused
    warn    is told what could not be written
    """

    def __init__(self, path: Path, digest: str, warn: Callable[[str], None]) -> None:
        self.path, self.digest, self._warn = path, digest, warn

    def checkpoint(self, program: Program, position: Position) -> bool:
        """Write the checkpoint, unless a number was lost (NumericalError E1001): the last one stays then."""
        found = checkpoint.not_finite(program)
        if found is not None:
            how = "the update of this step made it so: the last checkpoint is older, and whole"
            raise number_lost(position.step, *found, how, advice="try a smaller rate")
        return self._try(lambda: checkpoint.save(self.path / CHECKPOINT, program, position, self.digest))

    def best(self, program: Program) -> None:
        """Write the weights as those of the best epoch."""
        self._try(lambda: write_weights(self.path / BEST, weights(program)))

    def last(self, program: Program) -> None:
        """Write the weights as those of the last epoch."""
        self._try(lambda: write_weights(self.path / LAST, weights(program)))

    def clean(self) -> None:
        """Remove what a killed process left half written."""
        for part in self.path.glob(".*.part"):
            with suppress(OSError):
                part.unlink()

    def _try(self, write: Callable[[], None]) -> bool:
        try:
            write()
        except DataError as problem:
            self._warn(f"{problem.diagnostics[0].message}; training goes on, and tries again")
            return False
        return True


def weights(program: Program) -> dict[str, checkpoint.Array]:
    """Parameters and states of a network; what an optimiser remembers is not among them."""
    found = {**checkpoint.values(program, "params"), **checkpoint.values(program, "state")}
    return {n: a for n, a in found.items() if not n.startswith(PREFIX)}


def digest_of(*texts: str) -> str:
    """What tells one run from another."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:32]


__all__ = ["BEST", "CHECKPOINT", "LAST", "Folder", "digest_of", "weights"]
