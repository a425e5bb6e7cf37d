"""What a program is made of, in numbers: tensors, parameters, multiply-adds."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from math import prod

from indexlang.ir import ops
from indexlang.ir.equation import Equation, Program, Role, Tensor
from indexlang.ir.expr import Apply, Reduce, reads, walk
from indexlang.ir.show import show_equation
from indexlang.ir.size import Extent, Size
from indexlang.text.source import NOWHERE


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """A tensor of a program.

    axes     the letter of each axis, '' where it has none
    extents  an int where it is known, else the text of a named extent or a formula over such
    params   how many trained numbers it holds; macs  multiply-adds to compute it; bytes  of memory (0: not known yet)
    """

    name: str
    axes: tuple[str, ...]
    extents: tuple[int | str, ...]
    dtype: str
    role: str
    params: int
    macs: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Row:
    """One equation of the layer table; `params` are those that no earlier equation uses."""

    name: str
    text: str
    extents: tuple[int | str, ...]
    params: int
    macs: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Summary:
    """The layer table. `missing` are the extents without a value: what depends on them counts as 0."""

    rows: tuple[Row, ...]
    missing: tuple[str, ...] = ()

    @property
    def params(self) -> int:
        """The elements of all parameters; one that several equations use counts once."""
        return sum(row.params for row in self.rows)

    @property
    def macs(self) -> int:
        """The multiply-adds of one run."""
        return sum(row.macs for row in self.rows)

    def __str__(self) -> str:
        table = [("equation", "extents", "parameters", "multiply-adds", "bytes")]
        table += [(r.name, _times(r.extents), _count(r.params), _count(r.macs), _count(r.bytes)) for r in self.rows]
        table.append(("total", "", _count(self.params), _count(self.macs), _count(sum(r.bytes for r in self.rows))))
        widths = [max(len(row[k]) for row in table) for k in range(5)]
        lines = [
            row[0].ljust(widths[0]) + "".join("  " + row[k].rjust(widths[k]) for k in range(1, 5)) for row in table
        ]
        rule = "-" * max(map(len, lines))
        return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1], *self._missing()])

    def _missing(self) -> list[str]:
        """What the numbers leave out, in a line."""
        if not self.missing:
            return []
        names = ", ".join(f"`{n}`" for n in self.missing)
        gives = ", ".join(f"{n}=…" for n in self.missing)
        verb = "has" if len(self.missing) == 1 else "have"
        return [f"{names} {verb} no value: what depends on it counts as 0. Give it with `bound({gives})`, or -D."]

    def _repr_html_(self) -> str:
        cells = [(r.name, _times(r.extents), _count(r.params), _count(r.macs)) for r in self.rows]
        cells.append(("total", "", _count(self.params), _count(self.macs)))
        body = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in cells)
        head = "<tr><th>equation</th><th>extents</th><th>parameters</th><th>multiply-adds</th></tr>"
        return f"<table>{head}{body}</table>" + "".join(f"<p>{line}</p>" for line in self._missing())


def tensor_infos(program: Program) -> Mapping[str, TensorInfo]:
    """Every tensor of a program, by name."""
    macs = {e.target: 0 for e in program.equations}
    for e in program.equations:
        macs[e.target] += multiply_adds(e)
    return {t.name: _info(t, macs.get(t.name, 0)) for t in program.tensors if t.role is not Role.SEED}


def summary(program: Program) -> Summary:
    """The layer table; extents that are not known yet stand as names, and count as nothing."""
    rows: list[Row] = []
    seen: set[str] = set()
    for e in program.equations:
        t = program.tensor(e.target)
        own = {r.tensor for part in (*e.left, e.body) for r in reads(part)} - seen
        seen |= own
        params = sum(_known(program.tensor(n).elements) for n in own if program.tensor(n).role is Role.PARAM)
        rows.append(
            Row(e.target, _written(e), _extents(t), params, multiply_adds(e), _known(t.elements) * t.dtype.size)
        )
    return Summary(tuple(rows), tuple(sorted(program.size_names)))


def moved_bytes(e: Equation, program: Program, without: Container[str] = ()) -> int:
    """The least memory traffic of an equation: its result and every tensor that it reads, once.

    without  tensors that are not counted
    """
    touched = {e.target, *(r.tensor for part in (*e.left, e.body) for r in reads(part))}
    names = (n for n in touched if n not in without)
    return sum(_known(t.elements) * t.dtype.size for t in map(program.tensor, names))


def multiply_adds(e: Equation) -> int:
    """The multiply-adds of an equation: a sum of products costs one for each value of its indices."""
    around = prod(_known(b.extent) for b in e.indices)
    return sum(around * _multiply_adds(n) for n in sums_of_products(e))


def sums_of_products(e: Equation) -> list[Reduce]:
    """The sums in an equation that cost a multiply-add a term."""
    return [n for n in walk(e.body) if isinstance(n, Reduce) and n.fold is ops.SUM and _is_product(n)]


def _is_product(n: Reduce) -> bool:
    product = isinstance(n.body, Apply) and n.body.op is ops.MUL
    return product and len(list(reads(n.body))) >= 2


def _multiply_adds(n: Reduce) -> int:
    return prod(_known(b.extent) for b in n.over)


def _written(e: Equation) -> str:
    """The equation as the user wrote it, on one line; in the notation if that was LaTeX."""
    text = e.span.text
    if e.span is NOWHERE or "\\" in text:
        text = show_equation(e)
    return " ".join(text.split())


def _info(t: Tensor, macs: int) -> TensorInfo:
    elements = _known(t.elements)
    params = elements if t.role is Role.PARAM else 0
    axes = t.axes or ("",) * len(t.extents)
    return TensorInfo(t.name, axes, _extents(t), t.dtype.value, t.role.value, params, macs, elements * t.dtype.size)


def _extents(t: Tensor) -> tuple[int | str, ...]:
    return tuple(str(n) if isinstance(n, Size) else int(n) for n in t.extents)


def _known(extent: Extent) -> int:
    return 0 if isinstance(extent, Size) else int(extent)


def _times(extents: tuple[int | str, ...]) -> str:
    return "×".join(map(str, extents))


def _count(n: int) -> str:
    return f"{n:,}"
