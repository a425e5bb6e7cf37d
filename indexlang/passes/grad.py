"""Reverse mode: a program with the equations of its gradient behind it.

before   Y[b,j] = relu(sum[i:9] X[b,i]*W[i,j]);  loss = sum[b:4,j:3] Y[b,j]^2
after    … dY[b,j] = 2*Y[b,j];  dY_sum[b,j] = dY[b,j] if Y[b,j] > 0 else 0;  dW[i,j] = sum[b:4] dY_sum[b,j]*X[b,i]

Equation by equation from the last to the first: what arrives at a tensor is pulled through its equation to the tensors
that it reads (`pull.py`), and what arrives there is turned around (`gather.py`). Reductions are taken out of their
equations first and put back at the end (`split.py`), so that each has a signal of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from indexlang.ir import ops
from indexlang.ir.build import Builder, integer
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Equation, Program, Role, Tensor
from indexlang.ir.expr import Apply, Bound, Const, Expr, Index, Read, Reduce, Select, reads, with_indices
from indexlang.ir.size import Extent
from indexlang.passes.arrivals import Arrivals
from indexlang.passes.dce import drop_dead
from indexlang.passes.gather import Adds
from indexlang.passes.products import Product, both
from indexlang.passes.pull import Pull
from indexlang.passes.split import joined_again, split_reductions
from indexlang.text.diagnostics import program_error
from indexlang.text.names import did_you_mean
from indexlang.text.source import NOWHERE, Span


@dataclass(frozen=True, slots=True)
class Gradient:
    """A program with adjoint equations. Its outputs are what was differentiated, then the adjoints.

    names  of the adjoint of each tensor: `W1` → `dW1`, or with primes where that name is taken
    zero   the tensors that have no influence: their adjoints are 0
    seeds  for `pullback`, the input that gives the adjoint of each result
    """

    program: Program
    names: Mapping[str, str]
    zero: tuple[str, ...]
    seeds: Mapping[str, str]


def gradient(program: Program, of: str, wrt: Sequence[str], span: Span = NOWHERE) -> Gradient:
    """The program that computes the scalar `of` and its derivatives with respect to every element of `wrt`.

    Raises ProgramError E0503 (a name is unknown), E0501 (a tensor is not of floats), E0502 (`of` is no scalar).
    Cost: a pass over the equations; what is computed is a small multiple of what the program computes.
    """
    made = adjoints(program, of, wrt, span)
    return _live(made)


def adjoints(program: Program, of: str, wrt: Sequence[str], span: Span = NOWHERE) -> Gradient:
    """The same, with all other equations of the program kept. Raises what `gradient` raises, E0502 among it."""
    tensor = _float_tensor(program, of, span)
    if tensor.extents:
        raise program_error("E0502", span, name=of, extents=", ".join(map(str, tensor.extents)))
    return _Reverse(program, (of,), wrt, span).run({of: Product()}, {})


def pullback(program: Program, of: Sequence[str], wrt: Sequence[str], span: Span = NOWHERE) -> Gradient:
    """The program that takes one more input for each tensor of `of`, its adjoint, and computes those of `wrt`.

    Raises E0503 and E0501 as `gradient` does.
    """
    names = set(program.by_name)
    seeds: dict[str, str] = {}
    given: list[Tensor] = []
    for name in of:
        t = _float_tensor(program, name, span)
        seeds[name] = fresh(f"d{name}", names)
        given.append(Tensor(seeds[name], t.extents, t.dtype, Role.INPUT, t.axes))
    wider = program.replace(tensors=(*given, *program.tensors))
    signals = {n: Product(above=(Read(s, (), None, program.tensor(n).dtype),)) for n, s in seeds.items()}
    made = _Reverse(wider, tuple(of), wrt, span).run(signals, seeds)
    return _live(made)


def _live(made: Gradient) -> Gradient:
    """Without what neither the outputs nor the next values depend on."""
    program = made.program
    kept = dict.fromkeys((*program.outputs, *(n for _, n in program.updates)))
    return replace(made, program=drop_dead(program, tuple(kept)).replace(outputs=program.outputs))


def _float_tensor(program: Program, name: str, span: Span) -> Tensor:
    t = program.by_name.get(name)
    if t is None or t.role is Role.SEED:
        raise program_error("E0503", span, name=name, advice=did_you_mean(name, program.by_name, "see `summary()`"))
    if not t.dtype.is_float:
        raise program_error("E0501", span, name=name, dtype=str(t.dtype))
    return t


def fresh(stem: str, names: set[str]) -> str:
    """A name that is not taken; it is then."""
    name = stem
    while name in names:
        name += "'"
    names.add(name)
    return name


class _Reverse:
    def __init__(self, program: Program, of: tuple[str, ...], wrt: Sequence[str], span: Span) -> None:
        for name in wrt:
            _float_tensor(program, name, span)
        self.of, self.wrt = of, tuple(dict.fromkeys(wrt))
        self.build = Builder(program.float_type)
        split = split_reductions(program, _between(program, of, self.wrt, self.build))
        self.program, self.made = split.program, split.made
        self.active = _between(self.program, of, self.wrt, self.build)
        self.arrivals = Arrivals(self.program, self.wrt)
        extents = {t.name: t.extents for t in self.program.tensors}
        self.pull = Pull(self.active, extents, self.build)

    def run(self, signals: Mapping[str, Product], seeds: Mapping[str, str]) -> Gradient:
        arrivals = self.arrivals
        for name, signal in signals.items():
            arrivals.start(name, signal)
        first = self._first_readers()
        for k, e in reversed(tuple(enumerate(self.program.equations))):
            if e.target in self.active and arrivals.has(e.target):
                arrivals.settle(e.target)
                self._equation(e)
            for name in first.get(k, ()):
                if arrivals.has(name):
                    arrivals.settle(name)
        zero = tuple(n for n in self.wrt if not arrivals.has(n))
        names = {n: arrivals.named(n) for n in self.wrt}
        program = joined_again(arrivals.program(), self.made)
        outputs = tuple(dict.fromkeys((*self.of, *names.values())))
        return Gradient(program.replace(outputs=outputs), names, zero, seeds)

    def _first_readers(self) -> dict[int, list[str]]:
        """The tensors whose adjoints are wanted, by the first equation that reads them, computed ones first.

        Once that equation has been passed, all has arrived at them: what it was made of need not be kept, and the
        adjoint of a sum stands for the same signal at its neighbours.
        """
        computed = {e.target for e in self.program.equations}
        waiting = self.active | set(self.wrt)
        first: dict[int, list[str]] = {}
        for k, e in enumerate(self.program.equations):
            read = [n for n in dict.fromkeys(r.tensor for r in reads(e.body)) if n in waiting]
            waiting -= set(read)
            first[k] = sorted(read, key=lambda n: n not in computed)
        return first

    # -- equations

    def _equation(self, e: Equation) -> None:
        """Send what arrives at the target on to what the equation reads."""
        signal = self.arrivals.signal(e.target, e.left)
        match e.body:
            case Reduce(fold=ops.SUM, over=over, body=body):
                self._send(body, body, signal, (*over, *e.indices))
            case Reduce(fold=ops.LARGEST | ops.SMALLEST, over=over, body=body):
                if self.pull.reaches(body):
                    self._send(body, body, self._at_extreme(e, e.body, signal), (*over, *e.indices))
            case Reduce(fold=ops.PROD, over=over, body=body):
                if self.pull.reaches(body):
                    self._send(body, body, signal.times(self._others(e, e.body)), (*over, *e.indices))
            case Reduce():
                return
            case body:
                known = not e.accumulates and self.program.tensor(e.target).dtype is body.dtype
                value = Read(e.target, e.left, None, body.dtype) if known else body
                self._send(body, value, signal, e.indices)

    def _send(self, body: Expr, value: Expr, signal: Product, indices: tuple[Bound, ...]) -> None:
        for read, product in self.pull.back(body, signal, value):
            self._arrive(read, product, indices)

    def _arrive(self, read: Read, product: Product, indices: tuple[Bound, ...]) -> None:
        self.arrivals.add(read, Adds(read.subscripts, product, indices))

    def _at_extreme(self, e: Equation, total: Reduce, signal: Product) -> Product:
        """Of a maximum: the signal passes to the first term that attains it. Its position is kept in a tensor.

        `not t < y` rather than `t == y`: it holds for NaN too.
        """
        build, over = self.build, total.over
        less = ops.LT if total.fold is ops.LARGEST else ops.GT
        value = Read(e.target, e.left, None, total.dtype)
        attains = build.apply(ops.NOT, build.apply(less, total.body, value))
        count: Extent = 1
        for b in over:
            count = count * b.extent
        place = position(over, build)
        first = Reduce(ops.SMALLEST, over, build.select(attains, place, integer(count)), DType.INT)
        at = self.arrivals.keep(f"{e.target}_at", e.indices, first, e.span)
        return signal.where(build.apply(ops.EQ, at, place))

    def _others(self, e: Equation, total: Reduce) -> Expr:
        """Of a product: the product of all other terms, which no division by the term gives where it is 0."""
        build, over = self.build, total.over
        twins = tuple(Bound(f"{b.name}'", b.extent) for b in over)
        again = {b.name: Index(t.name) for b, t in zip(over, twins, strict=True)}
        term = with_indices(total.body, again)
        same = [build.apply(ops.EQ, Index(t.name), Index(b.name)) for b, t in zip(over, twins, strict=True)]
        body = build.select(both(build, same), Const(1.0, term.dtype), term)
        return self.arrivals.keep(
            f"{e.target}_others", (*e.indices, *over), Reduce(ops.PROD, twins, body, term.dtype), e.span
        )


def position(indices: tuple[Bound, ...], build: Builder) -> Expr:
    """The row-major position of a point."""
    made: Expr = integer(0)
    for b in indices:
        made = build.apply(ops.ADD, build.apply(ops.MUL, made, integer(b.extent)), Index(b.name))
    return made


def _between(program: Program, of: Sequence[str], wrt: Sequence[str], build: Builder) -> set[str]:
    """The tensors that depend on `wrt`, with a derivative, and that `of` depends on; those of `wrt` among them."""
    extents = {t.name: t.extents for t in program.tensors}
    reached = set(wrt)
    for e in program.equations:
        if program.tensor(e.target).dtype.is_float and _passes(e.body, Pull(reached, extents, build)):
            reached.add(e.target)
    needed = set(of)
    for e in reversed(program.equations):
        if e.target in needed:
            needed |= {r.tensor for r in reads(e.body)}
    return reached & needed


def _passes(e: Expr, pull: Pull) -> bool:
    match e:
        case Reduce(body=body):
            return e.dtype.is_float and _passes(body, pull)
        case Read(border=border):
            return pull.reaches(e) or (border is not None and border.value is not None and _passes(border.value, pull))
        case Apply(op=op, args=args):
            return bool(op.slopes) and any(_passes(a, pull) for a in args)
        case _:
            return any(_passes(c, pull) for c in _values(e))


def _values(e: Expr) -> tuple[Expr, ...]:
    """The parts of an expression of which its value is one."""
    return (e.then, e.other) if isinstance(e, Select) else ()


__all__ = ["Gradient", "adjoints", "gradient", "pullback"]
