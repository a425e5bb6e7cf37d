"""Two parts of a tensor in one kernel, where they share their outer loops: memory is written from front to back.

before   for bxy:  for j:64:  Y[bxy,j] = X[bxy,j]          and the same for   Y[bxy,64+j] = R[bxy,j]
after    for bxy:  both
"""

from dataclasses import replace

from indexlang.nest.nodes import For, Nest, Node, Store

_MOST_LOOPS = 8  # of a kernel


def together(one: Nest, other: Nest) -> Nest | None:
    """Both nests in one; None where they do not fit. They write disjoint parts of one tensor, which neither may read."""
    same = one.writes == other.writes and _loops(one) == _loops(other) and one.schedule == other.schedule == "inner"
    bodies = (*one.body, *other.body)
    if not same or len(one.iterations) == 0 or one.writes in (*one.reads, *other.reads) or not _are_maps(bodies):
        return None
    return replace(
        one,
        title=f"{one.title}; {other.title}",
        body=bodies,
        reads=tuple(dict.fromkeys((*one.reads, *other.reads))),
        strides={**one.strides, **other.strides},
        dtypes={**one.dtypes, **other.dtypes},
        work=one.work + other.work,
    )


def _loops(nest: Nest) -> tuple[tuple[str, object, type], ...]:
    return tuple((b.name, b.extent, type(b.extent)) for b in nest.iterations)


def _are_maps(bodies: tuple[Node, ...]) -> bool:
    """Whether there are loops of stores only, and not too many: locals of two nests could meet."""
    loops = all(isinstance(n, For) and _stores(n) for n in bodies)
    return loops and len(bodies) <= _MOST_LOOPS


def _stores(loop: For) -> bool:
    return all(isinstance(n, Store) or (isinstance(n, For) and _stores(n)) for n in loop.body)
