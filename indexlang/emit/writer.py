"""A worker's source as it grows: lines, imports, arguments, names."""

from collections.abc import Generator
from contextlib import contextmanager

from indexlang.emit.kernel import Arg
from indexlang.emit.names import Namer
from indexlang.ir.dtypes import DType
from indexlang.nest.nodes import Nest

LANG, SCALAR, TILES = "indexlang.kernels.lang", "indexlang.kernels.scalar", "indexlang.kernels.contract"
LANES, MASKS, RUNNING = "indexlang.kernels.lanes", "indexlang.kernels.masks", "indexlang.kernels.running"
_POINTERS = {DType.F32: "f32", DType.F64: "f64", DType.INT: "i64", DType.I32: "i32", DType.U8: "u8", DType.BOOL: "bool"}


class Writer:
    """Collects the text of one worker; every name is given by `namer` once."""

    def __init__(self, nest: Nest, namer: Namer) -> None:
        self.nest, self.name = nest, namer
        self.args: list[Arg] = []
        self.own: dict[str, str] = {}  # the worker's own tensors
        self.lines: list[str] = []
        self.depth: int = 1
        self._head: list[str] = []
        self._imports: dict[str, set[str]] = {}
        self._given: dict[tuple[str, ...], str] = {}
        self._temporaries = 0

    def text(self, symbol: str) -> str:
        """The module: imports and the function `symbol`."""
        body = "\n".join([*self._head, *self.lines])
        imports = "".join(f"from {m} import {', '.join(sorted(names))}\n" for m, names in sorted(self._imports.items()))
        return f"{imports}\n\ndef {symbol}(start, stop, args):\n{body}\n"

    def line(self, text: str) -> None:
        """A line at the present depth."""
        self.lines.append("    " * self.depth + text)

    def assign(self, target: str, text: str) -> None:
        """`target = text`, without brackets around all of it."""
        self.line(f"{target} = {bare(text)}")

    def use(self, module: str, *names: str) -> None:
        """Have `names` imported from `module`."""
        self._imports.setdefault(module, set()).update(names)

    def fresh(self) -> str:
        """A name that nothing has yet."""
        self._temporaries += 1
        return self.name("temp", f"v{self._temporaries}")

    def named(self, text: str) -> str:
        """`text` as a name, so that it is computed once."""
        if text.isidentifier() or text.isdigit():
            return text
        fresh = self.fresh()
        self.assign(fresh, text)
        return fresh

    # -- arguments

    def tensor(self, tensor: str) -> str:
        """The pointer to a tensor's first element."""
        if tensor in self.own:
            return self.own[tensor]
        use = "output" if tensor == self.nest.writes else "input"
        pointer = f"{use}_{_POINTERS[self.nest.dtypes[tensor]]}"
        return self._argument(("tensor", tensor), Arg("tensor", tensor), tensor, pointer)

    @contextmanager
    def standing_for(self, tensor: str, pointer: str) -> Generator[None]:
        """Inside, another pointer is meant where the tensor is."""
        key = ("tensor", tensor)
        before, self._given[key] = self._given[key], pointer
        yield
        self._given[key] = before

    def table(self, table: str) -> str:
        """The pointer to a constant table of the nest."""
        return self._argument(("table", table), Arg("table", table), table, "pointer_i64")

    def word(self, kind: str) -> str:
        """The pointer to this step's `fail` word or to the run's `status`."""
        return self._argument((kind,), Arg(kind), kind, "pointer_i64")

    def number(self, key: tuple[str, ...], value: int, stem: str) -> str:
        """An integer that the kernel is given: one argument a key."""
        return self._argument(("int", *key), Arg("int", value=int(value)), stem, "")

    def _argument(self, key: tuple[str, ...], arg: Arg, stem: str, pointer: str) -> str:
        if key not in self._given:
            # equal stems are told apart by what follows the NUL, which is not shown
            own = stem if arg.kind == "tensor" else f"{stem}\0{len(self.args)}"
            name = self._given[key] = self.name(arg.kind, own)
            place = f"args[{len(self.args)}]"
            if pointer:
                self.use(LANG, pointer)
            self._head.append(f"    {name} = {f'{pointer}({place})' if pointer else place}")
            self.args.append(arg)
        return self._given[key]


def bare(text: str) -> str:
    """`text` without brackets around the whole of it."""
    if not text.startswith("(") or not text.endswith(")"):
        return text
    depth = 0
    for k, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if depth == 0:
            return text[1:-1] if k == len(text) - 1 else text
    return text
