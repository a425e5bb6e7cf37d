"""From the source of a worker to LLVM, in one walk: for the few words that generated source is made of.

A worker has loops over ranges, conditions, arithmetic and calls of words. Every name has one type, that of its
first assignment, so there is nothing to infer; numba's passes, made for all of Python, take ten times as long. What
this does not know raises `Unsupported`, and numba compiles it: it is what this is compared with.
"""

import ast
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from llvmlite import ir
from llvmlite.ir.instructions import CallInstr

from indexlang.kernels import kinds
from indexlang.kernels.kinds import Address, Literal, Word
from indexlang.kernels.lower_values import (
    CONTEXT,
    TYPING,
    Unsupported,
    Value,
    cast,
    compared,
    computed,
    constant,
    converted,
    negated,
    read,
    unified,
    write,
)
from indexlang.kernels.tile_ir import I64

_FUSED = ("fadd", "fsub", "fmul", "fdiv", "frem", "fcmp")
_FLOATS = (ir.FloatType(), ir.DoubleType())
_WORKER = ir.FunctionType(ir.VoidType(), [I64, I64, I64.as_pointer()])
# Loops around loops stay rolled, but for those of few turns: LLVM finds that rows of a tile are thirteen, and writes them
# out one by one. llvmlite knows no nodes that refer to themselves, as a loop's must.
_ROLLED = "stays rolled"
_LOOP = re.compile(rf'^!(\d+) = !{{ !"{_ROLLED} [^"]*" }}', re.MULTILINE)
_FEW = 8  # turns of loops that LLVM writes out
_ARGUMENTS = (kinds.int64, kinds.int64, Address(kinds.int64))


def lowered(function: ast.FunctionDef, names: dict[str, Any], symbol: str, wraps: bool) -> str:
    """LLVM text of a worker named `symbol`, not optimised. `names` are those that the source imports.

    wraps   integer arithmetic wraps around; else LLVM may take it that it never leaves 64 bits
    errors  Unsupported
    """
    module = ir.Module(symbol)
    made = ir.Function(module, _WORKER, symbol)
    entry = made.append_basic_block()
    lower = _Lower(ir.IRBuilder(made.append_basic_block()), entry, names, () if wraps else ("nsw",))
    for argument, kind, value in zip(function.args.args, _ARGUMENTS, made.args, strict=True):
        lower.assign(argument.arg, Value(kind, value))
    lower.block(function.body)
    lower.b.ret_void()
    ir.IRBuilder(entry).branch(made.blocks[1])
    _fuse(module)
    return _LOOP.sub(r'!\1 = distinct !{!\1, !{!"llvm.loop.unroll.disable"}}', str(module))


def _fuse(module: ir.Module) -> None:
    """Products may be fused into sums, where nothing else is said; and so in functions that are called."""
    for function in module.functions:
        for block in function.blocks:
            for instruction in block.instructions:
                if isinstance(instruction, CallInstr):
                    if instruction.type in _FLOATS:
                        instruction.fastmath.add("contract")
                elif instruction.opname in _FUSED and not instruction.flags:
                    instruction.flags.append("contract")


def _is_long(node: ast.AST) -> bool:
    """Whether this is a loop that stays one."""
    match node:
        case ast.For(iter=ast.Call(args=[ast.Constant(value=int() as turns)])):
            return turns > _FEW
        case _:
            return isinstance(node, ast.For)


@dataclass(frozen=True, slots=True)
class _Variable:
    kind: Any
    place: Any


class _Lower:
    """`b` stands where the next instruction goes; places of variables are in the entry block."""

    def __init__(self, builder: Any, entry: Any, names: dict[str, Any], flags: tuple[str, ...]) -> None:
        self.b, self.entry, self.names, self.flags = builder, entry, names, flags
        self.variables: dict[str, _Variable] = {}

    # -- statements

    def block(self, body: list[ast.stmt]) -> None:
        for statement in body:
            self.statement(statement)

    def statement(self, s: ast.stmt) -> None:
        match s:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self.assign(name, self.value(value))
            case ast.Assign(targets=[ast.Subscript(value=pointer, slice=index)], value=value):
                write(self.b, self.value(pointer), self.whole(index), self.value(value))
            case ast.Expr(value=ast.Call() as call):
                self.call(call)
            case ast.If():
                self._if(s)
            case ast.For(target=ast.Name(id=name), iter=ast.Call(func=ast.Name(id="range"), args=bounds)):
                self._for(name, bounds, s.body)
            case _:
                raise Unsupported(ast.dump(s))

    def assign(self, name: str, value: Value) -> None:
        if name not in self.variables:
            with self._at_entry():
                place = self.b.alloca(value.value.type)
            self.variables[name] = _Variable(value.kind, place)
        variable = self.variables[name]
        self.b.store(cast(self.b, value, variable.kind).value, variable.place)

    @contextmanager
    def _at_entry(self) -> Iterator[None]:
        now = self.b.block
        self.b.position_at_end(self.entry)
        yield
        self.b.position_at_end(now)

    def _if(self, s: ast.If) -> None:
        then, done = self.b.append_basic_block(), self.b.append_basic_block()
        other = self.b.append_basic_block() if s.orelse else done
        self.b.cbranch(self.truth(s.test), then, other)
        for start, body in ((then, s.body), (other, s.orelse)):
            if start is not done:
                self.b.position_at_end(start)
                self.block(body)
                self.b.branch(done)
        self.b.position_at_end(done)

    def _for(self, name: str, bounds: list[ast.expr], body: list[ast.stmt]) -> None:
        *first, stop = [self.whole(e) for e in bounds[:2]]
        start = first[0] if first else constant(0)
        step = self.whole(bounds[2]) if len(bounds) == 3 else constant(1)
        if step.literal is None or step.literal < 1:
            raise Unsupported("a step that is not a positive literal")
        before = self.b.block
        head, inside, done = (self.b.append_basic_block() for _ in range(3))
        self.b.branch(head)
        self.b.position_at_end(head)
        at = self.b.phi(I64)
        at.add_incoming(start.value, before)
        self.b.cbranch(self.b.icmp_signed("<", at, stop.value), inside, done)
        self.b.position_at_end(inside)
        self.assign(name, Value(kinds.int64, at))
        self.block(body)
        at.add_incoming(self.b.add(at, step.value, flags=("nsw",)), self.b.block)
        again = self.b.branch(head)
        if stop.literal is None and any(_is_long(n) for s in body for n in ast.walk(s)):
            again.set_metadata("llvm.loop", self.b.module.add_metadata([f"{_ROLLED} {inside.name}"]))
        self.b.position_at_end(done)

    # -- expressions

    def value(self, e: ast.expr) -> Value:
        match e:
            case ast.Constant(value=value):
                return constant(value)
            case ast.Name(id=name):
                return self._name(name)
            case ast.BinOp(left=left, op=op, right=right):
                return computed(self.b, type(op), self.value(left), self.value(right), self.flags)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return negated(self.b, self.value(operand), self.flags)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Value(kinds.boolean, self.b.not_(self.truth(operand)))
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return compared(self.b, type(op), self.value(left), self.value(right))
            case ast.BoolOp(op=op, values=values):
                return self._logic(isinstance(op, ast.And), values)
            case ast.IfExp():
                return self._choice(e)
            case ast.Subscript(value=pointer, slice=index):
                return read(self.b, self.value(pointer), self.whole(index))
            case ast.Call():
                return self.call(e)
            case _:
                raise Unsupported(ast.dump(e))

    def whole(self, e: ast.expr) -> Value:
        return cast(self.b, self.value(e), kinds.int64)

    def truth(self, e: ast.expr) -> Any:
        found = self.value(e)
        if found.kind != kinds.boolean:
            raise Unsupported(f"{found.kind} as a condition")
        return found.value

    def _name(self, name: str) -> Value:
        if name in self.variables:
            variable = self.variables[name]
            return Value(variable.kind, self.b.load(variable.place))
        if isinstance(self.names.get(name), float):
            return constant(self.names[name])
        raise Unsupported(f"the name {name}")

    def _logic(self, is_and: bool, values: list[ast.expr]) -> Value:
        """The second is computed only where the first does not decide."""
        first, *rest = values
        found = self.truth(first)
        for e in rest:
            before, more, done = self.b.block, self.b.append_basic_block(), self.b.append_basic_block()
            self.b.cbranch(found, *((more, done) if is_and else (done, more)))
            self.b.position_at_end(more)
            second = self.truth(e)
            after = self.b.block
            self.b.branch(done)
            self.b.position_at_end(done)
            decided, found = found, self.b.phi(second.type)
            found.add_incoming(decided, before)
            found.add_incoming(second, after)
        return Value(kinds.boolean, found)

    def _choice(self, e: ast.IfExp) -> Value:
        ends: list[tuple[Value, Any]] = []
        then, other, done = (self.b.append_basic_block() for _ in range(3))
        self.b.cbranch(self.truth(e.test), then, other)
        for start, side in ((then, e.body), (other, e.orelse)):
            self.b.position_at_end(start)
            ends.append((self.value(side), self.b.block))
        kind = unified(*(v.kind for v, _ in ends))
        sides: list[tuple[Any, Any]] = []
        for value, block in ends:
            self.b.position_at_end(block)
            sides.append((cast(self.b, value, kind).value, block))
            self.b.branch(done)
        self.b.position_at_end(done)
        found = self.b.phi(sides[0][0].type)
        for value, block in sides:
            found.add_incoming(value, block)
        return Value(kind, found)

    def call(self, e: ast.Call) -> Value:
        function = self.names.get(e.func.id) if isinstance(e.func, ast.Name) else None
        given = [self.value(a) for a in e.args]
        if isinstance(function, type) and len(given) == 1:
            return converted(self.b, given[0], function)
        if not isinstance(function, Word) or e.keywords:
            raise Unsupported(ast.dump(e))
        types = [Literal(v.literal) if function.literals and v.literal is not None else v.kind for v in given]
        signature, generate = function.define(TYPING, *types)
        wanted = (k if not isinstance(k, Literal) else kinds.int64 for k in signature.args)
        values = [cast(self.b, v, k).value for v, k in zip(given, wanted, strict=True)]
        return Value(signature.return_type, generate(CONTEXT, self.b, signature, values))
