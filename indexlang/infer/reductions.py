"""Reductions: which indices they bind, and what each name of one means."""

from collections.abc import Iterator
from typing import cast

from indexlang.infer.context import Context, capitals, kind_of
from indexlang.infer.scope import Var
from indexlang.ir import ops
from indexlang.ir.build import integer
from indexlang.ir.dtypes import DType
from indexlang.ir.expr import Apply, Bound, Const, Expr, Index, Read, Reduce, free_indices, rewrite, walk
from indexlang.syntax import ast
from indexlang.text.diagnostics import diagnostic, program_error
from indexlang.text.source import Span


class Reductions(Context):
    """Elaborates reductions."""

    def _reduction(self, e: ast.Reduction) -> Expr:
        binders = self._implicit(e) if e.binders is None else self._explicit(e)
        self.inner.extend(binders)
        body = self.expr(e.body)
        del self.inner[len(self.inner) - len(binders) :]
        over = tuple(v.bound for v in binders)
        if e.binders is not None:
            self._check_used(e, binders, body)
        if e.op == "sum":
            self._warn_of_repeated_terms(e, {v.name for v in binders}, body)
        return self._fold(e, over, body)

    def _explicit(self, e: ast.Reduction) -> list[Var]:
        made: list[Var] = []
        for b in e.binders or ():
            around = self.lookup(b.name)
            twin = next((v for v in made if v.letter == b.name), around)
            if twin is not None:
                raise program_error(
                    "E0310", b.span, index=b.name, because=[(f"`{b.name}` is bound here already", twin.span)]
                )
            if b.name in self.world.constants:
                raise self.world.no_index(b.name, b.span)
            written = self.extent(b.extent, f"the range of `{b.name}`") if b.extent else None
            made.append(self.scope.new(b.name, b.span, written, b.extent))
        return made

    def _check_used(self, e: ast.Reduction, binders: list[Var], body: Expr) -> None:
        free = free_indices(body)
        written = {n.name for n in ast.nodes(e.body) if isinstance(n, ast.Name)}  # `0 * A[x]` is folded to 0
        for b, var in zip(e.binders or (), binders, strict=True):
            if var.name not in free and b.extent is None and not written & {b.name, *capitals(b.name)}:
                raise program_error("E0311", b.span, index=b.name, op=e.op)

    def _warn_of_repeated_terms(self, e: ast.Reduction, over: set[str], body: Expr) -> None:
        """`sum (W[i,j]*x[i] - B[j])` subtracts B once for each i: mostly the bracket should end before."""
        terms = list(_terms(body))
        for term in terms if len(terms) > 1 else ():
            if not free_indices(term) & over and any(isinstance(n, Read) for n in walk(term)):
                text = term.span.text or "a term"
                self.scope.warnings.append(diagnostic("W0301", e.op_span, op=e.op, term=f"`{text}`"))

    def _implicit(self, e: ast.Reduction) -> list[Var]:
        letters = self.direct_indices(e.body)
        if not letters:
            self.expr(e.body)  # an unknown name in it, or one whose equation is wrong, says more
            raise program_error(
                "E0307", e.op_span, op=e.op, advice=f"name the index: `{e.op}[i] …`, or drop the `{e.op}`"
            )
        return [self.scope.new(letter, span) for letter, span in letters.items()]

    def direct_indices(self, e: ast.Expr) -> dict[str, Span]:
        """The letters in subscripts of a term that nothing around binds and no reduction inside claims."""
        found: dict[str, Span] = {}
        self._collect(e, found, (), False)
        return {letter: span for letter, span in found.items() if self.lookup(letter) is None}

    def _collect(self, e: object, found: dict[str, Span], bound: tuple[str, ...], inside: bool) -> None:
        match e:
            case ast.Name(name=name, span=span):
                if inside and name not in bound and self._may_be_index(name):
                    found.setdefault(name, span)
            case ast.Access(name=name, subscripts=subscripts, border=border):
                for s in subscripts:
                    self._collect(s, found, bound, name not in self.world.tables)
                self._collect(border, found, bound, False)
            case ast.Reduction(binders=binders, body=body):
                if binders is not None:  # without a list it binds its own
                    self._collect(body, found, (*bound, *(b.name for b in binders)), inside)
            case ast.Call(args=args):
                for a in args:
                    self._collect(a, found, bound, inside)
            case ast.Unary(operand=operand):
                self._collect(operand, found, bound, inside)
            case ast.Binary(left=left, right=right):
                self._collect(left, found, bound, inside)
                self._collect(right, found, bound, inside)
            case ast.Comparison(operands=operands):
                for o in operands:
                    self._collect(o, found, bound, inside)
            case ast.Conditional(value=value, condition=condition, other=other):
                for part in (value, condition, other):
                    self._collect(part, found, bound, inside)
            case ast.Group(items=items):
                for item in items:
                    self._collect(item, found, bound, inside)
            case ast.Ranged(index=index):
                self._collect(index, found, bound, inside)
            case _:
                return

    def _fold(self, e: ast.Reduction, over: tuple[Bound, ...], body: Expr) -> Expr:
        build, span = self.build, e.span
        if e.op in ("any", "all") and body.dtype is not DType.BOOL:
            raise program_error(
                "E0306",
                e.body.span,
                op=e.op,
                given=f"a {kind_of(body.dtype)}",
                advice="compare it first, as in `any (x != 0)`",
            )
        if e.op in ("argmax", "argmin") and (len(over) != 1 or e.binders is None):
            raise program_error("E0308", e.op_span, op=e.op)
        if e.op in ("argmax", "argmin", "mean"):
            self.scope.never_empty += [(e.op, self.scope.vars[b.name], e.op_span) for b in over]
        match e.op:
            case "mean":
                count = integer(1)
                for b in over:
                    count = cast(Const, build.apply(ops.MUL, count, integer(b.extent)))
                floats = body if body.dtype.is_float else build.apply(ops.MUL, self._one(), body)
                return self._apply(ops.DIV, (Reduce(ops.SUM, over, floats, floats.dtype, span), count), span)
            case "logsumexp":
                return self._logsumexp(over, body, span)
            case "argmax" | "argmin" | "any" | "all":
                dtype = DType.INT if e.op.startswith("arg") else DType.BOOL
                return Reduce(ops.FOLDS[e.op], over, body, dtype, span)
            case _:
                dtype = DType.INT if body.dtype is DType.BOOL else body.dtype
                inner = build.select(body, integer(1), integer(0)) if body.dtype is DType.BOOL else body
                return Reduce(ops.FOLDS[e.op], over, inner, dtype, span)

    def _again(self, e: Reduce) -> Reduce:
        """The same reduction with indices of its own, to stand inside another over the same ones."""
        twins = {b.name: self.scope.twin(self.scope.letters[b.name], b.span) for b in e.over}
        body = rewrite(
            e.body, lambda n: Index(twins[n.name].name, n.span) if isinstance(n, Index) and n.name in twins else n
        )
        over = tuple(Bound(twins[b.name].name, b.extent, b.span) for b in e.over)
        return Reduce(e.fold, over, body, e.dtype, e.span)

    def _one(self) -> Const:
        return Const(1.0, self.build.float_type)

    def _logsumexp(self, over: tuple[Bound, ...], body: Expr, span: Span) -> Expr:
        """m + log(sum exp(x - m)) with m the largest x, taken as 0 where it is infinite."""
        build = self.build
        x = body if body.dtype.is_float else build.apply(ops.MUL, self._one(), body)
        top = self._again(Reduce(ops.LARGEST, over, x, x.dtype, span))
        size_of_top = build.apply(ops.ABS, top)
        m = build.select(build.apply(ops.LT, size_of_top, build.number(float("inf"))), top, Const(0.0, x.dtype))
        m = build.apply(ops.STOP, m)  # the value does not depend on it, so the gradient is that of the rest
        terms = build.apply(ops.EXP, build.apply(ops.SUB, x, m))
        total = Reduce(ops.SUM, over, terms, x.dtype, span)
        return build.apply(ops.ADD, m, build.apply(ops.LOG, total), span=span)


def _terms(e: Expr) -> Iterator[Expr]:
    """What a sum or difference is made of."""
    match e:
        case Apply(op=ops.ADD | ops.SUB, args=(a, b)):
            yield from _terms(a)
            yield from _terms(b)
        case _:
            yield e
