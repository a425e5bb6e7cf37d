"""What an equation reads, from its text alone: the order of equations and the outputs follow from it."""

from collections.abc import Collection, Iterator

from indexlang.infer.contents import Contents
from indexlang.infer.context import capitals
from indexlang.syntax import ast


def read_names(
    e: ast.Equation, within: Contents, extents: Collection[str] = (), scalars: Collection[str] = ()
) -> set[str]:
    """The names that `e` may read: those that stand free, not its indices, nor the extents that ranges are written with.

    within   what stands in it
    extents  names of extents. In an equation with indices a bare one of them, or the capital of an index, is no tensor
             with axes: `1/Y * sum[y] L[x,y]`
    scalars  tensors without axes, which bare names always mean
    """
    left = tuple(_left_indices(e))
    found = set(_free(e.body, left))
    for s in e.subscripts or ():
        for item in s.items if isinstance(s, ast.Group) else (s,):
            found.update(_free(item.index if isinstance(item, ast.Ranged) else item, left))
    if e.subscripts is None:
        return found
    if any(isinstance(x, ast.Name) and x.name not in left for x in e.subscripts):
        return found  # vectors: a bare name is a whole tensor
    counted = {c for letter in (*left, *within.counted) for c in capitals(letter)}
    doubtful = {n for n in found if (n in extents or n in counted) and n not in scalars}
    return found - (doubtful - _surely_read(e)) if doubtful else found


def _surely_read(e: ast.Equation) -> set[str]:
    """The names of tensors by their place: before brackets, and as arguments of calls."""
    nodes = list(ast.nodes(e))
    accessed = {n.name for n in nodes if isinstance(n, ast.Access)}
    return accessed | {a.name for n in nodes if isinstance(n, ast.Call) for a in n.args if isinstance(a, ast.Name)}


def _left_indices(e: ast.Equation) -> Iterator[str]:
    for s in e.subscripts or ():
        for item in s.items if isinstance(s, ast.Group) else (s,):
            inner = item.index if isinstance(item, ast.Ranged) else item
            if isinstance(inner, ast.Name) and not inner.name[0].isupper():
                yield inner.name


def _free(e: object, bound: tuple[str, ...]) -> Iterator[str]:
    """The names in an expression that nothing around binds."""
    match e:
        case ast.Name(name=name):
            if name not in bound:
                yield name
        case ast.Access(name=name):
            yield name
            for part in ast.children(e):
                yield from _free(part, bound)
        case ast.Reduction(binders=binders, body=body):
            yield from _free(body, (*bound, *(b.name for b in binders or ())))
        case ast.Ranged(index=index):
            yield from _free(index, bound)
        case _:
            for part in ast.children(e):
                yield from _free(part, bound)


__all__ = ["read_names"]
