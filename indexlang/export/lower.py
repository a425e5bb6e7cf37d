"""Expressions as values of the graph."""

from collections.abc import Mapping
from dataclasses import replace

from indexlang.export.accesses import Accesses, Stored
from indexlang.export.graph import Graph
from indexlang.export.numbers import numbers
from indexlang.export.scalars import scalar
from indexlang.export.sums import Sums
from indexlang.export.values import Scope, Value, beside, cast, common, spread
from indexlang.ir import ops
from indexlang.ir.dtypes import DType, joined
from indexlang.ir.expr import Apply, Const, Expr, Index, Read, Reduce, Select
from indexlang.ir.ops import Kind
from indexlang.ir.size import Extent, Size

_FOLDS = {"sum": "ReduceSum", "prod": "ReduceProd", "max": "ReduceMax", "min": "ReduceMin"}


class Lowering:
    """Expressions in one graph, over the tensors made so far."""

    def __init__(self, graph: Graph, tensors: Mapping[str, Stored]) -> None:
        self.graph = graph
        self.accesses = Accesses(graph, tensors, self.value)
        self.sums = Sums(graph, self.accesses)

    def value(self, e: Expr, scope: Scope) -> Value:
        """The value of an expression. Raises ProgramError E1101 for what ONNX cannot say."""
        known = numbers(e, scope.box)
        if known is not None:
            return Value(self.graph.constant(known.array), known.axes, e.dtype.read)
        match e:
            case Const(value=value):
                assert isinstance(value, Size)
                return Value(self.graph.size(value), (), DType.INT)
            case Index(name=name):
                ends = (
                    self.graph.number(0, DType.INT),
                    self.graph.size(scope.box[name]),
                    self.graph.number(1, DType.INT),
                )
                return Value(self.graph.add("Range", *ends), (name,), DType.INT)
            case Read():
                return self.accesses.read(e, scope)
            case Apply():
                return self._application(e, scope)
            case Select():
                return self._choice(e, scope)
            case Reduce():
                return self._fold(e, scope)

    def _application(self, e: Apply, scope: Scope) -> Value:
        if e.op is ops.UNIFORM:
            raise self.graph.refuse("random numbers come from a generator of our own, which ONNX does not have",
                                    "export it as it is outside of training, or give the numbers as an input")  # fmt: skip
        args = [self.value(a, scope) for a in e.args]
        inside = joined(*(a.dtype for a in args)) if e.op.kind in (Kind.COMPARE, Kind.LOGIC, Kind.TO_INT) else e.dtype
        args = [cast(self.graph, a, inside) for a in args]
        axes = common(args)
        name = scalar(self.graph, e.op, inside, tuple(beside(self.graph, a, axes) for a in args))
        return Value(name, axes, e.dtype)

    def _choice(self, e: Select, scope: Scope) -> Value:
        inner = replace(scope, guarded=True)
        cond = self.value(e.cond, scope)
        both = [cast(self.graph, self.value(p, inner), e.dtype) for p in (e.then, e.other)]
        axes = common([cond, *both])
        name = self.graph.add("Where", *(beside(self.graph, v, axes) for v in (cond, *both)))
        return Value(name, axes, e.dtype)

    # -- reductions

    def _fold(self, e: Reduce, scope: Scope) -> Value:
        inner = replace(scope, box={**scope.box, **{b.name: b.extent for b in e.over}})
        found = self.sums.product(e, inner, self.value) or self.sums.pool(e, inner)
        if found is not None:
            return found
        body = cast(self.graph, self.value(e.body, inner), e.body.dtype)
        over = tuple(b.name for b in e.over)
        axes = body.axes
        if (len(over) > 1 and e.fold in (ops.ARGMAX, ops.ARGMIN)) or any(x not in axes for x in over):
            axes = (*(x for x in body.axes if x not in over), *over)
        return self._folded(e, spread(self.graph, body, axes, inner), over, inner)

    def _folded(self, e: Reduce, body: Value, over: tuple[str, ...], scope: Scope) -> Value:
        left = tuple(x for x in body.axes if x not in over)
        places = self.graph.ints(*(n for n, x in enumerate(body.axes) if x in over))
        match e.fold:
            case ops.ANY | ops.ALL:
                counted = self.graph.cast(body.name, DType.INT)
                name = "ReduceMax" if e.fold is ops.ANY else "ReduceMin"
                found = self.graph.add(name, counted, places, keepdims=0)
                return Value(self.graph.add("Greater", found, self.graph.number(0, DType.INT)), left, DType.BOOL)
            case ops.ARGMAX | ops.ARGMIN:
                flat, axis = body.name, body.axes.index(e.over[0].name)
                if len(over) > 1:
                    flat = self.graph.reshaped(flat, [*scope.extents(left), _product(scope, over)])
                name = "ArgMax" if e.fold is ops.ARGMAX else "ArgMin"
                return Value(self.graph.add(name, flat, axis=axis, keepdims=0), left, DType.INT)
            case _:
                name = self.graph.add(_FOLDS[e.fold.name], body.name, places, keepdims=0)
                return Value(name, left, body.dtype)


def _product(scope: Scope, over: tuple[str, ...]) -> Extent:
    out: Extent = 1
    for n in scope.extents(over):
        out = out * n
    return out
