"""The functions that a text can call: its own, and those of the prelude."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field

from indexlang.infer.bodies import Bodies
from indexlang.infer.scalars import is_scalar_function, with_scalars
from indexlang.syntax import ast
from indexlang.syntax.prelude import prelude_forms, prelude_names
from indexlang.text.diagnostics import program_error
from indexlang.text.source import Span

MAX_CALLS, MAX_CALLS_INSIDE = 20_000, 30


@dataclass
class Library:
    """Functions by name. A text's own come first; the prelude's match whatever the case of their letters."""

    own: dict[str, tuple[ast.Def, ...]] = field(default_factory=dict[str, tuple[ast.Def, ...]])
    ready: dict[tuple[bool, str], tuple[ast.Def, ...]] = field(
        default_factory=dict[tuple[bool, str], tuple[ast.Def, ...]]
    )

    bodies: Bodies = field(default_factory=Bodies)
    calls: int = 0  # that were made for the whole text
    depth: int = 0  # of those that are being made

    @contextmanager
    def calling(self, span: Span) -> Generator[None, None, None]:
        """A call is worked out. Raises E0904 for too many of them, E0106 for too many inside each other."""
        if self.calls >= MAX_CALLS:
            raise program_error("E0904", span, limit=MAX_CALLS)
        if self.depth >= MAX_CALLS_INSIDE:
            raise program_error("E0106", span, limit=MAX_CALLS_INSIDE)
        self.calls += 1
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1

    @staticmethod
    def of(statements: Iterable[ast.Statement]) -> "Library":
        """The functions defined by statements."""
        found: dict[str, tuple[ast.Def, ...]] = {}
        for s in statements:
            if isinstance(s, ast.Def):
                found[s.name] = (*found.get(s.name, ()), s)
        return Library(found)

    def has(self, name: str) -> bool:
        """Whether `name` can be called as a function of tensors."""
        return name in self.own or name.casefold() in prelude_names()

    def forms(self, name: str) -> tuple[ast.Def, ...]:
        """All forms of a function."""
        key = self._key(name)
        if key not in self.ready:
            self._prepare(name)
        return self.ready[key]

    def _key(self, name: str) -> tuple[bool, str]:
        return (True, name) if name in self.own else (False, name.casefold())

    def _prepare(self, name: str) -> None:
        """Find the scalars of a function, those of the functions that it calls first; however long the chain is."""
        waiting = [(name, False)]
        while waiting:
            here, is_entered = waiting.pop()
            key = self._key(here)
            if is_entered:
                self.ready[key] = tuple(with_scalars(f, self._is_of_scalars) for f in self.ready[key])
            elif key not in self.ready:
                found = self.own[here] if here in self.own else prelude_forms(here.casefold())
                self.ready[key] = found  # for a function that calls itself, which is told later
                called = dict.fromkeys(n.name for f in found for n in ast.nodes(f) if isinstance(n, ast.Call))
                waiting.append((here, True))
                waiting += [(n, False) for n in reversed(called) if self.has(n)]

    def _is_of_scalars(self, name: str) -> bool:
        return self.has(name) and all(is_scalar_function(f) for f in self.forms(name))

    def is_own(self, form: ast.Def) -> bool:
        """Whether a form is defined in the text, and so may use the text's constants."""
        return any(form.name_span == f.name_span for f in self.own.get(form.name, ()))

    def names(self) -> list[str]:
        """Every name that can be called."""
        return [*self.own, *prelude_names().values()]
