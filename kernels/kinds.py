"""Types of values in workers, and the functions that generated source may call by name. Needs llvmlite, not numba.

A `Word` says of given types which others it takes, what it returns, and how LLVM computes it; `lower` calls it. `fallback`
makes words of numba's of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llvmlite import ir


class KindError(Exception):
    """A word does not take values of these types."""


class Kind:
    """The type of a value: equal to others of its name.

    llvm  how LLVM calls it
    """

    def __init__(self, name: str, llvm: Any) -> None:
        self.name, self.llvm = name, llvm

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Kind) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return self.name

    def __call__(self, *args: "Kind") -> "Signature":
        """Of a function that takes `args` and returns this."""
        return Signature(self, args)


@dataclass(frozen=True, slots=True)
class Signature:
    """What a word takes and returns."""

    return_type: Kind
    args: tuple[Kind, ...]


class Integer(Kind):
    """A whole number of some bits."""

    def __init__(self, name: str, bits: int, signed: bool) -> None:
        super().__init__(name, ir.IntType(bits))
        self.signed = signed


class Literal(Integer):
    """An int64 that stands in the source."""

    def __init__(self, value: int) -> None:
        super().__init__(f"literal {value}", 64, signed=True)
        self.literal_value = value


class Float(Kind):
    """A floating number."""


class Boolean(Kind):
    """A truth: one bit."""


class Address(Kind):
    """Of elements of one type, where anything may be read and written."""

    def __init__(self, dtype: Kind) -> None:
        super().__init__(f"Address({dtype})", dtype.llvm.as_pointer())
        self.dtype = dtype


int64, int32, uint8 = (Integer(n, int(n.lstrip("uint")), signed=n[0] == "i") for n in ("int64", "int32", "uint8"))
float32, float64 = Float("float32", ir.FloatType()), Float("float64", ir.DoubleType())
boolean = Boolean("boolean", ir.IntType(1))
void = Kind("void", ir.IntType(64))


Generate = Callable[[Any, Any, Signature, Any], Any]  # context, builder, signature, arguments → value


@dataclass(frozen=True, slots=True, eq=False)
class Word:
    """A function that generated source may call.

    define    the signature and the code for arguments of given types; KindError where it takes none such
    literals  whether it asks for numbers of the source as `Literal`
    """

    name: str
    define: Callable[..., tuple[Signature, Generate]]
    literals: bool = False


def word(define: Callable[..., Any]) -> Word:
    """The word that a function defines, by its name."""
    return Word(define.__name__, define)


def word_of_literals(define: Callable[..., Any]) -> Word:
    """The same for one that needs numbers of the source."""
    return Word(define.__name__, define, literals=True)
