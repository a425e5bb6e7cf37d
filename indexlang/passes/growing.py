"""What every pass that adds tensors to a program starts from: names that are free, and a list that grows."""

from indexlang.ir.build import Builder
from indexlang.ir.equation import Equation, Program


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

    def grown(self, equations: tuple[Equation, ...]) -> Program:
        """The program with these equations, and all tensors."""
        return self.program.replace(tensors=tuple(self.tensors), equations=equations)
