"""What arrives at each tensor on the way back, until its adjoint is one equation.

Several equations may read a tensor, each many times; what they send is added up here. A sum that is just another
adjoint, or a number, needs no tensor of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from indexlang.ir import ops
from indexlang.ir.bounds import Box, Facts, stays_inside
from indexlang.ir.build import Builder
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Equation, Program, Role, Tensor
from indexlang.ir.expr import Border, Bound, Const, Expr, Index, Read, Reduce, Rule, reads, rewrite, walk, with_indices
from indexlang.ir.size import Extent, symbol
from indexlang.passes.borders import moved
from indexlang.passes.folded import folded, reach
from indexlang.passes.gather import Adds, Gather, gathered
from indexlang.passes.products import Product, collected, summed
from indexlang.passes.pull import inside_test
from indexlang.text.source import NOWHERE, Span


@dataclass(frozen=True, slots=True)
class _Term:
    """One access that something arrives at."""

    read: Read
    adds: Adds


class Arrivals:
    """Collects what arrives, and makes the adjoints' equations."""

    def __init__(self, program: Program, wanted: Sequence[str]) -> None:
        self.original = program
        self.build = Builder(program.float_type)
        self.tensors = {t.name: t for t in program.tensors}
        self.extents = {t.name: t.extents for t in program.tensors}
        self.equations: list[Equation] = []  # of adjoints, and of what else the way back needs
        self.wanted = set(wanted)
        self._terms: dict[str, list[_Term]] = {}
        self._settled: dict[str, Product] = {}  # signals, for a read at the axes `0`, `1`, …
        self._adjoint: dict[str, str] = {}
        self._shared: list[tuple[frozenset[Bound], Product, Read]] = []
        self._letters = {e.target: tuple(b.name for b in e.indices) for e in program.equations if e.is_plain}
        self._read_letters = _letters_of_readers(program)
        self._extent_names = set(program.size_names)

    # -- arriving

    def start(self, name: str, signal: Product) -> None:
        """The first that arrives: the adjoint of a result; a read in it stands for the read at the same place."""
        t = self.tensors[name]
        indices = tuple(Bound(n, extent) for n, extent in zip(self._axes(name), t.extents, strict=True))
        left = tuple(Index(b.name) for b in indices)
        product = signal.mapped(lambda e: replace(e, subscripts=left) if isinstance(e, Read) else e)
        read = Read(name, left, None, t.dtype)
        self.add(read, Adds(left, product, indices))

    def add(self, read: Read, adds: Adds) -> None:
        """`adds` arrives at the tensor that is read; over an empty range that is nothing."""
        if any(b.extent == 0 for b in adds.indices):
            return
        self._terms.setdefault(read.tensor, []).append(_Term(read, adds))

    def has(self, name: str) -> bool:
        """Whether anything arrived at a tensor."""
        return name in self._terms

    # -- leaving

    def signal(self, name: str, left: tuple[Expr, ...]) -> Product:
        """The adjoint of a settled tensor at a place."""
        places = {f"@{k}": s for k, s in enumerate(left)}
        signal = self._settled[name]
        return signal.mapped(lambda e: with_indices(e, places))

    def settle(self, name: str) -> None:
        """Everything has arrived at a tensor: make its adjoint, unless that is done."""
        if name in self._settled:
            return
        simple = None if name in self.wanted else self._without_tensor(name)
        if simple is None:
            self._make(name)
            places = tuple(Index(f"@{k}") for k in range(len(self.extents[name])))
            simple = Product(above=(Read(self._adjoint[name], places, None, self.tensors[name].dtype),))
        self._settled[name] = simple

    def named(self, name: str) -> str:
        """The adjoint of a tensor as a tensor; of one at which nothing arrived, a tensor of zeros."""
        self.settle(name)
        return self._adjoint[name]

    def keep(self, stem: str, indices: tuple[Bound, ...], body: Expr, span: Span) -> Read:
        """A tensor of values that the way back needs: one element for each point."""
        name = self._new(stem, tuple(b.extent for b in indices), body.dtype, span)
        left = tuple(Index(b.name) for b in indices)
        self.equations.append(Equation(name, indices, left, False, body, span))
        return Read(name, left, None, body.dtype)

    def program(self) -> Program:
        """The program with all that was made."""
        equations = (*self.original.equations, *self.equations)
        return self.original.replace(tensors=tuple(self.tensors.values()), equations=equations)

    # -- adjoints

    def _without_tensor(self, name: str) -> Product | None:
        """The adjoint, where it is a number, or a number times another adjoint at the same place."""
        terms = self._terms.get(name, [])
        if len(terms) != 1 or not self._is_plain(terms[0]):
            return None
        (g,) = self._gathers(name, terms[0], groups=False) or (None,)
        if g is None or g.over or g.product.conditions:
            return None
        above = g.product.above
        if all(isinstance(e, Const) for e in (*above, *g.product.below)):
            return g.product
        if g.product.below:
            return None
        place = tuple(Index(b.name) for b in g.indices)
        if len(above) != 1 or not isinstance(above[0], Read) or above[0].subscripts != place or above[0].border:
            return None
        if self.extents[above[0].tensor] != self.extents[name] or above[0].dtype is not self.tensors[name].dtype:
            return None
        outputs = tuple(Index(f"@{k}") for k in range(len(place)))
        return replace(g.product, above=(replace(above[0], subscripts=outputs),))

    def _share(self, adjoint: str, term: _Term, gathers: list[Gather] | None) -> None:
        """An adjoint that is one product, element by element, stands for that product wherever it arrives."""
        adds = term.adds
        is_lost_outside = term.read.border is not None
        if is_lost_outside or gathers is None or gathers[0].over or not _is_long(adds.product):
            return
        read = Read(adjoint, adds.subscripts, None, self.tensors[adjoint].dtype)
        self._shared.append((frozenset(adds.indices), adds.product, read))

    def _by_shared(self, term: _Term) -> _Term:
        """The same term, with an adjoint's name for what is one: `-dL_sum[b,j]` for `-dL[b,j] if L[b,j] > 0 else 0`."""
        product = term.adds.product
        if not _is_long(product):
            return term
        for indices, known, read in self._shared:
            if indices == frozenset(term.adds.indices) and known.factors == product.factors:
                number = Fraction(product.number) / Fraction(known.number)
                return replace(term, adds=replace(term.adds, product=Product(number, (read,))))
        return term

    def _is_plain(self, term: _Term) -> bool:
        return term.read.border is None or term.read.border.rule is Rule.VALUE

    def _make(self, name: str) -> None:
        t = self.tensors[name]
        terms = self._terms.get(name, [])
        adjoint = self._adjoint[name] = self._new(f"d{name}", t.extents, t.dtype, t.span)
        if not terms:
            indices = self._bounds(name)
            zero = Const(0.0, t.dtype)
            self.equations.append(Equation(adjoint, indices, tuple(Index(b.name) for b in indices), False, zero))
            return
        found = [(term, self._gathers(name, term, groups=len(terms) == 1)) for term in terms]
        if len(terms) == 1 and self._is_plain(terms[0]):
            self._share(adjoint, terms[0], found[0][1])
        scattered = [term for term, gathers in found if gathers is None]
        gathers = [g for _, gs in found if gs is not None for g in gs]
        if gathers:
            self._equation(adjoint, gathers, t.span, accumulates=bool(scattered))
        for term in scattered:
            self._scatter(adjoint, term)

    def _gathers(self, name: str, term: _Term, groups: bool) -> list[Gather] | None:
        """What a term adds, as gathers; None where it cannot be turned around."""
        border = term.read.border
        axes = self._axes(name)
        term = self._by_shared(term)
        if border is None or border.rule is Rule.VALUE:
            found = gathered(term.adds, self.extents[name], axes, self.extents, self.build, groups)
            return None if found is None else [found]
        return self._through_border(name, term, border.rule, axes)

    def _through_border(self, name: str, term: _Term, rule: Rule, axes: tuple[str, ...]) -> list[Gather] | None:
        """The adjoint of the tensor with its border around it first, then the border folded back, axis by axis."""
        extents = self.extents[name]
        box = {b.name: b.extent for b in term.adds.indices}
        reaches = [reach(s, n, box) for s, n in zip(term.adds.subscripts, extents, strict=True)]
        if any(r is None for r in reaches):
            return None
        around = [r for r in reaches if r is not None]
        shifted = tuple(
            self.build.apply(ops.ADD, s, Const(r.before, DType.INT))
            for s, r in zip(term.adds.subscripts, around, strict=True)
        )
        wide = tuple(n + r.before + r.behind for n, r in zip(extents, around, strict=True))
        found = gathered(replace(term.adds, subscripts=shifted), wide, axes, self.extents, self.build)
        if found is None:
            return None
        gathers, t = [found], self.tensors[name]
        for k in (k for k, r in enumerate(around) if r.before or r.behind):
            source = self._new(f"d{name}_border", wide, t.dtype, t.span)
            self._equation(source, gathers, t.span, accumulates=False)
            bounds = self._named_bounds(axes, wide)
            gathers = folded(source, bounds, k, extents[k], around[k], rule, t.dtype, self.build)
            wide = tuple(extents[j] if j == k else n for j, n in enumerate(wide))
        return gathers

    def _equation(self, target: str, gathers: list[Gather], span: Span, accumulates: bool) -> None:
        """One equation for all gathers: their sum, over the indices of the first."""
        first = max(gathers, key=lambda g: len(g.over))
        indices, left = first.indices, first.left
        sums: dict[tuple[Bound, ...], list[Product]] = {}
        for g in gathers:
            over, product = (g.over, g.product) if g is first else _renamed(g, indices)
            sums.setdefault(over, []).append(product)
        parts = [self._summed(over, products) for over, products in sums.items()]
        reducing = [p for p in parts if isinstance(p, _Heavy)]
        body: Expr | None = None
        for k, part in enumerate(parts):
            value = part.value if isinstance(part, _Heavy) else part
            if isinstance(part, _Heavy) and k < len(parts) and part is not reducing[-1]:
                value = self._aside(target, indices, left, value, span)
            body = value if body is None else self.build.apply(ops.ADD, body, value)
        assert body is not None
        self.equations.append(Equation(target, indices, left, accumulates, body, span))

    def _summed(self, over: tuple[Bound, ...], products: list[Product]) -> "Expr | _Heavy":
        products = collected(products)
        if len(products) == 1:
            value = summed(products[0], over, self.build)
        else:
            terms = products[0].expr(self.build)
            for p in products[1:]:
                terms = self.build.apply(ops.ADD, terms, p.expr(self.build))
            value = Reduce(ops.SUM, over, terms, terms.dtype) if over else terms
        return _Heavy(value) if over else value

    def _aside(self, target: str, indices: tuple[Bound, ...], left: tuple[Expr, ...], value: Expr, span: Span) -> Expr:
        """One of several sums as a tensor of its own."""
        name = self._new(f"{target}_part", tuple(b.extent for b in indices), value.dtype, span)
        plain = tuple(Index(b.name) for b in indices)
        self.equations.append(Equation(name, indices, plain, False, value, span))
        return Read(name, plain, None, value.dtype)

    def _scatter(self, adjoint: str, term: _Term) -> None:
        """`dT[subscripts] += …`, where data decide the places."""
        adds, read = term.adds, term.read
        extents = self.extents[read.tensor]
        left, product = adds.subscripts, adds.product
        if read.border is not None:
            rule = read.border.rule
            if rule is Rule.VALUE:
                product = product.where(inside_test(read, extents, self.build))
                rule = Rule.EDGE
            left = tuple(moved(rule, self.build, s, n) for s, n in zip(left, extents, strict=True))
        elif product.conditions:
            left = self._kept_inside(left, extents, {b.name: b.extent for b in adds.indices})
        names = self._own_letters(adds.indices)
        change = {n: Index(to) for n, to in names.items()}

        left = tuple(with_indices(s, change) for s in left)
        product = product.mapped(lambda e: with_indices(e, change))
        bounds = [replace(b, name=names[b.name]) for b in adds.indices]
        used = list(dict.fromkeys(n.name for s in left for n in walk(s) if isinstance(n, Index)))
        indices = tuple(sorted((b for b in bounds if b.name in used), key=lambda b: used.index(b.name)))
        over = tuple(b for b in bounds if b.name not in used)
        body = summed(product, over, self.build)
        self.equations.append(Equation(adjoint, indices, left, True, body, read.span))

    def _own_letters(self, indices: tuple[Bound, ...]) -> dict[str, str]:
        """New names for indices whose capital is an extent of the program and not theirs: it would be read as theirs."""
        out: dict[str, str] = {}
        taken = {b.name for b in indices}
        for b in indices:
            name = b.name
            while any(c in self._extent_names and b.extent != symbol(c) for c in (name.upper(), name.capitalize())) or (
                name != b.name and name in taken
            ):
                name += "'"
            taken.add(name)
            out[b.name] = name
        return out

    def _kept_inside(self, left: tuple[Expr, ...], extents: tuple[Extent, ...], box: Box) -> tuple[Expr, ...]:
        """Places that stay inside where a condition does not hold: 0 is added there, at any place."""

        def safe(e: Expr) -> Expr:
            if not isinstance(e, Read) or e.border is not None:
                return e
            proved = (
                stays_inside(s, n, box, Facts()) for s, n in zip(e.subscripts, self.extents[e.tensor], strict=True)
            )
            return e if all(p is True for p in proved) else replace(e, border=Border(Rule.VALUE, Const(0, e.dtype)))

        left = tuple(rewrite(s, safe) for s in left)
        return tuple(
            s if stays_inside(s, n, box, Facts()) is True else moved(Rule.EDGE, self.build, s, n)
            for s, n in zip(left, extents, strict=True)
        )

    # -- names

    def _axes(self, name: str) -> tuple[str, ...]:
        """Letters for the axes of a tensor: those of its equation, its declaration or its readers, else i0, i1, …"""
        t = self.tensors[name]
        declared = t.axes if len(t.axes) == len(t.extents) and any(t.axes) else ()
        known = self._letters.get(name) or declared or self._read_letters.get(name, ())
        letters: list[str] = []
        for k in range(len(t.extents)):
            letter = known[k] if known and known[k] else f"i{k}"
            while letter in letters:
                letter += "'"
            letters.append(letter)
        return tuple(letters)

    def _bounds(self, name: str) -> tuple[Bound, ...]:
        return self._named_bounds(self._axes(name), self.extents[name])

    def _named_bounds(self, names: tuple[str, ...], extents: tuple[Extent, ...]) -> tuple[Bound, ...]:
        return tuple(Bound(n, extent) for n, extent in zip(names, extents, strict=True))

    def _new(self, stem: str, extents: tuple[Extent, ...], dtype: DType, span: Span = NOWHERE) -> str:
        name = stem
        while name in self.tensors:
            name += "'"
        self.tensors[name] = Tensor(name, extents, dtype, Role.COMPUTED, span=span)
        self.extents[name] = extents
        return name


def _letters_of_readers(program: Program) -> dict[str, tuple[str, ...]]:
    """For each tensor, the letters by which it is first read along each axis; '' where none stands alone."""
    found: dict[str, list[str]] = {}
    for e in program.equations:
        for r in reads(e.body):
            letters = found.setdefault(r.tensor, [""] * len(r.subscripts))
            for k, s in enumerate(r.subscripts):
                if isinstance(s, Index) and not letters[k] and s.name not in letters:
                    letters[k] = s.name
    return {name: tuple(letters) for name, letters in found.items()}


def _is_long(product: Product) -> bool:
    """Whether a product is more than one read."""
    return bool(product.conditions or product.below or len(product.above) > 1)


@dataclass(frozen=True, slots=True)
class _Heavy:
    """A part of an adjoint that is a sum."""

    value: Expr


def _renamed(g: Gather, indices: tuple[Bound, ...]) -> tuple[tuple[Bound, ...], Product]:
    """The summed indices and the product of a gather, with other letters on the left."""
    names: dict[str, str] = {b.name: to.name for b, to in zip(g.indices, indices, strict=True)}
    taken = {b.name for b in indices}
    over: list[Bound] = []
    for b in g.over:
        name = b.name
        while name in taken:
            name += "'"
        taken.add(name)
        names[b.name] = name
        over.append(replace(b, name=name))
    change = {n: Index(to) for n, to in names.items()}
    product = g.product.mapped(lambda e: with_indices(e, change))
    return tuple(over), product
