"""A program for the extents and dtypes of one call after the other: what was made for them is kept for the next."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from indexlang import arguments, pipeline
from indexlang.infer.scope import Options
from indexlang.ir.batches import batch_names
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Program as Typed
from indexlang.ir.equation import Role
from indexlang.memory import check_memory, check_plan
from indexlang.recent import Recent
from indexlang.results import Array
from indexlang.run.execute import Executable
from indexlang.run.machine import target
from indexlang.syntax import ast
from indexlang.text.diagnostics import DataError, ProgramError, data_error

_PROGRAMS, _EXECUTABLES = 16, 32  # an executable holds an arena: as large as the tensors between its equations


class Sized:
    """Programs of known extents made from one text, and their executables: those used last."""

    def __init__(self, module: ast.Module, options: Options, typed: Typed, follows_inputs: bool) -> None:
        self._module, self._options, self._typed = module, options, typed
        self._follows_inputs = follows_inputs  # the float type is that of the arguments
        self._programs: Recent[object, Typed] = Recent(_PROGRAMS)
        self._executables: Recent[object, tuple[Typed, Executable]] = Recent(_EXECUTABLES)

    def bind(
        self, args: Sequence[Any], named: Mapping[str, Any], read: Callable[[], Collection[str]]
    ) -> tuple[Typed, dict[str, Array]]:
        """The program for these arguments, and the arguments in its dtypes. Only inputs that are `read` must be given."""
        inputs = self._typed.with_role(Role.INPUT)
        arrays = arguments.matched(inputs, args, named, read)
        mapped = bool(arrays) and all(arrays[t.name].ndim == len(t.extents) + 1 for t in inputs if t.name in arrays)
        if mapped:
            inputs = self._mapped.with_role(Role.INPUT)
        float_type = arguments.float_type_of(arrays) if self._follows_inputs else self._options.float_type
        sizes = arguments.bind_sizes(inputs, arrays, self._options.sizes)
        dtypes = arguments.dtypes_of(arrays, float_type)
        key = (float_type, tuple(sorted(sizes.items())), tuple(dtypes.items()), mapped)
        program = self._programs.get(key, lambda: self._made(float_type, sizes, dtypes, mapped))
        return program, arguments.ready(program.with_role(Role.INPUT), arrays)

    def executable(self, program: Typed, wanted: tuple[str, ...], held: Callable[[], Iterable[str]]) -> Executable:
        """The program with its kernels loaded, for these results. Raises DataError E0901.

        held  tells which parameters and states are in memory already
        """

        def make() -> tuple[Typed, Executable]:
            plan = pipeline.plan(program, wanted, target())
            check_plan(plan, wanted, held())
            return program, Executable(plan)

        # the entry holds the program: as long as it is there, no other program has its identity
        return self._executables.get((id(program), wanted), make)[1]

    @cached_property
    def _mapped(self) -> Typed:
        """The program for inputs with one more leading axis than they declare."""
        return pipeline.typed(self._module, replace(self._options, mapped=True))

    def _made(self, float_type: DType, sizes: dict[str, int], dtypes: dict[str, DType], mapped: bool) -> Typed:
        batches = batch_names(self._mapped if mapped else self._typed)
        options = Options(float_type, sizes, self._options.constants, dtypes, mapped, batches, self._options.exact)
        try:
            program = pipeline.typed(self._module, options)
        except ProgramError as error:  # the text was right for other extents: these arguments do not fit it
            raise DataError(error.diagnostics) from None
        if program.size_names:
            name = program.size_names[0]
            raise data_error("E0610", name=name, advice=f"give constants={{'{name}': …}}, or -D {name}=…")
        check_memory(program)
        return program
