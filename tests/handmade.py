"""Programs of the IR built by hand, and run: for what no text says yet, and for passes by themselves."""

from collections.abc import Mapping

import numpy as np

from indexlang import pipeline
from indexlang.ir import interp, ops
from indexlang.ir.build import Builder, integer
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Equation, Program, Role, Tensor
from indexlang.ir.expr import Border, Bound, Const, Expr, Index, Read, Reduce, Rule
from indexlang.ir.parts import Piece, joined
from indexlang.ir.size import Extent
from indexlang.run.execute import Executable
from indexlang.run.machine import target

BUILD = Builder(DType.F64)
ZERO = Const(0.0, DType.F64)
Array = np.ndarray


class Maker:
    """Tensors and equations in the order in which they are added."""

    def __init__(self) -> None:
        self.tensors: dict[str, Tensor] = {}
        self.equations: list[Equation] = []

    def given(self, name: str, *extents: Extent, role: Role = Role.INPUT) -> None:
        self.tensors[name] = Tensor(name, extents, DType.F64, role)

    def equation(self, name: str, indices: str, extents: tuple[int, ...], body: Expr) -> None:
        """`name[indices] = body`."""
        self.given(name, *extents, role=Role.COMPUTED)
        bounds = tuple(Bound(i, n) for i, n in zip(indices.split(), extents, strict=True))
        self.equations.append(Equation(name, bounds, tuple(Index(b.name) for b in bounds), False, body))

    def joined(self, name: str, axis: int, *parts: str) -> None:
        """`name = A ; B ; …` along an axis."""
        shapes = [self.tensors[p].extents for p in parts]
        whole = tuple(sum(s[k] for s in shapes) if k == axis else n for k, n in enumerate(shapes[0]))  # type: ignore[misc]
        self.given(name, *whole, role=Role.COMPUTED)
        pieces: list[Piece] = []
        for part, shape in zip(parts, shapes, strict=True):
            bounds = tuple(Bound(f"n{k}", n) for k, n in enumerate(shape))
            pieces.append(Piece(bounds, read(part, *(b.name for b in bounds))))
        self.equations.extend(joined(self.tensors[name], axis, pieces, BUILD))

    def program(self, *outputs: str) -> Program:
        return Program(tuple(self.tensors.values()), tuple(self.equations), outputs, DType.F64)


def read(tensor: str, *subscripts: "str | int | Expr", border: float | None = None) -> Read:
    """`A[x,y else 0]`; a text is an index, or the sum of several: `x+dx`."""
    rule = None if border is None else Border(Rule.VALUE, Const(border, DType.F64))
    return Read(tensor, tuple(_subscript(s) for s in subscripts), rule, DType.F64)


def _subscript(s: "str | int | Expr") -> Expr:
    if isinstance(s, int):
        return integer(s)
    if not isinstance(s, str):
        return s
    out: Expr = integer(0)
    for word in s.split("+"):
        term = integer(int(word)) if word.lstrip("-").isdigit() else Index(word)
        out = BUILD.apply(ops.ADD, out, term)
    return out


def total(over: Mapping[str, int], body: Expr, fold: ops.Fold = ops.SUM) -> Reduce:
    return Reduce(fold, tuple(Bound(i, n) for i, n in over.items()), body, DType.F64)


def mul(a: Expr, b: Expr) -> Expr:
    return BUILD.apply(ops.MUL, a, b)


def add(a: Expr, b: Expr) -> Expr:
    return BUILD.apply(ops.ADD, a, b)


def relu(a: Expr) -> Expr:
    return BUILD.apply(ops.RELU, a)


def drawn(program: Program, seed: int = 0) -> dict[str, Array]:
    """Random inputs and parameters."""
    random = np.random.default_rng(seed)
    given = [t for t in program.tensors if t.role is not Role.COMPUTED]
    return {t.name: random.standard_normal([int(n) for n in t.extents]) for t in given}  # type: ignore[arg-type]


def run(program: Program, given: Mapping[str, Array], threads: int = 1) -> dict[str, Array]:
    """The outputs, compiled."""
    made = Executable(pipeline.plan(program, program.outputs, target()))
    results: dict[str, Array] = {}
    for name in program.outputs:
        t = program.tensor(name)
        results[name] = np.full([int(n) for n in t.extents], np.nan, t.dtype.numpy)  # type: ignore[arg-type]
    made.run(given, results, threads, 0)
    made.run(given, results, threads, 0)  # the second run finds memory full of the first one's values
    return results


def agrees_with_the_oracle(program: Program, seed: int = 0) -> None:
    """Compiled on one and three threads, bit for bit the same, and equal to the interpreter up to rounding."""
    given = drawn(program, seed)
    wanted = interp.interpret(program, given)
    one, three = run(program, given, 1), run(program, given, 3)
    for name in program.outputs:
        np.testing.assert_allclose(one[name], wanted[name], rtol=1e-11, atol=1e-11, err_msg=name)
        assert one[name].tobytes() == three[name].tobytes()
