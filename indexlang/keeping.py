"""What a program keeps, as a caller sees it: parameters, states, the seed of random numbers, and files of them."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from indexlang.differentiable import Differentiable
from indexlang.ir.equation import Role
from indexlang.kept import Kept
from indexlang.parameters import Parameters
from indexlang.results import Array

if TYPE_CHECKING:
    from typing import Self

    from indexlang.interop.maps import Loaded


class Keeping(Differentiable):
    """What a program keeps from run to run."""

    _own: Kept

    @property
    def params(self) -> Parameters:
        """The trained tensors, drawn at the first look from their initialisers and the seed."""
        return self._own.params

    @property
    def state(self) -> Parameters:
        """The tensors that live from run to run."""
        return self._own.state

    @property
    def seed(self) -> int:
        """What initialisers and random tensors are drawn from."""
        return self._own.seed

    @property
    def runs(self) -> int:
        """How many runs have drawn random tensors."""
        return self._own.runs

    @property
    def parameters_are_random(self) -> bool:
        """Whether the parameters are as drawn, and not read from a file."""
        return self._own.is_random

    def begin(self, seed: int, runs: int) -> None:
        """Go on drawing random tensors where a run with this seed was; parameters stay."""
        self._own.seed, self._own.runs = seed, runs

    def init(self, seed: int = 0) -> "Self":
        """Draw every parameter anew; states and random tensors begin again."""
        self._own.init(seed)
        return self

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all parameters and states to a safetensors file, or .npz: aside first, then one rename (E0705)."""
        from indexlang.loading import save

        save(self._own, path)

    def load_weights(self, path: str | os.PathLike[str]) -> "Loaded":
        """Read parameters and states from a file; nothing changes unless all of them fit.

        path     safetensors, npz, or a state_dict of `torch.save`: by our own names, else by the map of a family of
                 networks (docs/how-to/weights.md). States that a file of our own does not have keep their values.
        returns  what was read, as text too; its warnings name tensors that hold NaN or infinities
        raises   DataError E0701, E0704, E0706 (it asks for Python objects), E0609 (names or extents), E0603 (dtypes)
        """
        from indexlang.loading import load

        return load(self._own, path)

    def read_weights(self, path: str | os.PathLike[str]) -> dict[str, Array]:
        """What a file has for this program, by our names and axes, in the file's dtypes; the program does not change.

        Raises what `load_weights` raises, but for E0603.
        """
        from indexlang.loading import read

        return read(self._own, path)[1]

    def export(self, path: str | os.PathLike[str], opset: int | None = None) -> int:
        """Write the outputs as an ONNX file with the parameters as they are now; named extents stay names.

        opset    the version of ONNX's operators, 18 or later; 21 if nothing is said
        returns  the number of nodes
        raises   ProgramError E1101 (what ONNX cannot say), DataError E0802 (no `onnx`), E0605, E0610, E0705
        """
        from indexlang.export.model import USUAL, write_onnx

        values = {n: a for n, a in self._own.arrays(self._typed).items() if self._typed.tensor(n).role is not Role.SEED}
        return write_onnx(self._typed, values, Path(path), USUAL if opset is None else opset)
