"""The functions that a text can call: its own, and those of the prelude."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from indexlang.infer.scalars import is_scalar_function, with_scalars
from indexlang.syntax import ast
from indexlang.syntax.prelude import prelude_forms, prelude_names


@dataclass
class Library:
    """Functions by name. A text's own come first; the prelude's match whatever the case of their letters."""

    own: dict[str, tuple[ast.Def, ...]] = field(default_factory=dict[str, tuple[ast.Def, ...]])
    ready: dict[tuple[bool, str], tuple[ast.Def, ...]] = field(
        default_factory=dict[tuple[bool, str], tuple[ast.Def, ...]]
    )

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
        key = (True, name) if name in self.own else (False, name.casefold())
        if key not in self.ready:
            found = self.own[name] if name in self.own else prelude_forms(name.casefold())
            self.ready[key] = found  # for a function that calls itself, which is told later
            self.ready[key] = tuple(with_scalars(f, self._is_of_scalars) for f in found)
        return self.ready[key]

    def _is_of_scalars(self, name: str) -> bool:
        return self.has(name) and all(is_scalar_function(f) for f in self.forms(name))

    def is_own(self, form: ast.Def) -> bool:
        """Whether a form is defined in the text, and so may use the text's constants."""
        return any(form.name_span == f.name_span for f in self.own.get(form.name, ()))

    def names(self) -> list[str]:
        """Every name that can be called."""
        return [*self.own, *prelude_names().values()]
