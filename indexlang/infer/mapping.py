"""From a function's own tensors to the caller's: names, leading axes, packs of axes.

A function's equations are elaborated on the axes that its head names. Here they get the axes around them:

before   R[j] = sum[i] W[j,i]*L[i]           (L a pack, given L8[b,x,y,i])
after    L9[b,j] = sum[x,y,i] L9.W[j,x*Y*I + y*I + i]*L8[b,x,y,i]
"""

from collections.abc import Callable, Mapping
from dataclasses import field, replace

from indexlang.ir import ops
from indexlang.ir.build import Builder, integer
from indexlang.ir.equation import Call, Equation, Program, Role, Tensor
from indexlang.ir.expr import Apply, Bound, Const, Expr, Index, Read, Reduce, children, reads, walk, with_children
from indexlang.ir.size import Extent
from indexlang.text.diagnostics import program_error
from indexlang.text.source import NOWHERE, Span
from indexlang.text.values import immutable


@immutable
class Alias:
    """A tensor of the caller, as a function sees it.

    name   the caller's            lead  how many of its first axes the function does not see
    packs  for an axis that the function sees as one: the axes that it stands for
    axes   the caller's letters for all its axes, '' where there is none
    """

    name: str
    lead: int = 0
    packs: Mapping[int, tuple[Extent, ...]] = field(default_factory=dict[int, tuple[Extent, ...]])
    axes: tuple[str, ...] = ()


@immutable
class Leading:
    """An axis that is mapped: its extent, and the letter it has at the caller."""

    letter: str
    extent: Extent
    span: Span


class Transplant:
    """Moves the equations and tensors of a function to its caller.

    aliases  by the function's name      renamed  the other names, to the caller's
    leading  the mapped axes, outermost first
    """

    def __init__(
        self,
        aliases: Mapping[str, Alias],
        renamed: Mapping[str, str],
        leading: tuple[Leading, ...],
        build: Builder,
    ) -> None:
        self.aliases = aliases
        self.renamed = renamed
        self.leading = leading
        self.build = build
        self.lead = {name: alias.lead for name, alias in aliases.items()}
        self.is_needed = any(a.lead or a.packs for a in aliases.values())  # whether anything but names changes

    def equations(self, found: list[Equation], call: tuple[Call, ...] = ()) -> list[Equation]:
        """The equations, in the same order; `call` is the one that they come from."""
        for e in found:
            self.lead[e.target] = max(self.lead.get(e.target, 0), self._lead_of(e))
        return [self._equation(e, call) for e in found]

    def tensor(self, t: Tensor, axes: tuple[str, ...] | None = None, span: Span | None = None) -> Tensor:
        """A tensor that the function computes or declares; with its axes and place at the caller, where those are known."""
        leading = self.leading[: self.lead.get(t.name, 0)]
        extents = (*(axis.extent for axis in leading), *t.extents)
        if axes is None:
            axes = (*(axis.letter for axis in leading), *(t.axes or ("",) * len(t.extents)))
        name = self.renamed.get(t.name, t.name)
        return replace(t, name=name, extents=extents, axes=axes, span=t.span if span is None else span)

    def _lead_of(self, e: Equation) -> int:
        """Every random element is drawn for itself; else what is read decides."""
        if not self.leading:
            return 0
        if is_random(e.body):
            return len(self.leading)
        parts = (e.body, *e.left)
        return max((self.lead.get(r.tensor, 0) for p in parts for r in reads(p)), default=0)

    def _equation(self, e: Equation, call: tuple[Call, ...]) -> Equation:
        lead = self.lead[e.target]
        taken = _bound(e) if self.is_needed else set[str]()
        letters: list[str] = []
        for axis in self.leading[:lead]:
            letters.append(_free(axis.letter, taken))
            taken.add(letters[-1])
        moving = _Moving(self, tuple(letters), self._splits(e, taken))
        outer = tuple(Bound(x, a.extent, a.span) for x, a in zip(letters, self.leading, strict=False))
        indices = (*outer, *moving.bounds(e.indices))
        left = (*(Index(x) for x in letters), *(moving.expr(s) for s in e.left))
        body = moving.expr(e.body)
        if lead and is_random(body):
            body = self._drawn_apart(body, e, outer)
        target = self.renamed.get(e.target, e.target)
        return Equation(target, indices, left, e.accumulates, body, e.span, calls=(*call, *e.calls))

    def _splits(self, e: Equation, taken: set[str]) -> "dict[str, tuple[Bound, ...]]":
        """For each index that runs over a pack: the indices of the pack's axes."""
        out: dict[str, tuple[Bound, ...]] = {}
        if not self.is_needed:
            return out
        for part in (e.body, *e.left):
            for read in reads(part):
                alias = self.aliases.get(read.tensor)
                if alias is None:
                    continue
                for axis, extents in alias.packs.items():
                    s = read.subscripts[axis]
                    if isinstance(s, Index) and s.name not in out:
                        out[s.name] = self._parts(s, alias, axis, extents, taken)
        return out

    def _parts(
        self, s: Index, alias: Alias, axis: int, extents: tuple[Extent, ...], taken: set[str]
    ) -> tuple[Bound, ...]:
        first = alias.lead + axis  # a pack is one axis, so those before it count as they are
        bounds: list[Bound] = []
        taken.discard(s.name)
        for n, extent in enumerate(extents):
            letter = alias.axes[first + n] if first + n < len(alias.axes) else ""
            name = _free(letter or f"{s.name}{n + 1}", taken)
            taken.add(name)
            bounds.append(Bound(name, extent, s.span))
        return tuple(bounds)

    def _drawn_apart(self, body: Expr, e: Equation, outer: tuple[Bound, ...]) -> Expr:
        """The position of a draw counts the mapped axes too."""
        inner: Extent = 1
        for b in e.indices:
            inner = inner * b.extent
        offset: Expr = Index(outer[0].name)
        for b in outer[1:]:
            offset = self.build.apply(ops.ADD, self.build.apply(ops.MUL, offset, integer(b.extent)), Index(b.name))
        start = self.build.apply(ops.MUL, offset, integer(inner))

        def moved(n: Expr) -> Expr:
            n = with_children(n, tuple(moved(c) for c in children(n)))
            if isinstance(n, Apply) and n.op is ops.UNIFORM:
                return Apply(n.op, (*n.args[:-1], self.build.apply(ops.ADD, start, n.args[-1])), n.dtype, n.span)
            return n

        return moved(body)


def mapped_program(program: Program, extent: Callable[[str], Extent]) -> Program:
    """The program for inputs with one more leading axis; what depends on them has it too.

    Raises E0218 where a state or param would get a next value for each element of that axis.
    """
    name = "N"
    while name in program.size_names:
        name += "'"
    inputs = [t for t in program.tensors if t.role is Role.INPUT]
    axes = {t.name: ("n", *(t.axes or ("",) * len(t.extents))) for t in inputs}
    aliases = {t.name: Alias(t.name, 1, {}, axes[t.name]) for t in inputs}
    leading = Leading("n", extent(name), inputs[0].span if inputs else NOWHERE)
    plan = Transplant(aliases, {}, (leading,), Builder(program.float_type))
    equations = plan.equations(list(program.equations))
    tensors = [
        replace(t, extents=(leading.extent, *t.extents), axes=axes[t.name]) if t.role is Role.INPUT else plan.tensor(t)
        for t in program.tensors
    ]
    for kept, following in program.updates:
        if plan.lead.get(following, 0):
            raise program_error(
                "E0218", program.tensor(kept).span, name=kept,
                message="would get a next value for each example", advice="declare the batch axis of the inputs",
            )  # fmt: skip
    return program.replace(tensors=tuple(tensors), equations=tuple(equations))


def _bound(e: Equation) -> set[str]:
    """The indices that stand in an equation."""
    over = {b.name for p in (e.body, *e.left) for n in walk(p) if isinstance(n, Reduce) for b in n.over}
    return over | {b.name for b in e.indices}


def is_random(e: Expr) -> bool:
    """Whether an expression draws numbers."""
    return any(isinstance(n, Apply) and n.op is ops.UNIFORM for n in walk(e))


@immutable
class _Moving:
    """Rewrites the expressions of one equation."""

    plan: Transplant
    letters: tuple[str, ...]  # of the mapped axes
    splits: "Mapping[str, tuple[Bound, ...]]"

    def bounds(self, over: tuple[Bound, ...]) -> tuple[Bound, ...]:
        return tuple(part for b in over for part in self.splits.get(b.name, (b,)))

    def expr(self, e: Expr) -> Expr:
        match e:
            case Index(name=name):
                return self._position(self.splits[name]) if name in self.splits else e
            case Const():
                return e
            case Reduce(fold, over, body, dtype, span):
                return Reduce(fold, self.bounds(over), self.expr(body), dtype, span)
            case Read():
                return self._read(e)
            case _:
                return with_children(e, tuple(self.expr(c) for c in children(e)))

    def _read(self, e: Read) -> Expr:
        subscripts = tuple([self.expr(s) for s in e.subscripts])
        border = e.border
        if border is not None and border.value is not None:
            border = replace(border, value=self.expr(border.value))
        alias = self.plan.aliases.get(e.tensor)
        lead = self.plan.lead.get(e.tensor, 0)
        outer = tuple(Index(x) for x in self.letters[:lead])
        if alias is None:
            name = self.plan.renamed.get(e.tensor, e.tensor)
            return Read(name, (*outer, *subscripts), border, e.dtype, e.span)
        inner: list[Expr] = []
        for axis, (old, new) in enumerate(zip(e.subscripts, subscripts, strict=True)):
            inner += self._unpacked(old, new, alias.packs[axis]) if axis in alias.packs else [new]
        return Read(alias.name, (*outer, *inner), border, e.dtype, e.span)

    def _unpacked(self, old: Expr, new: Expr, extents: tuple[Extent, ...]) -> list[Expr]:
        """The subscripts of a pack's axes for one position in the pack."""
        if isinstance(old, Index) and old.name in self.splits:
            return [Index(b.name, old.span) for b in self.splits[old.name]]
        build = self.plan.build
        out: list[Expr] = []
        for n, extent in enumerate(extents):
            below: Extent = 1
            for later in extents[n + 1 :]:
                below = below * later
            part = build.apply(ops.FLOORDIV, new, integer(below)) if below != 1 else new
            out.append(build.apply(ops.MOD, part, integer(extent)) if n else part)
        return out

    def _position(self, parts: tuple[Bound, ...]) -> Expr:
        build = self.plan.build
        found: Expr = Index(parts[0].name)
        for b in parts[1:]:
            found = build.apply(ops.ADD, build.apply(ops.MUL, found, integer(b.extent)), Index(b.name))
        return found


def _free(letter: str, taken: set[str]) -> str:
    while letter in taken:
        letter += "'"
    return letter


__all__ = ["Alias", "Leading", "Transplant", "is_random"]
