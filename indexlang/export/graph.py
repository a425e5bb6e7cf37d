"""An ONNX graph in the making: nodes, constants, and the shape arithmetic that several parts need.

It knows nothing of the library `onnx`; `model.py` turns it into a file. The same node is never made twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexlang.ir.dtypes import DType
from indexlang.ir.size import Extent, Quotient, Size
from indexlang.text.diagnostics import ProgramError, program_error
from indexlang.text.source import Span

Array = NDArray[Any]
Attribute = int | float | str | tuple[int, ...]

# The numbers of ONNX's TensorProto.DataType.
TYPES = {DType.BOOL: 9, DType.U8: 2, DType.I32: 6, DType.INT: 7, DType.F32: 1, DType.F64: 11}


@dataclass(frozen=True, slots=True)
class Node:
    """One operation. An empty name among the inputs stands for one that is left out."""

    op: str
    inputs: tuple[str, ...]
    output: str
    attributes: tuple[tuple[str, Attribute], ...]


@dataclass(frozen=True, slots=True)
class Given:
    """An input of the graph whose extents may have names."""

    name: str
    extents: tuple[Extent, ...]
    dtype: DType


class Graph:
    """Nodes in order, and constants by name. `inputs` are where named extents get their values from."""

    def __init__(self, inputs: Sequence[Given], taken: Sequence[str]) -> None:
        self.nodes: list[Node] = []
        self.constants: dict[str, Array] = {}
        self.inputs = tuple(inputs)
        self.place = ""  # the tensor whose equation is being written; names begin with it
        self.span: Span | None = None
        self._known: dict[object, str] = {}
        self._taken = set(taken)

    # -- making

    def add(self, op: str, *inputs: str, **attributes: Attribute) -> str:
        """A node with one output: its name. The same node is made once."""
        pairs = tuple(sorted(attributes.items()))
        key = (op, inputs, pairs)
        if key not in self._known:
            self._known[key] = self._fresh(op)
            self.nodes.append(Node(op, inputs, self._known[key], pairs))
        return self._known[key]

    def into(self, name: str, op: str, *inputs: str, **attributes: Attribute) -> None:
        """A node whose output has a name that others know."""
        self.nodes.append(Node(op, inputs, name, tuple(sorted(attributes.items()))))

    def constant(self, value: Array) -> str:
        """A constant tensor: its name."""
        key = (value.dtype.str, value.shape, value.tobytes())
        if key not in self._known:
            self._known[key] = self._fresh("constant")
            self.constants[self._known[key]] = np.asarray(value)
        return self._known[key]

    def ints(self, *values: int) -> str:
        """A vector of ints: its name."""
        return self.constant(np.array(values, np.int64))

    def number(self, value: Any, dtype: DType) -> str:
        """A scalar: its name."""
        return self.constant(np.array(value, dtype.numpy))

    def _fresh(self, op: str) -> str:
        stem = f"{self.place}/{op}" if self.place else op
        name, n = stem, 1
        while name in self._taken:
            n += 1
            name = f"{stem}_{n}"
        self._taken.add(name)
        return name

    def refuse(self, message: str, advice: str) -> ProgramError:
        """What cannot be said in ONNX, told at the equation that is being written."""
        return program_error(
            "E1101", *([self.span] if self.span else []), name=self.place, message=message, advice=advice
        )

    # -- shapes

    def cast(self, name: str, dtype: DType) -> str:
        """In another dtype, by the operator Cast."""
        return self.add("Cast", name, to=TYPES[dtype])

    def transposed(self, name: str, order: Sequence[int]) -> str:
        """With axes in another order; nothing where that is theirs."""
        if tuple(order) == tuple(range(len(order))):
            return name
        return self.add("Transpose", name, perm=tuple(order))

    def reshaped(self, name: str, extents: Sequence[Extent]) -> str:
        """With other extents, of as many elements."""
        unknown = [n for n, e in enumerate(extents) if not isinstance(e, int)]
        if len(unknown) <= 1 and 0 not in extents:
            shape = self.ints(*(-1 if n in unknown else int(e) for n, e in enumerate(extents)))  # type: ignore[arg-type]
            return self.add("Reshape", name, shape)
        return self.add("Reshape", name, self.shape(extents), allowzero=1)

    def expanded(self, name: str, extents: Sequence[Extent]) -> str:
        """Repeated to these extents."""
        return self.add("Expand", name, self.shape(extents))

    def shape(self, extents: Sequence[Extent]) -> str:
        """Extents as a vector, computed from the inputs where they have names."""
        if all(isinstance(e, int) for e in extents):
            return self.ints(*(int(e) for e in extents))  # type: ignore[arg-type]
        parts = [self.add("Unsqueeze", self.size(e), self.ints(0)) for e in extents]
        return self.add("Concat", *parts, axis=0)

    def size(self, extent: Extent) -> str:
        """An extent as a scalar."""
        if isinstance(extent, int):
            return self.number(int(extent), DType.INT)
        total: str | None = None
        for atoms, factor in extent.terms:
            term = self.number(factor, DType.INT)
            for atom in atoms:
                value = self._atom(atom)
                term = value if term == self.number(1, DType.INT) else self.add("Mul", term, value)
            total = term if total is None else self.add("Add", total, term)
        return total if total is not None else self.number(0, DType.INT)

    def _atom(self, atom: str | Quotient) -> str:
        if isinstance(atom, Quotient):
            return self.add("Div", self.size(atom.above), self.size(atom.below))  # extents are not negative
        for given in self.inputs:
            for axis, e in enumerate(given.extents):
                if isinstance(e, Size) and e.terms == (((atom,), 1),):
                    shape = self.add("Shape", given.name, start=axis, end=axis + 1)
                    return self.add("Squeeze", shape, self.ints(0))
        raise self.refuse(f"no input has the extent `{atom}` by itself", f"give it a value: -D {atom}=…")
