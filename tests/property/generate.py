"""Random valid programs, made from shapes outward: ranges, subscripts, the smallest axes, spare elements.

Every piece carries its text and its value on a grid, so that a program comes with a result of its own, which owes
nothing to the compiler: subscripts are evaluated by numpy on arrays of index values, an axis each. Elements
that no subscript may reach are NaN. Float inputs are multiples of 1/4, so that most sums and products are exact; in
one program of ten they have NaN, infinities, zeros of both signs and denormals among them.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st
from meaning import FUNCTIONS, bordered
from pieces import (
    LAYOUTS,
    Equation,
    Index,
    Piece,
    Program,
    Sub,
    Value,
    applied,
    bracket,
    chosen,
    collapsed,
    grid,
    joined,
    nothing,
    number,
    product,
    reduced,
    total,
)

NAMES = ("i", "j", "k", "x", "y", "dx", "dy", "b", "Δx", "for1")
TENSORS = ("A", "W", "L0", "Input", "Φ", "x_1", "B'", "T2", "U", "V", "Q", "P0", "P1", "P2", "P3", "P4")
EXTENTS = (2, 3, 1, 5, 7, 8, 9, 15, 16, 17, 31, 0)
SHORT = (2, 3, 1, 4, 5, 0)
MOST = 2500  # points of the grid
BORDERS = ("0", "-1.5", "edge", "wrap", "mirror", "reflect")
SPECIAL = (np.nan, np.inf, -np.inf, 0.0, -0.0, 2.0**-149, -(2.0**-130))  # the last two are denormal in f32


@st.composite
def programs(draw: Callable[..., Any], most: int = MOST, first: str = "") -> Program:
    """One or two equations, each over at most so many points; the second reads the first, which may be asked for by kind."""
    maker = _Maker(draw, Program(), most)
    maker.equation(first)
    if draw(st.booleans()):
        maker.reader()
    program = maker.program
    program.named = draw(st.sampled_from(("numbers", "names") if maker.ints else ("no", "numbers", "names")))
    program.layout = draw(st.sampled_from(LAYOUTS))
    program.bins |= {"int"} if maker.ints else set()
    return program


class _Maker:
    def __init__(self, draw: Callable[..., Any], program: Program, most: int) -> None:
        self.draw = draw
        self.most = most
        self.program = program
        self.rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        self.ints = draw(st.integers(0, 5)) == 0
        program.is_special = not self.ints and self.chance(10)

    def pick(self, choices: Iterable[Any]) -> Any:
        return self.draw(st.sampled_from(list(choices)))

    def chance(self, percent: int) -> bool:
        return self.draw(st.integers(0, 99)) >= 100 - percent

    def met(self, *bins: str) -> None:
        self.program.bins.update(bins)

    # -- equations

    def equation(self, kind: str) -> None:
        if kind == "contraction" or (not kind and not self.ints and self.chance(15)):
            return self.contraction()
        scattered = kind == "scatter" or self.chance(16)
        rank = self.pick((1, 2) if scattered else (1, 0, 1, 2, 2, 2, 3, 3, 4, 5, 6))
        left = self.indices(rank, EXTENTS, "bare" if scattered else "")
        bound = self.indices(self.pick((0, 0, 1, 1, 2)), SHORT, "", left)
        body = self.anchored(left, self.term(left, bound))
        if not self.program.inputs and not left:  # of numbers alone it would be a constant
            body = self.joined(self.access([]), body)
        return self.scatter(left, body) if scattered else self.define("Y", left, body)

    def contraction(self) -> None:
        """`Y[b,i,j] = sum[k] A[b,i,k]*W[k,j]`, perhaps strided, transposed, or under a function."""
        rows = self.indices(self.pick((0, 1, 1, 2)), EXTENTS[:-1], "bare")
        (column,) = self.indices(1, (7, 8, 9, 15, 16, 17, 3), "bare", rows)
        over = self.indices(self.pick((1, 1, 2)), (4, 5, 8, 9, 3), "bare", [*rows, column])
        first = [Sub(n.name, n.values, n.extent, exact=True) for n in rows]
        if rows and self.chance(40):  # a convolution: the last row slides
            first[-1] = self.affine([rows[-1], over[0]], every=True)
            first += [Sub(n.name, n.values, n.extent, exact=True) for n in over[1:]]
            anchors = [rows[-1]]
        else:
            first += [Sub(n.name, n.values, n.extent, exact=True) for n in over]
            anchors = []
        second = [Sub(n.name, n.values, n.extent, exact=True) for n in (*over, column)]
        second = self.draw(st.permutations(second)) if self.chance(30) else second
        body = joined(self.access(first), "*", self.access(second))
        listed = bracket(n.shown for n in over)
        whole = reduced("sum", listed.replace(" ", ""), over, body)
        whole = self.wrapped(whole) if self.chance(30) else whole
        whole = self.anchored(anchors, whole) if anchors else whole
        self.met("contraction")
        self.define("Y", [*rows, column], whole, keep=True)

    def define(self, name: str, left: list[Index], body: Piece, keep: bool = False) -> None:
        """`Y[(i,j),k] = …`: the left indices in any order, neighbours perhaps joined."""
        order = left if keep else self.draw(st.permutations(left))
        texts, shape = [n.shown for n in order], [n.extent for n in order]
        indices = tuple(order)
        if len(order) > 1 and not keep and self.chance(25):
            texts, shape = [f"({texts[0]},{texts[1]})", *texts[2:]], [shape[0] * shape[1], *shape[2:]]
            indices = ()
            self.met("group on the left")
        self.met(f"rank {len(left)}", *(f"extent {n.extent}" for n in left))
        self.program.equations.append(Equation(name, tuple(texts), "=", body.text, indices))
        self.program.results[name] = collapsed(body.value, order).reshape(shape)
        self.program.errors[name] = collapsed(body.error, order).reshape(shape)

    def scatter(self, left: list[Index], body: Piece) -> None:
        """`tensor Y[9]`, `Y[2*i+j] += …`, or `Y[t[i]] += …`."""
        sub = self.gather(left, (1, 2, 5, 40)) if len(left) == 1 and self.chance(60) else self.affine(left, every=True)
        extent = sub.least + self.pick((0, 2))
        full = tuple(n.extent for n in left)
        where = np.broadcast_to(sub.value, grid(left, sub.value)).reshape(full)
        value, error = (collapsed(a, left).reshape(full) for a in (body.value, body.error))
        out, most = np.zeros(extent, body.value.dtype), np.zeros(extent)
        with np.errstate(all="ignore"):
            np.add.at(out, where, value)
            count = np.bincount(where.reshape(-1), minlength=extent)
            np.add.at(most, where, error + count.max(initial=0) * np.abs(np.where(np.isfinite(value), value, 0)))
        if not np.isfinite(
            value
        ).all():  # a factor may be taken out of what is added: of -inf and 0 either may come first
            most[~np.isfinite(out) | (count == 0)] = np.inf
        dtype = " : int" if out.dtype.kind in "iu" else ""
        self.met("scatter")
        self.program.declared.append(f"tensor Y[{extent}]{dtype}")
        self.program.equations.append(Equation("Y", (sub.text,), "+=", body.text))
        self.program.results["Y"], self.program.errors["Y"] = out, most if out.dtype.kind == "f" else most * 0

    def reader(self) -> None:
        """A second equation over the result of the first."""
        y, error = self.program.results["Y"], self.program.errors["Y"]
        letters = [f"a{n}" for n in range(y.ndim)]
        over = [Index(letters[n], y.shape[n], n, "bare") for n in range(y.ndim)]
        read = f"Y[{','.join(letters)}]" if letters else "Y"
        shape = (*y.shape, *[1] * (9 - y.ndim))
        piece = Piece(read, y.reshape(shape), error.reshape(shape))
        kept = [n for n in over if not self.chance(40)]
        gone = [n for n in over if n not in kept]
        left = tuple(n.name for n in reversed(kept))
        if gone:
            body = reduced("sum", bracket(n.name for n in gone), gone, joined(number(2), "*", piece))
        else:
            body = joined(number(1), "-", piece)
        self.program.equations.append(Equation("Z", left, "=", body.text, tuple(reversed(kept))))
        self.program.results["Z"] = collapsed(body.value, reversed(kept))
        self.program.errors["Z"] = collapsed(body.error, reversed(kept))
        self.met("two equations")
        if self.chance(40):
            del self.program.results["Y"], self.program.errors["Y"]
            self.met("one output of two")

    # -- indices

    def indices(self, count: int, extents: Iterable[int], how: str, before: Iterable[Index] = ()) -> list[Index]:
        out: list[Index] = []
        before = list(before)
        for _ in range(count):
            points = int(np.prod([max(n.extent, 1) for n in (*before, *out)]))
            extent = self.pick([e for e in extents if points * e <= self.most] or [1])
            kind = how or self.pick(("written", "bare", "bare", "affine") if extent else ("written", "bare"))
            name = self.pick([n for n in NAMES if n not in {m.name for m in (*before, *out)}])
            out.append(Index(name, extent, len(before) + len(out), kind))
        return out

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
            self.met("nested reductions")
        whole = self.reduced(bound, inner)
        return self.joined(whole, self.expression(left)) if self.chance(40) else whole

    def reduced(self, over: list[Index], body: Piece) -> Piece:
        names = ("sum", "sum", "max", "min", "prod") + (() if self.ints else ("mean", "logsumexp"))
        if len(over) == 1:
            names = (*names, "argmax", "argmin")
        if any(n.extent == 0 for n in over):
            names = ("sum", "prod") if body.is_int else ("sum", "prod", "max", "min")
        if body.is_int and not self.ints:
            names = tuple(n for n in names if n not in ("mean", "logsumexp"))
        name = self.pick(names)
        listed = ",".join(n.shown for n in over)
        self.met(name)
        return reduced(name, f"[{listed}]" if self.chance(70) else f"_{{{listed}}}", over, body)

    def expression(self, scope: list[Index]) -> Piece:
        pieces = [self.leaf(scope) for _ in range(self.pick((1, 1, 2, 2, 3)))]
        whole = pieces[0]
        for piece in pieces[1:]:
            whole = self.joined(whole, piece)
        return self.wrapped(whole) if self.chance(30) else whole

    def joined(self, a: Piece, b: Piece) -> Piece:
        return joined(a, self.pick(("+", "-", "*", "*", "max", "min")), b)

    def wrapped(self, a: Piece) -> Piece:
        if self.ints:
            c = self.pick((2, 3, -2))
            if self.chance(50):
                return Piece(f"(({a.text}) // {c})", a.value // c, nothing())
            return Piece(f"(({a.text}) % {c})", a.value % c, nothing())
        name = self.pick(FUNCTIONS)
        self.met(name)
        return applied(name, a)

    def leaf(self, scope: list[Index]) -> Piece:
        kind = self.draw(st.integers(0, 9))
        if kind == 0:
            return number(self.pick((0, 1, 2, -3)) if self.ints else self.pick((0.5, 1, -2, 3)))
        if kind == 1 and scope:
            n = self.pick(scope)
            return Piece(n.name, n.values, nothing())
        if kind == 2 and scope:
            return self.conditional(scope)
        return self.access(self.subscripts(scope))

    def conditional(self, scope: list[Index]) -> Piece:
        n = self.pick(scope)
        edge = self.pick((0, 1, 2, n.extent))
        sign = self.pick(("<", "<=", "==", "!=", ">"))
        a, b = self.access(self.subscripts(scope)), self.access(self.subscripts(scope))
        self.met("conditional")
        return chosen(n, sign, edge, a, b)

    # -- accesses

    def anchored(self, indices: list[Index], body: Piece) -> Piece:
        """`body` and accesses from which the ranges of `indices` follow, where they are not written."""
        bare = [n for n in indices if n.how == "bare"]
        subs = [Sub(n.name, n.values, n.extent, exact=True) for n in bare]
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
        return Sub(text, stride * n.values + start, stride * (n.extent - 1) + start + 1 + spare, exact=True)

    def subscripts(self, scope: list[Index]) -> list[Sub]:
        if not scope:
            return [self.fixed() for _ in range(self.pick((0, 1)))]
        if self.chance(6):
            n = self.pick(scope)
            self.met("diagonal")
            return [Sub(n.name, n.values, n.extent, exact=n.how != "written")] * 2
        outside = self.chance(20)
        kinds = (self.affine, self.affine, self.rounded, self.group, self.gather)
        subs = [
            self.pick(kinds)(scope) if not outside else self.affine(scope, True) for _ in range(self.pick((1, 1, 2, 3)))
        ]
        rule = self.pick(BORDERS[:1] if self.ints else BORDERS) if outside else ""
        self.met(*(["border " + rule] if rule else []))
        return [replace(s, border=rule) for s in subs]

    def fixed(self) -> Sub:
        at = self.pick((0, 1, 4))
        return Sub(str(at), np.full([1] * 9, at), at + 1)

    def affine(self, scope: list[Index], border: bool = False, every: bool = False) -> Sub:
        """`2*x+dx-1`; without a border the offset keeps it at 0 or above."""
        used = scope if every else self.draw(st.lists(st.sampled_from(scope), min_size=1, max_size=2, unique=True))
        used = used if all(n.extent for n in used) or every else used[:1]  # beside an empty range any range would fit
        steps = [self.pick((1, 1, 1, 2, 3, 4, -1, -2)) for _ in used]
        value = sum((c * n.values for c, n in zip(steps, used, strict=True)), np.zeros([1] * 9, int))
        ends = [c * max(n.extent - 1, 0) for c, n in zip(steps, used, strict=True)]  # of an empty range as of one value
        lowest, highest = sum(min(e, 0) for e in ends), sum(max(e, 0) for e in ends)
        offset = self.pick((0, -1, -3, 2)) if border else -lowest + self.pick((0, 0, 1, 2))
        terms = [product(c, n.name) for c, n in zip(steps, used, strict=True)]
        text = total([*terms, str(offset)] if offset else terms)
        self.met(*(f"step {c}" for c in steps), *(["negative offset"] if offset < 0 else []))
        self.met(*(f"dilation {steps[1]}" for _ in steps[1:]))
        exact = text == used[0].name and used[0].how != "written"
        return Sub(text, value + offset, used[0].extent if exact else max(highest + offset, 0) + 1, exact)

    def rounded(self, scope: list[Index]) -> Sub:
        n, c = self.pick(scope), self.pick((2, 3, 4))
        self.met("quotient or remainder")
        if self.chance(50):
            return Sub(f"{n.name}//{c}", n.values // c, max(n.extent - 1, 0) // c + 1)
        return Sub(f"{n.name} % {c}", n.values % c, min(c, max(n.extent, 1)))

    def group(self, scope: list[Index]) -> Sub:
        """`(i,j)`: one axis of exactly the product of the extents."""
        if len(scope) < 2:
            return self.affine(scope)
        a, b = self.draw(st.permutations(scope))[:2]
        self.met("group in an access")
        return Sub(f"({a.name},{b.name})", a.values * b.extent + b.values, a.extent * b.extent, exact=True)

    def gather(self, scope: list[Index], extents: tuple[int, ...] = (1, 2, 5)) -> Sub:
        """`label[b]`: an int tensor of the index."""
        n, extent = self.pick(scope), self.pick(extents)
        name = self.fresh()
        self.met("gather")
        self.program.inputs[name] = self.rng.integers(0, extent, n.extent + (n.how == "written"))
        where = self.program.inputs[name][n.values]
        if n.how == "written":
            self.program.inputs[name][n.extent] = 10**6  # never read
        return Sub(f"{name}[{n.name}]", where, extent)

    def access(self, subs: list[Sub]) -> Piece:
        """An input under these subscripts: axes as long as they must be, or longer; what is never read is NaN."""
        if not subs:
            name = f"c{len(self.program.inputs)}"
            self.program.inputs[name] = np.asarray(self.numbers(()))
            return Piece(name, self.program.inputs[name].reshape([1] * 9), nothing())
        border = subs[0].border
        where = tuple(np.broadcast_arrays(*(s.value for s in subs)))
        rule = f" else {border}" if border else ""
        name = self.again(subs, where) if self.chance(15) else ""
        if not name:
            name = self.fresh()
            self.program.inputs[name] = self.made(subs, where)
        a = self.program.inputs[name]
        self.met("spare elements" if any(n > s.least for n, s in zip(a.shape, subs, strict=True)) else "no spare")
        value = bordered(a, where, border) if border else a[where]
        return Piece(f"{name}[{', '.join(s.text for s in subs)}{rule}]", value, nothing())

    def made(self, subs: list[Sub], where: tuple[Value, ...]) -> Value:
        """A new array; or one that is given already, under a second name."""
        shape = tuple(self.extent(s) for s in subs)
        alike = [b for b in self.program.inputs.values() if b.shape == shape and (b.dtype.kind == "i") == self.ints]
        fits = [b for b in alike if subs[0].border or not np.isnan(b[where]).any()]
        if fits and not subs[0].border and np.max(fits[0], initial=0) < 1000 and self.chance(60):
            self.met("one array twice")
            return fits[0]
        a = self.numbers(shape)
        if not self.ints and not subs[0].border:
            read = np.zeros(a.shape, bool)
            read[where] = True
            a[~read] = np.nan
        return a

    def again(self, subs: list[Sub], where: tuple[Value, ...]) -> str:
        """The name of an input that these subscripts may read as well, if there is one."""
        for name, a in self.program.inputs.items():
            if a.ndim != len(subs) or (a.dtype.kind == "i") != self.ints or a.max(initial=0) >= 1000:
                continue
            if any(n != s.least if s.exact else n < s.least for n, s in zip(a.shape, subs, strict=True)):
                continue
            if self.program.is_special or subs[0].border or np.isnan(a[where]).any():
                continue
            self.met("one tensor read twice")
            return name
        return ""

    def extent(self, sub: Sub) -> int:
        if sub.exact:
            return sub.least
        if sub.border:
            return max(1, sub.least - self.pick((0, 1, 2, 3)))
        return sub.least + self.pick((0, 0, 1, 3))

    def numbers(self, shape: tuple[int, ...]) -> Value:
        if self.ints:
            return np.asarray(self.rng.integers(-4, 5, shape))
        a = np.asarray(self.rng.integers(-8, 9, shape) / 4)
        if self.program.is_special:
            self.met("special values")
            a = np.where(self.rng.random(shape) < 0.2, self.rng.choice(SPECIAL, shape), a)
        return a

    def fresh(self) -> str:
        return next(name for name in (*TENSORS, *(f"M{n}" for n in range(50))) if name not in self.program.inputs)
