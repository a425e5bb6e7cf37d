"""A loop nest: what one kernel does. Expressions are those of the IR; a read without axes whose name starts with a
percent sign is a local scalar of the nest."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from indexlang.ir.dtypes import DType
from indexlang.ir.expr import Bound, Expr, Read
from indexlang.ir.ops import Fold
from indexlang.ir.size import Extent


@dataclass(frozen=True, slots=True)
class For:
    """A loop over `start <= index < stop`."""

    index: str
    start: Expr
    stop: Expr
    body: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Let:
    """A local scalar."""

    name: str
    dtype: DType
    value: Expr


@dataclass(frozen=True, slots=True)
class Add:
    """Fold one more term into a local scalar."""

    name: str
    dtype: DType
    fold: Fold
    term: Expr


@dataclass(frozen=True, slots=True)
class Track:
    """argmax, argmin: keep the position of the best term, NaN first."""

    best: str
    at: str
    fold: Fold
    index: str
    term: Expr


@dataclass(frozen=True, slots=True)
class Store:
    """Write one element; with `fold`, fold into what stands there."""

    tensor: str
    subscripts: tuple[Expr, ...]
    value: Expr
    fold: Fold | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """Report `position` if `subscript` is outside an axis where `guard` holds."""

    guard: Expr | None
    subscript: Expr
    extent: Extent
    position: Expr


@dataclass(frozen=True, slots=True)
class Rounds:
    """A long sum in rounds: all tiles of a panel sum a part of it, over packed copies of that part, then the next.

    size    segments of each round; terms of the run where there is one segment only
    rows    of the copy of a; 0: a stays where it is
    places  name of the table with the pairs of offsets in a and w; `TileLoop.offsets` has those in the copies
    at      the index that stands for a tile's first column: from `first` to `last`, the columns of the panel
    """

    size: int
    rows: int
    places: str
    at: str
    first: Expr
    last: Expr


@dataclass(frozen=True, slots=True)
class TileLoop:
    """All tiles of rows `start <= row < stop` and one block of columns of a contraction, in vector registers.

    a, w, out  reads whose subscripts give each tile's origin; the sum's indices stand at 0 there
    offsets    name of the table with the pairs of offsets of the outer summed indices
    """

    out: Read
    a: Read
    w: Read
    row: str
    start: Expr
    stop: Expr
    rows: int  # R of the tile
    vectors: int  # V of the tile
    lanes: int
    column: str  # the index name that stands for the tile's first column in subscripts
    columns: Extent
    row_steps: tuple[Extent, Extent]  # in out, in a
    run: Extent
    run_steps: tuple[Extent, Extent]  # in a, in w
    offsets: str
    segments: Extent
    short: bool  # whether there may be fewer rows than a tile has
    rounds: "Rounds | None" = None
    rest: int = 0  # rows behind the last whole tile, where they are known
    ending: str = ""  # "_add": the sums are added to what stands in `out`


Node = For | Let | Add | Track | Store | Check | TileLoop


@dataclass(frozen=True, slots=True)
class Nest:
    """The body of a kernel: `iterations` are flattened, row-major; the kernel runs a part of them.

    reads    tensors that are read; `writes` is the one written
    strides  how far apart in memory the elements along each axis of a tensor are; 1 along the last
    tables   constant int64 tables that the kernel reads
    serial   iterations run in order, on one thread
    work     elementary operations an iteration, for the size of chunks
    """

    title: str
    iterations: tuple[Bound, ...]
    body: tuple[Node, ...]
    reads: tuple[str, ...]
    writes: str
    strides: Mapping[str, tuple[Extent, ...]]
    dtypes: Mapping[str, DType]
    work: int
    tables: Mapping[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])
    serial: bool = False
    schedule: str = ""


def local(name: str, dtype: DType) -> Read:
    """A local scalar as an expression."""
    return Read(f"%{name}", (), None, dtype)


def is_local(e: Read) -> bool:
    return e.tensor.startswith("%")
