"""What a program keeps from run to run: parameters, states, and where its random numbers are.

A program and its gradients keep the same.
"""

import sys
from collections.abc import Mapping
from functools import cached_property

from indexlang.initial import drawn
from indexlang.ir.equation import SEED, Program, Role, Tensor
from indexlang.ir.size import names
from indexlang.memory import check_values
from indexlang.parameters import Array, Parameters, run_key
from indexlang.results import result
from indexlang.run.lasting import Lasting
from indexlang.text.diagnostics import data_error

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
        """The parameters; drawn from the seed when they are first asked for."""
        return self._drawn(Role.PARAM)

    @cached_property
    def state(self) -> Parameters:
        """The states, with the values that they start from until a run changes them."""
        return self._drawn(Role.STATE)

    @property
    def names_of_values(self) -> tuple[str, ...]:
        """The parameters and states that are in memory: none before the first look."""
        return tuple(n for kind in ("params", "state") if kind in self.__dict__ for n in self.__dict__[kind].arrays)

    def init(self, seed: int) -> None:
        """Begin again from a seed."""
        self.seed, self.runs, self.is_random = seed, 0, True
        self.__dict__.pop("params", None)
        self.__dict__.pop("state", None)

    def take(self, role: Role, arrays: Mapping[str, Array]) -> None:
        """Put the arrays that are of `role`; if they are all of them, none is drawn first."""
        attribute = "params" if role is Role.PARAM else "state"
        tensors = {t.name: t for t in self.of(role)}
        if tensors.keys() <= arrays.keys():
            self.__dict__.setdefault(attribute, Parameters(tensors))
        for name in tensors.keys() & arrays.keys():
            getattr(self, attribute).put(name, arrays[name])

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

    def split(self, program: Program) -> tuple[dict[str, Array], tuple[Lasting, ...]]:
        """The same in two parts: what the next run may find changed, and what lasts.

        Nothing of a program that changes parameters or states lasts: who holds them as lasting holds their memory.
        """
        if program.updates:
            return self.arrays(program), ()
        own = {SEED: run_key(self.seed, self.runs)} if program.with_role(Role.SEED) else {}
        return own, self.lasting(tuple(r for r in (Role.PARAM, Role.STATE) if program.with_role(r)))

    def lasting(self, roles: tuple[Role, ...]) -> tuple[Lasting, ...]:
        """Parameters, states, or both, as they are now."""
        return tuple((self.params if r is Role.PARAM else self.state).lasting for r in roles)

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
        self.need_sizes(drawing=True)
        check_values(self.program.with_role(role))
        found = Parameters({t.name: t for t in self.program.with_role(role)})
        for name, array in drawn(found.tensors.values(), self.seed).items():
            found.put(name, array)
        return found

    def of(self, *roles: Role) -> tuple[Tensor, ...]:
        """The tensors of these roles."""
        return tuple(t for role in roles for t in self.program.with_role(role))

    def need_sizes(self, drawing: bool = False) -> None:
        """Raises DataError E0610 where extents of a parameter or state, or counts that it is drawn by, are not known yet."""
        for t in self.of(Role.PARAM, Role.STATE):
            counts = (t.start.fan_in,) if drawing and t.start and t.start.is_scaled else ()
            still = sorted(set[str]().union(*map(names, (*t.extents, *counts))))
            if still:
                advice = f"`{t.name}` needs it: give constants={{'{still[0]}': …}}, or -D {still[0]}=…"
                raise data_error("E0610", name=still[0], advice=advice)


def _is_alone(array: Array) -> bool:
    """Whether nobody but the caller of this holds the array, or a view of it, and its memory is its own."""
    return array.base is None and array.flags.owndata and sys.getrefcount(array) <= _OWN_REFERENCES
