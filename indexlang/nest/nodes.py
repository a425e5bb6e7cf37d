"""A loop nest: what one kernel does. Expressions are those of the IR; a read whose name starts with a percent sign is
a local scalar of the nest, or an element of a local row."""

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
class Choice:
    """What is done where a test holds, and what, if anything, where it does not."""

    test: Expr
    then: "tuple[Node, ...]"
    other: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Strip:
    """A loop over `start <= index < stop` in steps of `step`, the last of which ends at `stop` and may overlap the one
    before; `stop - start >= step`, or nothing is done."""

    index: str
    start: Expr
    stop: Expr
    step: int
    body: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Around:
    """A loop over `start <= index < low` and `high <= index < stop`."""

    index: str
    start: Expr
    low: Expr
    high: Expr
    stop: Expr
    body: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Lanes:
    """A strip in whose body `index` stands for `lanes` consecutive values.

    What depends on it, and every local scalar, is a vector. With `beside` the vector has as many values of `index` for
    each of several consecutive values of that index, one piece behind the other.
    """

    index: str
    start: Expr
    stop: Expr
    step: int
    lanes: int
    body: "tuple[Node, ...]"
    beside: str = ""
    pieces: int = 1


@dataclass(frozen=True, slots=True)
class Let:
    """A local scalar."""

    name: str
    dtype: DType
    value: Expr


@dataclass(frozen=True, slots=True)
class Row:
    """Room for `size` local numbers, which are read and stored like a tensor of that name after a percent sign."""

    name: str
    dtype: DType
    size: int


@dataclass(frozen=True, slots=True)
class Room:
    """Room for the `size` elements of a tensor of the nest's own: read and written like any other, and then forgotten."""

    tensor: str
    size: int


@dataclass(frozen=True, slots=True)
class Add:
    """Fold one more term into a local scalar."""

    name: str
    dtype: DType
    fold: Fold
    term: Expr


@dataclass(frozen=True, slots=True)
class Running:
    """In a body of lanes: `name` becomes a vector of which each lane is the fold of `carry` and all terms up to it; `carry`,
    a local scalar from outside, becomes the last of them."""

    name: str
    carry: str
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
class Turn:
    """Copy `count[0]` x `count[1]` elements from an origin on, of which rows are `step` apart, to a local row: the element at
    (r, c) comes to `c*side + r`."""

    row: str
    side: int
    origin: Read
    step: Extent
    count: tuple[Expr, Expr]


@dataclass(frozen=True, slots=True)
class Stream:
    """Write the first `count` numbers of a local row past the caches, side by side from an element on."""

    tensor: str
    subscripts: tuple[Expr, ...]
    row: str
    count: Expr


@dataclass(frozen=True, slots=True)
class Check:
    """Report `position` if `subscript` is outside an axis where `guard` holds."""

    guard: Expr | None
    subscript: Expr
    extent: Extent
    position: Expr


@dataclass(frozen=True, slots=True)
class Aisle:
    """An index around the rows, of which several values go through a round one after the other: `start <= index < stop`."""

    index: str
    start: Expr
    stop: Expr


@dataclass(frozen=True, slots=True)
class Rounds:
    """A long sum in rounds: all tiles of a panel sum a part of it, which caches hold or copies are made of, then the next.

    size    segments of each round; terms of the run where there is one segment only
    rows    of the copy of a; 0: a stays where it is
    width   of the copy of w, the tile's columns; 0: w stays where it is
    panel   how many columns go through together, at most
    places  name of the table with the pairs of offsets in a and w; `TileLoop.offsets` has those in the copies
    at      the index that stands for a tile's first column: from `first` to `last`, the columns of the panel
    """

    size: int
    rows: int
    width: int
    panel: int
    places: str
    at: str
    first: Expr
    last: Expr
    aisle: Aisle | None = None


@dataclass(frozen=True, slots=True)
class TileLoop:
    """All tiles of rows `start <= row < stop` and one block of columns of a contraction, in vector registers.

    a, w, out  reads whose subscripts give each tile's origin; the sum's indices stand at 0 there
    offsets    name of the table with the pairs of offsets of the outer summed indices
    finish     what becomes of every element of a tile once its sum is complete
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
    column: str
    columns: Extent
    first: Expr  # the tile's first column
    row_steps: tuple[Extent, Extent]  # in out, in a
    run: Extent
    run_steps: tuple[Extent, Extent]  # in a, in w
    offsets: str
    segments: Extent
    short: bool  # whether there may be fewer rows than a tile has
    rounds: Rounds | None = None
    rest: int = 0  # rows behind the last whole tile, where they are known
    in_panels: bool = False  # whether w is
    adds: bool = False  # the sums are added to what stands in `out`
    finish: Store | None = None


Node = (
    For
    | Choice
    | Strip
    | Around
    | Lanes
    | Let
    | Row
    | Room
    | Add
    | Running
    | Track
    | Store
    | Turn
    | Stream
    | Check
    | TileLoop
)


@dataclass(frozen=True, slots=True)
class Span:
    """What an iteration writes: pieces of `size` elements side by side, the first of iteration n from `first + n*step` on.

    pieces  how many there are, and how far apart, the nearest first; empty for one piece
    """

    first: int
    size: int
    step: int
    pieces: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Nest:
    """The body of a kernel: `iterations` are flattened, row-major; the kernel runs a part of them.

    reads    tensors that are read; `writes` is the one written
    strides  how far apart in memory the elements along each axis of a tensor are; 1 along the last
    tables   constant int64 tables that the kernel reads
    serial   iterations run in order, on one thread
    work     elementary operations an iteration, for the size of chunks
    span     what each iteration writes, where that is one piece
    streamed results are collected near by, and written past the caches
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
    span: Span | None = None
    streamed: bool = False


def local(name: str, dtype: DType) -> Read:
    """A local scalar as an expression."""
    return Read(f"%{name}", (), None, dtype)


def is_local(tensor: str) -> bool:
    """Whether a name is that of a local: `local` puts a `%` before it, which no tensor's name has."""
    return tensor.startswith("%")
