"""Random valid programs, made from shapes outward: ranges, subscripts, the smallest axes, spare elements.

Every piece carries its text and its value on a grid, so that a program comes with a result of its own, which owes
nothing to the compiler: subscripts are evaluated by numpy on arrays of index values, an axis each. Elements
that no subscript may reach are NaN. Float inputs are multiples of 1/4, so that most sums and products are exact.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st
from meaning import FOLDS, FUNCTIONS, bordered

Value = np.ndarray
NAMES = ("i", "j", "k", "x", "y", "dx", "dy", "b", "Δx", "for1")
TENSORS = ("A", "W", "L0", "Input", "Φ", "x_1", "B'", "T2", "U", "V", "Q", "P0", "P1", "P2", "P3", "P4")
EXTENTS = (2, 3, 1, 5, 7, 8, 9, 16, 17, 31, 0)
SHORT = (2, 3, 1, 4, 5, 0)
MOST = 2500  # points of the grid
BORDERS = ("0", "-1.5", "edge", "wrap", "mirror", "reflect")


@dataclass(frozen=True)
class Index:
    """A letter with its extent, its grid axis, and what its range follows from: `written`, `bare` or `affine`."""

    name: str
    extent: int
    axis: int
    how: str

    @property
    def shown(self) -> str:
        return f"{self.name}:{self.extent}" if self.how == "written" else self.name


@dataclass(frozen=True)
class Piece:
    """Part of an expression: its text, and its value on the grid."""

    text: str
    value: Value


@dataclass(frozen=True)
class Sub:
    """A subscript: its text, its values on the grid, and the extents that its axis may have."""

    text: str
    value: Value
    least: int
    exact: bool = False
    border: str = ""


@dataclass
class Program:
    """A text, its inputs, and the results by name."""

    equations: list[str] = field(default_factory=list)
    declared: list[str] = field(default_factory=list)
    inputs: dict[str, Value] = field(default_factory=dict)
    results: dict[str, Value] = field(default_factory=dict)
    named: str = "no"

    @property
    def text(self) -> str:
        lines = [*self.declared, *self.equations, f"output {', '.join(self.results)}"]
        return "\n".join(self._inputs() + lines) + "\n"

    def _inputs(self) -> list[str]:
        """Declarations with extents in numbers, with named extents, or none: then the arguments say it."""
        if self.named == "no" or not self.inputs:
            return []
        count = iter(range(100))
        lines = []
        for name, a in self.inputs.items():
            axes = [str(n) if self.named == "numbers" else f"N{next(count)}" for n in a.shape]
            dtype = " : int" if a.dtype.kind == "i" else ""
            lines.append(f"input {name}{_bracket(axes)}{dtype}")
        return lines


@st.composite
def programs(draw: Callable[..., Any], most: int = MOST) -> Program:
    """One or two equations, each over at most so many points; the second reads the first."""
    maker = _Maker(draw, Program(), most)
    maker.equation()
    if draw(st.booleans()):
        maker.reader()
    maker.program.named = draw(st.sampled_from(("numbers", "names") if maker.ints else ("no", "numbers", "names")))
    return maker.program


class _Maker:
    def __init__(self, draw: Callable[..., Any], program: Program, most: int) -> None:
        self.draw = draw
        self.most = most
        self.program = program
        self.rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        self.ints = draw(st.integers(0, 5)) == 0

    def pick(self, choices: Iterable[Any]) -> Any:
        return self.draw(st.sampled_from(list(choices)))

    def chance(self, percent: int) -> bool:
        return self.draw(st.integers(0, 99)) >= 100 - percent

    # -- equations

    def equation(self) -> None:
        scattered = self.chance(12)
        rank = self.pick((1, 2) if scattered else (1, 0, 1, 2, 2, 2, 3, 3, 4, 5, 6))
        left = self.indices(rank, EXTENTS, "bare" if scattered else "")
        bound = self.indices(self.pick((0, 0, 1, 1, 2)), SHORT, "", left)
        body = self.anchored(left, self.term(left, bound))
        if not self.program.inputs and not left:  # of numbers alone it would be a constant
            body = self.joined(self.access([]), body)
        if scattered:
            self.scatter(left, body)
        else:
            self.define("Y", left, body)

    def define(self, name: str, left: list[Index], body: Piece) -> None:
        """`Y[(i,j),k] = …`: the left indices in any order, neighbours perhaps joined."""
        order = self.draw(st.permutations(left))
        value = self.collapsed(body.value, order)
        texts, shape = [n.shown for n in order], [n.extent for n in order]
        if len(order) > 1 and self.chance(25):
            texts, shape = [f"({texts[0]},{texts[1]})", *texts[2:]], [shape[0] * shape[1], *shape[2:]]
        self.program.equations.append(f"{name}{_bracket(texts)} = {body.text}")
        self.program.results[name] = value.reshape(shape)

    def scatter(self, left: list[Index], body: Piece) -> None:
        """`tensor Y[9]`, `Y[2*i+j] += …`."""
        sub = self.affine(left, every=True)
        extent = sub.least + self.pick((0, 2))
        out = np.zeros(extent, body.value.dtype)
        where, value = np.broadcast_arrays(sub.value, body.value)
        full = tuple(n.extent for n in left)
        where = np.broadcast_to(where, self.grid(left, where)).reshape(full)
        np.add.at(out, where, self.collapsed(value, left).reshape(full))
        dtype = " : int" if out.dtype.kind == "i" else ""
        self.program.declared.append(f"tensor Y[{extent}]{dtype}")
        self.program.equations.append(f"Y[{sub.text}] += {body.text}")
        self.program.results["Y"] = out

    def reader(self) -> None:
        """A second equation over the result of the first."""
        y = self.program.results["Y"]
        letters = [f"a{n}" for n in range(y.ndim)]
        read = f"Y[{','.join(letters)}]" if letters else "Y"
        kept = [n for n in range(y.ndim) if not self.chance(40)]
        gone = tuple(n for n in range(y.ndim) if n not in kept)
        left = f"Z[{','.join(letters[n] for n in reversed(kept))}]" if kept else "Z"
        if gone:
            self.program.equations.append(f"{left} = sum 2*{read}")
            value = (2 * y).sum(gone)
        else:
            self.program.equations.append(f"{left} = 1 - {read}")
            value = 1 - y
        self.program.results["Z"] = np.asarray(value).T

    # -- indices

    def indices(self, count: int, extents: Iterable[int], how: str, before: Iterable[Index] = ()) -> list[Index]:
        out: list[Index] = []
        before = list(before)
        for _ in range(count):
            points = int(np.prod([max(n.extent, 1) for n in (*before, *out)]))
            extent = self.pick([e for e in extents if points * e <= self.most])
            kind = how or self.pick(("written", "bare", "bare", "affine") if extent else ("written", "bare"))
            name = self.pick([n for n in NAMES if n not in {m.name for m in (*before, *out)}])
            out.append(Index(name, extent, len(before) + len(out), kind))
        return out

    def values(self, index: Index) -> Value:
        """0, 1, … along the grid axis of the index."""
        shape = [1] * 9
        shape[index.axis] = index.extent
        return np.arange(index.extent).reshape(shape)

    def grid(self, indices: Iterable[Index], value: Value) -> tuple[int, ...]:
        shape = list(value.shape)
        for n in indices:
            shape[n.axis] = n.extent
        return tuple(shape)

    def collapsed(self, value: Value, order: Iterable[Index]) -> Value:
        """The grid value as an array over `order` alone."""
        order = list(order)
        full = np.broadcast_to(value, self.grid(order, value))
        axes = [n.axis for n in order]
        rest = [axis for axis in range(full.ndim) if axis not in axes]
        return full.transpose(axes + rest).reshape([n.extent for n in order])

    # -- expressions

    def term(self, left: list[Index], bound: list[Index]) -> Piece:
        """An expression; its innermost part stands under a reduction over `bound`, or two nested ones."""
        inner = self.expression([*left, *bound])
        if not bound:
            return inner
        inner = self.anchored(bound, inner)
        if len(bound) == 2 and self.chance(40):
            inner = self.reduced(bound[1:], inner)
            bound = bound[:1]
        whole = self.reduced(bound, inner)
        return self.joined(whole, self.expression(left)) if self.chance(40) else whole

    def reduced(self, over: list[Index], body: Piece) -> Piece:
        names = ("sum", "sum", "max", "min", "prod") + (() if self.ints else ("mean", "logsumexp"))
        if any(n.extent == 0 for n in over):
            names = ("sum", "prod") if body.value.dtype.kind == "i" else ("sum", "prod", "max", "min")
        name = self.pick(names)
        value = np.broadcast_to(body.value, self.grid(over, body.value))
        axes = tuple(n.axis for n in over)
        listed = ",".join(n.shown for n in over)
        bracket = f"[{listed}]" if self.chance(70) else f"_{{{listed}}}"
        return Piece(f"({name}{bracket} ({body.text}))", FOLDS[name](value, axes))

    def expression(self, scope: list[Index]) -> Piece:
        pieces = [self.leaf(scope) for _ in range(self.pick((1, 1, 2, 2, 3)))]
        whole = pieces[0]
        for piece in pieces[1:]:
            whole = self.joined(whole, piece)
        return self.wrapped(whole) if self.chance(30) else whole

    def joined(self, a: Piece, b: Piece) -> Piece:
        sign = self.pick(("+", "-", "*", "*", "max", "min"))
        with np.errstate(all="ignore"):
            match sign:
                case "+":
                    return Piece(f"({a.text} + {b.text})", a.value + b.value)
                case "-":
                    return Piece(f"({a.text} - {b.text})", a.value - b.value)
                case "*":
                    return Piece(f"{a.text} * {b.text}", a.value * b.value)
                case "max":
                    return Piece(f"max({a.text}, {b.text})", np.maximum(a.value, b.value))
                case _:
                    return Piece(f"min({a.text}, {b.text})", np.minimum(a.value, b.value))

    def wrapped(self, a: Piece) -> Piece:
        if self.ints:
            c = self.pick((2, 3, -2))
            return self.pick((Piece(f"(({a.text}) // {c})", a.value // c), Piece(f"(({a.text}) % {c})", a.value % c)))
        name = self.pick(FUNCTIONS)
        with np.errstate(all="ignore"):
            return Piece(f"{name}({a.text})", FUNCTIONS[name](a.value))

    def leaf(self, scope: list[Index]) -> Piece:
        kind = self.draw(st.integers(0, 9))
        if kind == 0:
            number = self.pick((0, 1, 2, -3)) if self.ints else self.pick((0.5, 1, -2, 3))
            return Piece(str(number) if number >= 0 else f"({number})", np.asarray(number).reshape([1] * 9))
        if kind == 1 and scope:
            n = self.pick(scope)
            return Piece(n.name, self.values(n))
        if kind == 2 and scope:
            return self.conditional(scope)
        return self.access(self.subscripts(scope))

    def conditional(self, scope: list[Index]) -> Piece:
        n = self.pick(scope)
        edge = self.pick((0, 1, 2, n.extent))
        sign = self.pick(("<", "<=", "==", "!=", ">"))
        holds = {"<": np.less, "<=": np.less_equal, "==": np.equal, "!=": np.not_equal, ">": np.greater}[sign]
        a, b = self.access(self.subscripts(scope)), self.access(self.subscripts(scope))
        value = np.where(holds(self.values(n), edge), a.value, b.value)
        return Piece(f"({a.text} if {n.name} {sign} {edge} else {b.text})", value)

    # -- accesses

    def anchored(self, indices: list[Index], body: Piece) -> Piece:
        """`body` and accesses from which the ranges of `indices` follow, where they are not written."""
        bare = [n for n in indices if n.how == "bare"]
        subs = [Sub(n.name, self.values(n), n.extent, exact=True) for n in bare]
        for part in (subs[:4], subs[4:]):
            body = self.joined(self.access(part), body) if part else body
        for n in (n for n in indices if n.how == "affine"):
            body = self.joined(self.access([self.window(n)]), body)
        return body

    def window(self, n: Index) -> Sub:
        """`2*x+1`, of an axis that lets x run over exactly its extent."""
        stride, start = self.pick((1, 2, 3, 4)), self.pick((0, 0, 1, 3))
        spare = self.draw(st.integers(0, stride - 1))
        text = (n.name if stride == 1 else f"{stride}*{n.name}") + (f"+{start}" if start else "")
        text = text if stride > 1 or start else f"{n.name}+0"
        return Sub(text, stride * self.values(n) + start, stride * (n.extent - 1) + start + 1 + spare, exact=True)

    def subscripts(self, scope: list[Index]) -> list[Sub]:
        if not scope:
            return [self.fixed() for _ in range(self.pick((0, 1)))]
        outside = self.chance(20)
        kinds = (self.affine,) if outside else (self.affine, self.affine, self.rounded, self.group, self.gather)
        subs = [
            self.pick(kinds)(scope) if not outside else self.affine(scope, True) for _ in range(self.pick((1, 1, 2, 3)))
        ]
        rule = self.pick(BORDERS[:1] if self.ints else BORDERS) if outside else ""
        return [Sub(s.text, s.value, s.least, s.exact, rule) for s in subs]

    def fixed(self) -> Sub:
        at = self.pick((0, 1, 4))
        return Sub(str(at), np.full([1] * 9, at), at + 1)

    def affine(self, scope: list[Index], border: bool = False, every: bool = False) -> Sub:
        """`2*x+dx-1`; without a border the offset keeps it at 0 or above."""
        used = scope if every else self.draw(st.lists(st.sampled_from(scope), min_size=1, max_size=2, unique=True))
        used = used if all(n.extent for n in used) or every else used[:1]  # beside an empty range any range would fit
        steps = [self.pick((1, 1, 1, 2, 3, 4, -1, -2)) for _ in used]
        value = sum((c * self.values(n) for c, n in zip(steps, used, strict=True)), np.zeros([1] * 9, int))
        ends = [c * max(n.extent - 1, 0) for c, n in zip(steps, used, strict=True)]  # of an empty range as of one value
        lowest, highest = sum(min(e, 0) for e in ends), sum(max(e, 0) for e in ends)
        offset = self.pick((0, -1, -3, 2)) if border else -lowest + self.pick((0, 0, 1, 2))
        terms = [_product(c, n.name) for c, n in zip(steps, used, strict=True)]
        text = _sum([*terms, str(offset)] if offset else terms)
        exact = text == used[0].name and used[0].how != "written"
        return Sub(text, value + offset, used[0].extent if exact else max(highest + offset, 0) + 1, exact)

    def rounded(self, scope: list[Index]) -> Sub:
        n, c = self.pick(scope), self.pick((2, 3, 4))
        if self.chance(50):
            return Sub(f"{n.name}//{c}", self.values(n) // c, max(n.extent - 1, 0) // c + 1)
        return Sub(f"{n.name} % {c}", self.values(n) % c, min(c, max(n.extent, 1)))

    def group(self, scope: list[Index]) -> Sub:
        """`(i,j)`: one axis of exactly the product of the extents."""
        if len(scope) < 2:
            return self.affine(scope)
        a, b = self.draw(st.permutations(scope))[:2]
        return Sub(f"({a.name},{b.name})", self.values(a) * b.extent + self.values(b), a.extent * b.extent, exact=True)

    def gather(self, scope: list[Index]) -> Sub:
        """`label[b]`: an int tensor of the index."""
        n, extent = self.pick(scope), self.pick((1, 2, 5))
        name = self.fresh()
        self.program.inputs[name] = self.rng.integers(0, extent, n.extent + (n.how == "written"))
        where = self.program.inputs[name][self.values(n)]
        if n.how == "written":
            self.program.inputs[name][n.extent] = 10**6  # never read
        return Sub(f"{name}[{n.name}]", where, extent)

    def access(self, subs: list[Sub]) -> Piece:
        """A new input under these subscripts: axes as long as they must be, or longer; what is never read is NaN."""
        if not subs:
            name = f"c{len(self.program.inputs)}"
            self.program.inputs[name] = np.asarray(self.numbers(()))
            return Piece(name, self.program.inputs[name].reshape([1] * 9))
        name, border = self.fresh(), subs[0].border
        shape = [self.extent(s) for s in subs]
        a = self.numbers(tuple(shape))
        where = tuple(np.broadcast_arrays(*(s.value for s in subs)))
        value = bordered(a, where, border) if border else a[where]
        if not self.ints and not border:
            read = np.zeros(a.shape, bool)
            read[where] = True
            a[~read] = np.nan
        self.program.inputs[name] = a
        rule = f" else {border}" if border else ""
        return Piece(f"{name}[{', '.join(s.text for s in subs)}{rule}]", value)

    def extent(self, sub: Sub) -> int:
        if sub.exact:
            return sub.least
        if sub.border:
            return max(1, sub.least - self.pick((0, 1, 2, 3)))
        return sub.least + self.pick((0, 0, 1, 3))

    def numbers(self, shape: tuple[int, ...]) -> Value:
        return np.asarray(self.rng.integers(-4, 5, shape) if self.ints else self.rng.integers(-8, 9, shape) / 4)

    def fresh(self) -> str:
        return next(name for name in (*TENSORS, *(f"M{n}" for n in range(50))) if name not in self.program.inputs)


def _bracket(texts: list[str]) -> str:
    return f"[{', '.join(texts)}]" if texts else ""


def _product(c: int, name: str) -> str:
    return name if c == 1 else f"-{name}" if c == -1 else f"{c}*{name}"


def _sum(terms: list[str]) -> str:
    return "+".join(terms).replace("+-", "-")
