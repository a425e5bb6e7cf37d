"""What passes that add tensors or take them away start from: names that are free, lists that grow or shrink."""

from indexlang.ir.build import Builder
from indexlang.ir.equation import Equation, Program, Role, Tensor
from indexlang.ir.expr import Bound, Expr, Index


def other_name(stem: str, taken: set[str]) -> str:
    """The name of an index, with as many marks as make it new."""
    while stem in taken:
        stem += "'"
    return stem


def without(program: Program, equations: tuple[Equation, ...], gone: set[str]) -> Program:
    """The program with these equations, and without tensors that are gone; those that run-time checks speak of are known on."""
    kept = {checked.target for e in equations for checked in e.checks or ()}
    tensors = tuple(t for t in program.tensors if t.name not in gone or t.name in kept)
    return program.replace(tensors=tensors, equations=equations)


class Growing:
    """A program that is being rewritten, equation by equation, with tensors added on the way."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.build = Builder(program.float_type)
        self.tensors = list(program.tensors)
        self.names = {t.name for t in program.tensors}

    def fresh(self, stem: str) -> str:
        """A name that is free, and is taken then: the stem, with a number behind it where need be."""
        name, n = stem, 1
        while name in self.names:
            n += 1
            name = f"{stem}{n}"
        self.names.add(name)
        return name

    def defined(self, stem: str, axes: tuple[Bound, ...], body: Expr, e: Equation) -> Equation:
        """The equation of a new tensor with an axis for each index, which `e` is to read."""
        name, names = self.fresh(stem), tuple(b.name for b in axes)
        extents = tuple(b.extent for b in axes)
        self.tensors.append(Tensor(name, extents, body.dtype, Role.COMPUTED, names, span=e.span))
        return Equation(name, axes, tuple(map(Index, names)), False, body, e.span, calls=e.calls)

    def grown(self, equations: tuple[Equation, ...]) -> Program:
        """The program with these equations, and all tensors."""
        return self.program.replace(tensors=tuple(self.tensors), equations=equations)
