"""Programs as Python objects: called like functions, looked into like tables."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexlang import pipeline
from indexlang.calls import Prepared, key_of, prepared
from indexlang.examples import example_inputs, index_limits
from indexlang.gradients import FLOATS, Derived, with_floats
from indexlang.infer.scope import Options
from indexlang.ir import interp
from indexlang.ir.build import Number
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Program as Typed
from indexlang.ir.equation import Role
from indexlang.ir.size import Named
from indexlang.keeping import Keeping
from indexlang.kept import Kept
from indexlang.nest.moves.target import Target
from indexlang.recent import Recent
from indexlang.results import Array, Results, asked, places, result, wanted
from indexlang.run.execute import CheckFailed, Executable
from indexlang.run.failures import outside, subscript_error
from indexlang.run.machine import usable_threads
from indexlang.run.plan import Plan
from indexlang.sized import Sized
from indexlang.summary import TensorInfo
from indexlang.syntax import ast
from indexlang.text.diagnostics import Diagnostic, data_error
from indexlang.text.source import NOWHERE, Source, Span
from indexlang.timing import StepTime, Timed, step_times

_TANGENTS = 64  # derivatives along directions that are kept, the last ones
_CALLS = 64  # kinds of calls that are known, the last ones
_versions = count()  # of values that are given to parameters for one run only


class Program(Keeping):
    """A checked program. Calling it computes its outputs; kernels are made at the first call for a structure.

    A program may be called from several Python threads at once.
    """

    def __init__(
        self,
        source: Source,
        module: ast.Module,
        options: Options,
        follows_inputs: bool,
        folder: Path | None,
        threads: int | None,
        known: Typed | None = None,
        kept: Kept | None = None,
    ) -> None:
        self.source_text = source
        self._options = options
        self._follows_inputs = follows_inputs  # the float type is that of the arguments
        self._folder = folder
        self._threads = threads
        super().__init__(module, known or pipeline.typed(module, options))  # known: what checking has made already
        self._sized = Sized(module, options, self._typed, follows_inputs)
        self._calls: Recent[object, Prepared] = Recent(_CALLS)
        self._twins: dict[object, Typed] = {}  # in training, and out of it
        self._own = kept or Kept(self._typed)
        self.gradients: Mapping[str, str] = {}  # what a derivative belongs to → the output that it is
        self.directions: Mapping[str, str] = {}  # what a given derivative belongs to → the input that it is
        self.notes: tuple[Diagnostic, ...] = ()
        self._tangents: Recent[object, Program] = Recent(_TANGENTS)

    def bound(self, /, **sizes: int) -> "Program":
        """The same program with values for named extents; it shares no parameters with this one.

        Raises DataError E0611 for a name that is no extent without a value, ProgramError where the values do not fit.
        """
        if unknown := [n for n in sizes if n not in self._typed.size_names]:
            names = ", ".join(self._typed.size_names) or "none"
            raise data_error("E0611", name=unknown[0], advice=f"the named extents are {names}")
        options = replace(self._options, sizes={**self._options.sizes, **sizes})
        made = Program(self.source_text, self._module, options, self._follows_inputs, self._folder, self._threads)
        made._own.seed, made._own.is_random = self.seed, self.parameters_are_random
        return made

    def in_training(self, statements: Sequence[ast.Statement] = ()) -> "Program":
        """The program in training, with more statements behind its text: the same parameters, states of its own.

        Raises ProgramError for what is wrong in training only.
        """
        return self._sharing({**self._options.constants, "training": True}, statements)

    def in_use(self) -> "Program":
        """The program out of training: the same parameters, states of its own that begin with the values of now."""
        return self._sharing({n: v for n, v in self._options.constants.items() if n != "training"}, ())

    def _sharing(self, constants: Mapping[str, Number], statements: Sequence[ast.Statement]) -> "Program":
        module = replace(self._module, statements=(*self._module.statements, *statements))
        options = replace(self._options, constants=constants)
        typed = pipeline.typed(module, options) if statements else self._twin(options)
        kept = self._own.sharing(typed)
        made = Program(
            self.source_text, module, options, self._follows_inputs, self._folder, self._threads, typed, kept
        )
        made._own.follow(self._own)
        return made

    def _twin(self, options: Options) -> Typed:
        """The text in training, or out of it: checked once."""
        key = options.constants.get("training", False)
        if key not in self._twins:
            self._twins[key] = pipeline.typed(self._module, options)
        return self._twins[key]

    def follow(self, other: "Program") -> None:
        """Take over the states that both have, and how many random runs there were."""
        self._own.follow(other._own)

    def example_inputs(self, seed: int = 0, given: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Array]:
        """Random inputs that the program can take, but for those given. Raises DataError E0610, E0604."""
        return example_inputs(self._typed, seed, given)

    @property
    def index_limits(self) -> Mapping[str, int]:
        """For inputs of ints that are subscripts: how many values they may take, from 0. So labels are known to fit."""
        return index_limits(self._typed)

    # -- gradients: see Differentiable

    def _derived(self, made: Derived) -> "Program":
        training = {n: v for n, v in self._options.constants.items() if n == "training"}
        options = Options(self._options.float_type, constants=training, exact=True)
        g = Program(
            made.source, made.module, options, self._follows_inputs, self._folder, self._threads, kept=self._own
        )
        g.gradients, g.directions, g.notes = made.names, made.given, made.notes
        return g

    def _in_float64(self) -> "Program":
        """The same program in float64, with parameters, states and random numbers of its own: those of now."""
        options = replace(self._options, float_type=DType.F64, dtypes={})
        module = with_floats(self._module, FLOATS)
        twin = Program(self.source_text, module, options, False, self._folder, self._threads)
        twin._own.seed, twin._own.runs = self.seed, self.runs
        for role, mine, own in ((Role.PARAM, "params", twin.params), (Role.STATE, "state", twin.state)):
            if self._typed.with_role(role):
                own.update(getattr(self, mine))
        return twin

    def values_with(
        self, inputs: Mapping[str, Any], instead: Mapping[str, Array], names: tuple[str, ...]
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        """Tensors, and all that they were computed from, with other values for some. Nothing is changed by it."""
        program, arrays = self._bind((), inputs)
        given = {**arrays, **self._own.arrays(program), **instead}
        results = {n: result(program.tensor(n), None, {}) for n in names}
        version = next(_versions)
        try:
            self._executable(program, names).run(given, results, usable_threads(self._threads), version)
        except CheckFailed as failed:
            raise subscript_error(failed) from None
        return results, given

    # -- training

    def fit(self, data: Any, **settings: Any) -> Any:
        """Train on data; what is learnt is in `params` and `state` afterwards. Returns a History.

        data      a mapping of arrays by the names of inputs (examples along the first axis), `digits`, `faces`, a path of
                  .npz, .npy, .csv or a folder of pictures, or an iterable of dicts, each of which is a batch
        settings  those of `indexlang train`: loss, optimizer, lr, schedule, warm, epochs, batch, seed, clip,
                  weight_decay, augment, options, watch_gradients; val (a share, a number of examples, or data);
                  save (the folder of the run), resume; watchers (told of every event; `()`: nothing is shown)
        cost      an epoch reads all data once; the first step compiles
        raises    DataError before the first step where data or settings do not fit, NumericalError E1001 for a loss
                  that is no number, KeyboardInterrupt after Ctrl-C, when the step is done and all is saved
        """
        from indexlang.train.fit import fit

        return fit(self, data, **settings)

    # -- running

    def __call__(
        self,
        /,
        *args: Any,
        want: Sequence[str] | None = None,
        out: Mapping[str, Array] | Array | None = None,
        **named: Any,
    ) -> Any:
        """Compute the outputs, or the tensors in `want`.

        args, named  the inputs, by position or name: anything numpy can view; never written to. What nothing that is
                     wanted reads may be left out (labels, where only the scores are asked for).
        out          arrays to write results into, by name, or one for the only result: of the right extents and dtype,
                     C-contiguous
        returns      the array of the only result, or Results
        raises       DataError where arguments do not fit, or a data-dependent subscript is out of range
        """
        key = key_of(args, named, want) if out is None else None
        like = self._calls.find(key) if key is not None else None
        if like is None:
            results = self._first(args, named, want, out, key)
        else:
            results = self._again(like, (*args, *named.values()))
        single = len(results) == 1 and (want is None or len(asked(want)) == 1)
        return next(iter(results.values())) if single else results

    def _first(
        self,
        args: Sequence[Any],
        named: Mapping[str, Any],
        want: Sequence[str] | None,
        out: Mapping[str, Array] | Array | None,
        key: object,
    ) -> Results:
        """A call that is like none before; the next one with its key, if it has one, is like it."""
        program, arrays = self._bind(args, named, lambda: self._inputs_of(want))
        results, take = self._ran(program, arrays, want, out)
        take()
        if key is not None:
            made = self._executable(program, tuple(results))
            call = prepared(made, program, tuple(results), (args, named), arrays)
            if call is not None:
                self._calls.put(key, call)
        return results

    def _again(self, call: Prepared, arrays: Sequence[Array]) -> Results:
        version = (self.params.version if Role.PARAM in call.roles else 0, id(self))
        try:
            return Results(call.run(arrays, self._threads_of(call.made), version, self._own.lasting(call.roles)))
        except CheckFailed as failed:
            raise subscript_error(failed) from None

    def proposed(self, inputs: Mapping[str, Any], want: Sequence[str]) -> tuple[Results, Callable[[], None]]:
        """A run whose next values wait: its results, and what is to be called if states and params shall take them."""
        return self._ran(*self._bind((), inputs), want, None)

    def _ran(
        self,
        program: Typed,
        arrays: dict[str, Array],
        want: Sequence[str] | None,
        out: Mapping[str, Array] | Array | None,
    ) -> tuple[Results, Callable[[], None]]:
        names = wanted(program, want)
        made = self._executable(program, self._with_updates(program, names))
        given = places(names, out)
        results = {n: result(program.tensor(n), given.get(n), arrays) for n in names}
        following = self._own.following(program, results)
        self._run(made, program, arrays, {**results, **following})

        def take() -> None:
            self._own.runs += bool(program.with_role(Role.SEED))
            self._own.update(program, following, results)

        return Results(results), take

    def all_tensors(self, inputs: Mapping[str, Any]) -> Iterator[tuple[str, Array]]:
        """Every tensor that the next run computes, in its order; all are held at once. Nothing is changed by it."""
        program, arrays = self._bind((), inputs)
        names = tuple(dict.fromkeys(e.target for e in program.equations))
        return iter(self._ran(program, arrays, names, None)[0].items())

    def span_of(self, name: str) -> Span:
        """Where the equation of a tensor stands in the text."""
        return next((e.span for e in self._typed.equations if e.target == name), NOWHERE)

    def interpret(self, /, *args: Any, **named: Any) -> Any:
        """The outputs by the slow interpreter, in float64: what the next run gives. Each term of a sum is a step of Python.

        Nothing is changed by it: states keep their values, and the next run draws the same random numbers.
        """
        program, arrays = self._bind(args, named)
        try:
            found = interp.interpret(program, {**arrays, **self._kept(program)})
        except interp.OutOfRange as problem:
            raise outside(problem) from None
        names = program.outputs
        return found[names[0]] if len(names) == 1 else Results({n: found[n] for n in names})

    def profile(self, inputs: Mapping[str, Any], repeat: int = 1) -> list[StepTime]:
        """The best of `repeat` runs, step by step, in milliseconds; steps that depend on parameters only are left out."""
        plan, run = self.timed(inputs)
        best = min((run()[1] for _ in range(max(repeat, 1))), key=np.sum)
        self._own.runs += max(repeat, 1) * bool(plan.program.with_role(Role.SEED))
        return step_times(plan, self._typed.by_name, best)

    def timed(self, inputs: Mapping[str, Any], on: Target | None = None) -> tuple[Plan, Timed]:
        """The program scheduled for this machine, unless told, and a run of it: the same random numbers every time."""
        program, arrays = self._bind((), inputs)
        names = self._with_updates(program, program.outputs)
        made = self._executable(program, names) if on is None else Executable(pipeline.plan(program, names, on))

        def run() -> tuple[Mapping[str, Array], NDArray[np.int64]]:
            results = {n: result(program.tensor(n), None, arrays) for n in names}
            return results, np.diff(self._run(made, program, arrays, results))

        return made.plan, run

    def _run(
        self,
        made: Executable,
        program: Typed,
        arrays: Mapping[str, Array],
        results: Mapping[str, Array],
    ) -> NDArray[np.int64]:
        own, lasting = self._own.split(program)
        version = (self.params.version if program.with_role(Role.PARAM) else 0, id(self))
        try:
            return made.run({**arrays, **own}, results, self._threads_of(made), version, lasting)
        except CheckFailed as failed:
            raise subscript_error(failed) from None

    def _threads_of(self, made: Executable) -> int:
        return 1 if made.is_small else usable_threads(self._threads)

    def _kept(self, program: Typed) -> dict[str, Array]:
        """What a run is given besides its inputs: parameters, states, the key of its random tensors."""
        return self._own.arrays(program)

    def _with_updates(self, program: Typed, names: tuple[str, ...]) -> tuple[str, ...]:
        """What a run computes: the next values of states and params too."""
        return tuple(dict.fromkeys((*names, *(n for _, n in program.updates))))

    def _inputs_of(self, want: Sequence[str] | None) -> set[str]:
        """The inputs that a run reads. Raises DataError E0605."""
        return {i for name in self._with_updates(self._typed, wanted(self._typed, want)) for i in self.inputs_of(name)}

    def _bind(
        self, args: Sequence[Any], named: Mapping[str, Any], read: Callable[[], Collection[str]] | None = None
    ) -> tuple[Typed, dict[str, Array]]:
        """The program for these arguments, and the arguments in its dtypes: all inputs, unless told which are read."""
        return self._sized.bind(args, named, read or (lambda: self.inputs))

    def _executable(self, program: Typed, wanted: tuple[str, ...]) -> Executable:
        return self._sized.executable(program, wanted, lambda: self._own.names_of_values)


__all__ = ["Named", "Number", "Program", "Results", "StepTime", "TensorInfo"]
