"""Nests as text, for `indexlang show --stage nest`."""

from collections.abc import Iterator
from typing import assert_never

from indexlang.ir.expr import Expr
from indexlang.ir.show import show
from indexlang.nest.nodes import (
    Add,
    Around,
    Check,
    Choice,
    For,
    Lanes,
    Let,
    Nest,
    Node,
    Room,
    Row,
    Running,
    Store,
    Stream,
    Strip,
    TileLoop,
    Track,
    Turn,
)


def show_nest(nest: Nest) -> str:
    """The loops of a nest; `parallel` ones are shared by the threads."""
    head = ", ".join(f"{b.name}:{b.extent}" for b in nest.iterations)
    word = "serial" if nest.serial else "parallel"
    lines = [f"# {nest.title}", f"# schedule: {nest.schedule}", f"{word} {head or 'once'}:"]
    lines += [f"    {line}" for node in nest.body for line in _lines(node)]
    return "\n".join(lines) + "\n"


def _lines(node: Node) -> Iterator[str]:
    match node:
        case For(index=index, start=start, stop=stop, body=body):
            yield f"for {index} in {_text(start)}..{_text(stop)}:"
            for inner in body:
                yield from (f"    {line}" for line in _lines(inner))
        case Choice(test=test, then=then, other=other):
            yield f"if {_text(test)}:"
            for inner in then:
                yield from (f"    {line}" for line in _lines(inner))
            if other:
                yield "else:"
            for inner in other:
                yield from (f"    {line}" for line in _lines(inner))
        case Strip(index=index, start=start, stop=stop, step=step, body=body):
            yield f"for {index} in {_text(start)}..{_text(stop)} by {step}:"
            for inner in body:
                yield from (f"    {line}" for line in _lines(inner))
        case Around(index=index, start=start, low=low, high=high, stop=stop, body=body):
            yield f"for {index} in {_text(start)}..{_text(low)} and {_text(high)}..{_text(stop)}:"
            for inner in body:
                yield from (f"    {line}" for line in _lines(inner))
        case Lanes(index=index, start=start, stop=stop, step=step, lanes=lanes, body=body):
            aside = f", {node.pieces} of {node.beside} side by side" if node.beside else ""
            yield f"for {index} in {_text(start)}..{_text(stop)} by {step}, vectors of {lanes}{aside}:"
            for inner in body:
                yield from (f"    {line}" for line in _lines(inner))
        case Let(name=name, value=value):
            yield f"{name} = {_text(value)}"
        case Row(name=name, size=size):
            yield f"{name} = room for {size}"
        case Room(tensor=tensor, size=size):
            yield f"{tensor} = room for {size}"
        case Add(name=name, fold=fold, term=term):
            yield f"{name} = {fold.name}({name}, {_text(term)})"
        case Running(name=name, carry=carry, fold=fold, term=term):
            yield f"{name} = {carry} and running {fold.name} of {_text(term)};  {carry} = the last of {name}"
        case Track(best=best, at=at, fold=fold, index=index, term=term):
            yield f"{best}, {at} = {fold.name}({best} at {at}, {_text(term)} at {index})"
        case Store(tensor=tensor, subscripts=subscripts, value=value, fold=fold):
            place = f"{tensor}[{','.join(_text(s) for s in subscripts)}]"
            yield f"{place} = {_text(value)}" if fold is None else f"{place} = {fold.name}({place}, {_text(value)})"
        case Turn(row=row, side=side, origin=origin, count=(rows, columns)):
            yield f"{row} = {_text(rows)} x {_text(columns)} from {_text(origin)} on, turned, {side} apart"
        case Stream(tensor=tensor, subscripts=subscripts, row=row, count=count):
            yield f"{tensor}[{','.join(_text(s) for s in subscripts)}] … = {_text(count)} of {row}, past the caches"
        case Check(guard=guard, subscript=subscript, extent=extent):
            condition = f" where {_text(guard)}" if guard is not None else ""
            yield f"check 0 <= {_text(subscript)} < {extent}{condition}"
        case TileLoop():
            yield f"for {node.row} in {_text(node.start)}..{_text(node.stop)} by {node.rows}:"
            yield f"    {_text(node.out)} … = tile {node.rows}x{node.vectors} of {_text(node.a)} * {_text(node.w)}, {node.segments} segments of {node.run}"
        case _:
            assert_never(node)


def _text(e: Expr) -> str:
    return show(e).replace("%", "")
