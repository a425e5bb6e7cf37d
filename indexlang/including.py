"""`include "blocks.idx"`: the statements of another file, in the place of the line."""

import stat
from dataclasses import dataclass, field
from pathlib import Path

from indexlang.reading import decoded, read_bytes, why_not_read
from indexlang.syntax import ast
from indexlang.syntax.latex.parse import parse_latex
from indexlang.syntax.latex.scan import is_latex
from indexlang.syntax.lexer import MAX_NESTING
from indexlang.syntax.parse import parse
from indexlang.text.diagnostics import Diagnostic, ProgramError, diagnostic
from indexlang.text.source import Source


def parsed_with_includes(source: Source, folder: Path | None) -> tuple[ast.Module, list[Diagnostic]]:
    """The syntax tree of a text with that of every file it includes, and every mistake of syntax.

    folder  the text's own folder; without one nothing can be included (E0220)
    A file is read once, however often it is included. Raises nothing: mistakes are among the diagnostics.
    """
    reading = _Reading(folder.resolve() if folder is not None else None)
    main = Path(source.name).resolve() if folder is not None else None
    module = reading.module(source, folder, (main,) if main else ())
    return module, reading.found


@dataclass
class _Reading:
    root: Path | None  # nothing outside of it is read
    found: list[Diagnostic] = field(default_factory=list[Diagnostic])
    seen: set[Path] = field(default_factory=set[Path])

    def module(self, source: Source, folder: Path | None, around: tuple[Path, ...]) -> ast.Module:
        module, found = (parse_latex if is_latex(source) else parse)(source)
        self.found += found
        if not any(isinstance(s, ast.Include) for s in module.statements):
            return module
        statements: list[ast.Statement] = []
        broken, declares = set(module.broken), module.declares
        for s in module.statements:
            if not isinstance(s, ast.Include):
                statements.append(s)
                continue
            inner = self._included(s, folder, around)
            if inner is None:
                broken.add("")
                continue
            statements += inner.statements
            broken |= inner.broken
            declares = declares or inner.declares
        return ast.Module(tuple(statements), frozenset(broken), declares)

    def _included(self, s: ast.Include, folder: Path | None, around: tuple[Path, ...]) -> ast.Module | None:
        if folder is None or self.root is None:
            return self._refuse(
                s, "the text is in no file, so there is no folder to look in", "load the program from a file"
            )
        try:
            path = (folder / s.path).resolve()
        except (OSError, ValueError) as problem:
            return self._refuse(s, f"it is no path ({problem})", "check the path")
        if not path.is_relative_to(self.root):
            return self._refuse(s, "it is outside the program's folder", "copy the file beside the program")
        if path in around:
            chain = " → ".join(p.name for p in (*around[around.index(path) :], path))
            return self._refuse(s, f"the files include each other: {chain}", "include it in one direction only")
        if len(around) > MAX_NESTING:
            return self._refuse(
                s, f"more than {MAX_NESTING} files include each other", "include the files side by side"
            )
        if path in self.seen:
            return ast.Module(())
        self.seen.add(path)
        try:
            mode = path.stat().st_mode
            if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # opening a pipe would wait for ever
                return self._refuse(s, "it is no ordinary file", "name a file of equations")
            raw = read_bytes(path)
        except (OSError, ValueError) as problem:
            return self._refuse(s, *why_not_read(problem))
        try:
            source = decoded(s.path, raw)
        except ProgramError as error:
            self.found += error.diagnostics
            return None
        return self.module(source, path.parent, (*around, path))

    def _refuse(self, s: ast.Include, reason: str, advice: str) -> None:
        self.found.append(diagnostic("E0220", s.span, path=s.path, reason=reason, advice=advice))
