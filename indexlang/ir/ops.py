"""The table of scalar functions and reductions: one row each.

`value` is the meaning, on numpy scalars or arrays; `emit` is the text of generated code, with `{0}`, `{1}` for the
arguments and `{f}` for the float type of the result. `slopes` are the derivatives with respect to each argument,
written with the operators of `terms.py` over the arguments and then the value y: a number or a term is what the signal
is multiplied by, a comparison says where the signal passes. Without them the derivative is zero (almost) everywhere.
`kinks` are where the derivative jumps: what is taken there is listed in docs/gradients.md.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from importlib import import_module
from math import erf, erfc, pi, sqrt
from typing import Any

Value = Any
Slope = Callable[..., Any]


class _Numpy:
    """numpy, imported when a value is first computed: checking a program computes none, and starts at once."""

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module("numpy"), name)


np: Any = _Numpy()


def _of(name: str) -> Callable[..., Value]:
    """numpy's function of that name, without warnings on infinities and NaN."""

    def call(*args: Value) -> Value:
        with np.errstate(all="ignore"):
            return getattr(np, name)(*args)

    return call


class Kind(Enum):
    """How the dtype of a result follows from those of the arguments."""

    FLOAT = "float"  # ints and bools become floats first
    NUMBER = "number"  # the joined type of the arguments; bools count as ints
    INT = "int"  # ints only
    TO_INT = "to int"  # a float or an int becomes an int
    COMPARE = "compare"  # numbers in, a bool out
    DRAW = "draw"  # ints in, a float out
    LOGIC = "logic"  # bools in, a bool out


@dataclass(frozen=True, slots=True)
class Op:
    """A scalar function of one or more arguments."""

    name: str
    arity: int
    kind: Kind
    value: Callable[..., Value] = field(compare=False, repr=False)
    emit: str
    doc: str
    infix: str = ""
    slopes: tuple[Slope, ...] = field(default=(), compare=False, repr=False)
    kinks: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Fold:
    """A reduction: `value` folds an array along its last axis; `emit` adds one term `{1}` to the accumulator `{0}`."""

    name: str
    value: Callable[[Any], Value] = field(compare=False, repr=False)
    emit: str
    doc: str


def _quiet(function: Callable[..., Value]) -> Callable[..., Value]:
    def call(*args: Value) -> Value:
        with np.errstate(all="ignore"):
            return function(*args)

    return call


def _erf(x: Value) -> Value:
    return np.vectorize(erf, otypes=[np.float64])(x)[()]


def _floordiv(a: Value, b: Value) -> Value:
    if _is_int(a) and _is_int(b):
        return np.floor_divide(a, b)  # division by 0 gives 0
    return np.floor(np.divide(a, b))


def _mod(a: Value, b: Value) -> Value:
    if _is_int(a) and _is_int(b):
        return np.mod(a, b)
    return a - b * np.floor(np.divide(a, b))


def _is_int(x: Value) -> bool:
    return np.asarray(x).dtype.kind in "iub"


def _to_int(x: Value) -> Value:
    clamped = np.clip(
        np.nan_to_num(np.asarray(x, np.float64), nan=-(2.0**62), posinf=2.0**62, neginf=-(2.0**62)), -(2.0**62), 2.0**62
    )
    return clamped.astype(np.int64)[()]


def _uniform(key: Value, stream: Value, position: Value) -> Value:
    """Philox 4x32 with 10 rounds (Salmon et al., SC 2011), the first 24 bits of its first word."""
    mask = np.uint64(0xFFFFFFFF)
    key, stream, position = (np.asarray(x, np.int64).astype(np.uint64) for x in (key, stream, position))
    c0, c1, c2, c3 = position & mask, position >> np.uint64(32), stream & mask, stream >> np.uint64(32)
    k0, k1 = key & mask, key >> np.uint64(32)
    for _ in range(10):
        p0, p1 = c0 * np.uint64(0xD2511F53), c2 * np.uint64(0xCD9E8D57)
        c0, c1, c2, c3 = (p1 >> np.uint64(32)) ^ c1 ^ k0, p1 & mask, (p0 >> np.uint64(32)) ^ c3 ^ k1, p0 & mask
        k0, k1 = (k0 + np.uint64(0x9E3779B9)) & mask, (k1 + np.uint64(0xBB67AE85)) & mask
    return ((c0 >> np.uint64(8)).astype(np.float64) * 2.0**-24)[()]


def _power(a: Value, b: Value) -> Value:
    return np.power(np.asarray(a, np.result_type(a, np.float32)), b)


def _gelu(x: Value) -> Value:
    return 0.5 * x * np.vectorize(erfc, otypes=[np.float64])(-np.asarray(x) / np.sqrt(2.0))[()]


def _sigmoid(x: Value) -> Value:
    small = np.exp(-np.abs(x))
    return np.where(np.less(x, 0.0), small, 1.0)[()] / (1.0 + small)


def _silu(x: Value) -> Value:
    return x * _sigmoid(x)


def _rsqrt(x: Value) -> Value:
    return 1.0 / np.sqrt(x)


def _softplus(x: Value) -> Value:
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


def _relu(x: Value) -> Value:
    return np.maximum(x, 0)


def _itself(x: Value) -> Value:
    return x


def _by(slope: Callable[[Any, Any], Any]) -> tuple[Slope, ...]:
    """The derivative of a function of x with value y."""
    return (slope,)


def _by_both(first: Callable[[Any, Any, Any], Any], second: Callable[[Any, Any, Any], Any]) -> tuple[Slope, ...]:
    """The derivatives of a function of a and b with value y, by each."""
    return (first, second)


# fmt: off
# -- arithmetic, by the operators of the language
ADD = Op("add", 2, Kind.NUMBER, _of("add"), "({0} + {1})", "a + b", infix="+",
         slopes=_by_both(lambda a, b, y: 1, lambda a, b, y: 1))
SUB = Op("sub", 2, Kind.NUMBER, _of("subtract"), "({0} - {1})", "a - b", infix="-",
         slopes=_by_both(lambda a, b, y: 1, lambda a, b, y: -1))
MUL = Op("mul", 2, Kind.NUMBER, _of("multiply"), "({0} * {1})", "a * b", infix="*",
         slopes=_by_both(lambda a, b, y: b, lambda a, b, y: a))
DIV = Op("div", 2, Kind.FLOAT, _of("divide"), "({0} / {1})", "a / b, always a float", infix="/",
         slopes=_by_both(lambda a, b, y: 1 / b, lambda a, b, y: -y / b))
FLOORDIV = Op("floordiv", 2, Kind.NUMBER, _quiet(_floordiv), "floordiv({0}, {1})", "a // b, rounded down", infix="//")
MOD = Op("mod", 2, Kind.NUMBER, _quiet(_mod), "mod({0}, {1})", "a % b, with the sign of b", infix="%",
         slopes=_by_both(lambda a, b, y: 1, lambda a, b, y: -(a / b).floor()))
POW = Op("pow", 2, Kind.FLOAT, _quiet(_power), "pow_{f}({0}, {1})", "a ^ b", infix="^",
         slopes=_by_both(lambda a, b, y: b * a ** (b - 1), lambda a, b, y: a.equals(0).choose(0, y * a.log())))
NEG = Op("neg", 1, Kind.NUMBER, _of("negative"), "(-{0})", "-a", slopes=_by(lambda x, y: -1))

# -- comparisons and logic
LT = Op("lt", 2, Kind.COMPARE, _of("less"), "({0} < {1})", "a < b", infix="<")
LE = Op("le", 2, Kind.COMPARE, _of("less_equal"), "({0} <= {1})", "a <= b", infix="<=")
GT = Op("gt", 2, Kind.COMPARE, _of("greater"), "({0} > {1})", "a > b", infix=">")
GE = Op("ge", 2, Kind.COMPARE, _of("greater_equal"), "({0} >= {1})", "a >= b", infix=">=")
EQ = Op("eq", 2, Kind.COMPARE, _of("equal"), "({0} == {1})", "a == b", infix="==")
NE = Op("ne", 2, Kind.COMPARE, _of("not_equal"), "({0} != {1})", "a != b", infix="!=")
AND = Op("and", 2, Kind.LOGIC, _of("logical_and"), "({0} and {1})", "both", infix="and")
OR = Op("or", 2, Kind.LOGIC, _of("logical_or"), "({0} or {1})", "either", infix="or")
NOT = Op("not", 1, Kind.LOGIC, _of("logical_not"), "(not {0})", "the opposite")

# -- functions with a name in the language
MAX = Op("max", 2, Kind.NUMBER, _of("maximum"), "max2({0}, {1})", "the larger; NaN if either is NaN",
         slopes=_by_both(lambda a, b, y: a >= b, lambda a, b, y: b > a))
MIN = Op("min", 2, Kind.NUMBER, _of("minimum"), "min2({0}, {1})", "the smaller; NaN if either is NaN",
         slopes=_by_both(lambda a, b, y: a <= b, lambda a, b, y: b < a))
ABS = Op("abs", 1, Kind.NUMBER, _of("abs"), "absolute({0})", "|x|", slopes=_by(lambda x, y: x.sign()), kinks=(0.0,))
SIGN = Op("sign", 1, Kind.NUMBER, _of("sign"), "sign({0})", "-1, 0 or 1; NaN stays NaN", kinks=(0.0,))
RELU = Op("relu", 1, Kind.NUMBER, _relu, "relu({0})", "max(x, 0); the slope at 0 is taken as 0",
          slopes=_by(lambda x, y: y > 0), kinks=(0.0,))
SIGMOID = Op("sigmoid", 1, Kind.FLOAT, _quiet(_sigmoid), "sigmoid_{f}({0})", "1 / (1 + exp(-x))",
             slopes=_by(lambda x, y: y * (1 - y)))
TANH = Op("tanh", 1, Kind.FLOAT, _of("tanh"), "tanh_{f}({0})", "the hyperbolic tangent", slopes=_by(lambda x, y: 1 - y * y))
EXP = Op("exp", 1, Kind.FLOAT, _of("exp"), "exp_{f}({0})", "e to the power x", slopes=_by(lambda x, y: y))
LOG = Op("log", 1, Kind.FLOAT, _of("log"), "log_{f}({0})", "the natural logarithm", slopes=_by(lambda x, y: 1 / x))
LOG1P = Op("log1p", 1, Kind.FLOAT, _of("log1p"), "log1p_{f}({0})", "log(1 + x), exact near 0",
           slopes=_by(lambda x, y: 1 / (1 + x)))
EXPM1 = Op("expm1", 1, Kind.FLOAT, _of("expm1"), "expm1_{f}({0})", "exp(x) - 1, exact near 0", slopes=_by(lambda x, y: y + 1))
SQRT = Op("sqrt", 1, Kind.FLOAT, _of("sqrt"), "sqrt_{f}({0})", "the square root", slopes=_by(lambda x, y: 0.5 / y))
RSQRT = Op("rsqrt", 1, Kind.FLOAT, _quiet(_rsqrt), "({f}(1) / sqrt_{f}({0}))", "1 / sqrt(x)",
           slopes=_by(lambda x, y: -0.5 * (y * y * y)))
SIN = Op("sin", 1, Kind.FLOAT, _of("sin"), "sin_{f}({0})", "the sine", slopes=_by(lambda x, y: x.cos()))
COS = Op("cos", 1, Kind.FLOAT, _of("cos"), "cos_{f}({0})", "the cosine", slopes=_by(lambda x, y: -x.sin()))
ERF = Op("erf", 1, Kind.FLOAT, _erf, "erf_{f}({0})", "the error function", slopes=_by(lambda x, y: 2 / sqrt(pi) * (-x * x).exp()))
GELU = Op("gelu", 1, Kind.FLOAT, _quiet(_gelu), "gelu_{f}({0})", "x times the normal distribution function of x",
          slopes=_by(lambda x, y: 0.5 * (1 + (x / sqrt(2)).erf()) + x * (-0.5 * x * x).exp() / sqrt(2 * pi)))
SILU = Op("silu", 1, Kind.FLOAT, _quiet(_silu), "silu_{f}({0})", "x * sigmoid(x)",
          slopes=_by(lambda x, y: x.sigmoid() + y * (1 - x.sigmoid())))
SOFTPLUS = Op("softplus", 1, Kind.FLOAT, _quiet(_softplus), "softplus_{f}({0})", "log(1 + exp(x)), without overflow",
              slopes=_by(lambda x, y: x.sigmoid()))
FLOOR = Op("floor", 1, Kind.NUMBER, _of("floor"), "floor_{f}({0})", "rounded down; an int in a subscript", kinks=(-2.0, 3.0))
CEIL = Op("ceil", 1, Kind.NUMBER, _of("ceil"), "ceil_{f}({0})", "rounded up; an int in a subscript", kinks=(-2.0, 3.0))
ROUND = Op("round", 1, Kind.NUMBER, _of("rint"), "round_{f}({0})", "to the nearest integer, halves to the even one",
           kinks=(-0.5, 0.5))
UNIFORM = Op("draw", 3, Kind.DRAW, _uniform, "uniform_{f}({0}, {1}, {2})", "the number in [0, 1) that the key, the stream and the position of an element give")
QUOTIENT = Op("quotient", 2, Kind.FLOAT, _of("divide"), "quotient_{f}({0}, {1})",
              "a / b, fast where b stays the same for many a; made by schedules only")
TO_INT = Op("int", 1, Kind.TO_INT, _quiet(_to_int), "to_int({0})", "an integer-valued float as an int")
STOP = Op("stop", 1, Kind.NUMBER, _itself, "{0}", "x itself, through which no gradient passes")
# fmt: on

FUNCTIONS: dict[str, Op] = {
    op.name: op
    for op in (
        RELU, SIGMOID, TANH, EXP, LOG, LOG1P, EXPM1, SQRT, RSQRT, ABS, SIGN, SIN, COS, ERF, GELU, SILU, SOFTPLUS, FLOOR, CEIL, ROUND,
        STOP,
    )
}  # fmt: skip
"""The functions of one argument, by name. `max`, `min`, `clip` and `where` are built from MAX, MIN and Select."""

INFIX: dict[str, Op] = {
    op.infix: op for op in (ADD, SUB, MUL, DIV, FLOORDIV, MOD, POW, LT, LE, GT, GE, EQ, NE, AND, OR)
}

# -- reductions
SUM = Fold("sum", _of("sum"), "plus({0}, {1})", "the sum; 0 over an empty range")
PROD = Fold("prod", _of("prod"), "times({0}, {1})", "the product; 1 over an empty range")
LARGEST = Fold("max", _of("max"), "max2({0}, {1})", "the largest; -inf over an empty range; NaN if any is NaN")
SMALLEST = Fold("min", _of("min"), "min2({0}, {1})", "the smallest; inf over an empty range; NaN if any is NaN")
ANY = Fold("any", _of("any"), "({0} or {1})", "whether any is true")
ALL = Fold("all", _of("all"), "({0} and {1})", "whether all are true")
ARGMAX = Fold("argmax", _of("argmax"), "", "the first index of the largest, or of the first NaN")
ARGMIN = Fold("argmin", _of("argmin"), "", "the first index of the smallest, or of the first NaN")

FOLDS: dict[str, Fold] = {f.name: f for f in (SUM, PROD, LARGEST, SMALLEST, ANY, ALL, ARGMAX, ARGMIN)}


def identity(fold: Fold, is_float: bool) -> int | float | bool:
    """What a reduction over an empty range gives."""
    match fold.name:
        case "sum":
            return 0
        case "prod":
            return 1
        case "max":
            return float("-inf") if is_float else -(2**63)
        case "min":
            return float("inf") if is_float else 2**63 - 1
        case "any":
            return False
        case "all":
            return True
        case _:
            raise ValueError(f"{fold.name} has no value over an empty range")
