"""What a program keeps from run to run: parameters, states, and where its random numbers are.

A program and its gradients keep the same.
"""

import os
import sys
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from indexlang.interop.weights import read_weights, write_weights
from indexlang.ir.equation import SEED, Program, Role
from indexlang.parameters import Array, Parameters, draw, fitted, run_key
from indexlang.results import result
from indexlang.text.diagnostics import DataError, data_error
from indexlang.text.names import nearest

_OWN_REFERENCES = 3  # the caller's name, our name, the argument of `getrefcount`


class Kept:
    """The tensors of `program` that have a value of their own, drawn at the first look.

    seed  of initialisers and random tensors      runs  how many runs have drawn random tensors
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.seed = 0
        self.runs = 0
        self.is_random = True  # the parameters are as drawn, not read
        self._spare: dict[str, Array] = {}  # memory of former values that nobody else holds

    def sharing(self, program: Program) -> "Kept":
        """What `program` keeps beside this: the same parameters, states of its own that begin with the values of now."""
        other = Kept(program)
        other.seed, other.runs, other.is_random = self.seed, self.runs, self.is_random
        if program.with_role(Role.PARAM):
            other.__dict__["params"] = self.params
        return other

    def follow(self, other: "Kept") -> None:
        """Take over the states that both keep, and how many random runs there were."""
        self.runs = other.runs
        if self.program.with_role(Role.STATE) and other.program.with_role(Role.STATE):
            for name in self.state.keys() & other.state.keys():
                self.state.put(name, other.state[name])

    @cached_property
    def params(self) -> Parameters:
        return self._drawn(Role.PARAM)

    @cached_property
    def state(self) -> Parameters:
        return self._drawn(Role.STATE)

    def init(self, seed: int) -> None:
        """Begin again from a seed."""
        self.seed, self.runs, self.is_random = seed, 0, True
        self.__dict__.pop("params", None)
        self.__dict__.pop("state", None)

    def save(self, path: str | os.PathLike[str]) -> None:
        write_weights(path, dict(self.params))

    def load(self, path: str | os.PathLike[str]) -> None:
        """Parameters by name from a file; nothing changes unless all of them fit. Raises E0701, E0704, E0609, E060x."""
        self._need_sizes()
        found = read_weights(path)
        wanted = {t.name: t for t in self.program.with_role(Role.PARAM)}
        missing, over = sorted(wanted.keys() - found.keys()), sorted(found.keys() - wanted.keys())
        if missing or over:
            raise _names_differ(Path(path), missing, over)
        arrays = {name: fitted(t, found[name]).copy() for name, t in wanted.items()}
        if "params" not in self.__dict__:
            self.__dict__["params"] = Parameters(wanted)
        for name, array in arrays.items():
            self.params.put(name, array)
        self.is_random = False

    def arrays(self, program: Program) -> dict[str, Array]:
        """What a run of `program` is given besides its inputs: parameters, states, the key of its random tensors."""
        found: dict[str, Array] = {}
        if program.with_role(Role.PARAM):
            found.update(self.params)
        if program.with_role(Role.STATE):
            found.update(self.state)
        if program.with_role(Role.SEED):
            found[SEED] = run_key(self.seed, self.runs)
        return found

    def following(self, program: Program, returned: Mapping[str, Array]) -> dict[str, Array]:
        """Memory for the next values that a run makes and does not return: that of values before the last, if it can be.

        So a step of training writes every parameter once, and is done wholly or not at all: until it ends, the values
        of now stay as they are.
        """
        made: dict[str, Array] = {}
        for name, following in program.updates:
            if following not in returned and following not in made:
                spare = self._spare.pop(name, None)
                made[following] = result(program.tensor(following), None, {}) if spare is None else spare
        return made

    def update(self, program: Program, made: Mapping[str, Array], returned: Mapping[str, Array]) -> None:
        """After a training run, states and params take their next values; what was returned belongs to the caller."""
        taken: set[str] = set()
        for name, following in program.updates:
            kept = self.params if program.tensor(name).role is Role.PARAM else self.state
            is_ours = following in made and following not in taken
            array = made[following] if is_ours else {**made, **returned}[following].copy()
            taken.add(following)
            before = kept.arrays.get(name)
            kept.put(name, array)
            if before is not None and _is_alone(before):
                before.setflags(write=True)
                self._spare[name] = before

    def _drawn(self, role: Role) -> Parameters:
        self._need_sizes()
        found = Parameters({t.name: t for t in self.program.with_role(role)})
        for t in found.tensors.values():
            found.put(t.name, draw(t, self.seed))
        return found

    def _need_sizes(self) -> None:
        names = self.program.size_names
        for t in self.program.with_role(Role.PARAM):
            still = [n for n in names if any(n in str(e) for e in t.extents if not isinstance(e, int))]
            if still:
                advice = f"`{t.name}` needs it: give constants={{'{still[0]}': …}}, or -D {still[0]}=…"
                raise data_error("E0610", name=still[0], advice=advice)


def _is_alone(array: Array) -> bool:
    """Whether nobody but the caller of this holds the array, or a view of it, and its memory is its own."""
    return array.base is None and array.flags.owndata and sys.getrefcount(array) <= _OWN_REFERENCES


def _names_differ(path: Path, missing: list[str], over: list[str]) -> DataError:
    parts: list[str] = []
    if missing:
        parts.append(f"it lacks {', '.join(f'`{n}`' for n in missing[:5])}")
    if over:
        parts.append(f"it has {', '.join(f'`{n}`' for n in over[:5])}, which the program does not know")
    likely = [(n, nearest(n, over)) for n in missing if nearest(n, over)]
    advice = (
        f"is `{likely[0][1]}` the program's `{likely[0][0]}`?"
        if likely
        else "save the weights of this program with `save`"
    )
    return data_error("E0609", message=f"{path.name} does not fit: " + "; ".join(parts), advice=advice)
