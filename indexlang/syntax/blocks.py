"""Lines → blocks: which lines stand under which head, by their indentation."""

from dataclasses import replace

from indexlang.syntax import ast
from indexlang.syntax.lexer import MAX_NESTING
from indexlang.syntax.tree import Head
from indexlang.text.diagnostics import Diagnostic, diagnostic
from indexlang.text.source import Span

Item = tuple[int, ast.Statement | Head | None]


def assembled(items: list[Item], spans: list[Span]) -> tuple[tuple[ast.Statement, ...], list[Diagnostic], set[str]]:
    """The statements of a text with their blocks; what fits no block is told and left out, with the names it defines."""
    assembly = _Assembly(items, spans)
    statements = assembly.block(1, "")
    return statements, assembly.found, assembly.broken


class _Assembly:
    def __init__(self, items: list[Item], spans: list[Span]) -> None:
        self.items = items
        self.spans = spans
        self.at = 0
        self.found: list[Diagnostic] = []
        self.returned: ast.Expr | None = None
        self.has_tabs = False  # told once
        self.depth = 0  # of blocks inside each other
        self.flawed = False  # a statement of the function that is being read has a mistake
        self.broken: set[str] = set()  # the names of functions that are not complete

    def block(self, column: int, kind: str) -> tuple[ast.Statement, ...]:
        """The statements from here on that begin at `column`."""
        out: list[ast.Statement] = []
        is_broken = False  # the statement above has a mistake, which was told
        while self.at < len(self.items):
            here, item = self.items[self.at]
            if here < column:
                break
            if is_broken and (here > column or (isinstance(item, Head) and item.kind == "else")):
                self._passed_over(column)
                continue
            is_broken = item is None
            if here > column:
                if item is not None:
                    self._indented_line(", but no block is open here", "move it to the left margin")
                self._passed_over(column)
                continue
            self.at += 1
            self.flawed = self.flawed or item is None
            if isinstance(item, Head):
                self._head(item, column, kind, out)
            elif item is not None:
                self._statement(item, out)
        return tuple(out)

    def _passed_over(self, column: int) -> None:
        """The block under a broken head: nothing is said of it, and the names it defines count as broken."""
        self.at += self.items[self.at][0] == column
        while self.at < len(self.items) and self.items[self.at][0] > column:
            self._left_out()

    def _left_out(self) -> None:
        item = self.items[self.at][1]
        self.broken |= _defined(item.node if isinstance(item, Head) else item)
        self.at += 1

    def _meant(self, column: int, kind: str) -> None:
        """What was to stand in a block that is missing: a function up to its `return`, else the next statement."""
        end = self._behind_return(column) if kind == "def" else self.at + self._is_at_statement(column)
        while self.at < end:
            self._left_out()

    def _behind_return(self, column: int) -> int:
        """Where the lines of a function end that are not indented; here, if no `return` comes before the next one."""
        for n in range(self.at, len(self.items)):
            here, item = self.items[n]
            kind = item.kind if isinstance(item, Head) else ""
            if here < column or kind in ("def", "whole def"):
                break
            if kind == "return":
                return n + 1
        return self.at

    def _is_at_statement(self, column: int) -> bool:
        here, item = self.items[self.at] if self.at < len(self.items) else (0, None)
        return here == column and not isinstance(item, Head)

    def _statement(self, item: ast.Statement, out: list[ast.Statement]) -> None:
        before = out[-1] if out else None
        if isinstance(before, ast.Quantifier) and before.equation is None and isinstance(item, ast.Equation):
            out[-1] = replace(before, equation=item)
        else:
            out.append(item)

    def _head(self, head: Head, column: int, kind: str, out: list[ast.Statement]) -> None:
        match head.kind:
            case "whole def":
                out.append(head.node)
            case "def":
                outer, was_flawed, self.returned, self.flawed = self.returned, self.flawed, None, False
                body = self._indented(column, head, "def")
                if self.flawed:  # told already; what calls it cannot be understood
                    self.broken.add(head.node.name)
                elif self.returned is None:
                    self.broken.add(head.node.name)
                    self.found.append(
                        diagnostic("E0109", head.span, what="def", wanted="a line `return …` at the end of the block")
                    )
                else:
                    out.append(replace(head.node, body=body, result=self.returned))
                self.returned, self.flawed = outer, was_flawed or self.flawed
            case "for":
                out.append(replace(head.node, body=self._indented(column, head, kind)))
            case "if":
                out.append(replace(head.node, then=self._indented(column, head, kind)))
            case "else":
                body = self._indented(column, head, kind)
                if out and isinstance(out[-1], ast.If) and not out[-1].other:
                    out[-1] = replace(out[-1], other=body)
                else:
                    self.broken |= {name for s in body for name in _defined(s)}
                    self.found.append(
                        diagnostic("E0109", head.span, what="else", wanted="an `if …:` block just before it")
                    )
            case _:
                if kind != "def":
                    self.found.append(diagnostic("E0109", head.span, what="return", wanted="a `def …:` around it"))
                self.returned = head.node

    def _indented(self, column: int, head: Head, kind: str) -> tuple[ast.Statement, ...]:
        """The block under a head: the lines with the indentation of the first."""
        if self.at >= len(self.items) or self.items[self.at][0] <= column:
            self.found.append(diagnostic("E0109", head.span, what=head.kind, wanted="an indented block under it"))
            self.flawed = True
            self._meant(column, head.kind)
            return ()
        if self.depth >= MAX_NESTING:
            self.found.append(diagnostic("E0106", head.span, limit=MAX_NESTING))
            self.flawed = True
            self._passed_over(column)
            return ()
        place = self.spans[self.at]
        if "\t" in place.source.text[place.start - place.column + 1 : place.start] and not self.has_tabs:
            self.has_tabs = True
            self._indented_line(" with a tab", "indent with spaces, as many on each line of the block")
        self.depth += 1
        found = self.block(self.items[self.at][0], kind)
        self.depth -= 1
        return found

    def _indented_line(self, how: str, advice: str) -> None:
        self.found.append(diagnostic("E0107", self.spans[self.at], how=how, advice=advice))


_DEFINING = ast.Equation | ast.Input | ast.Param | ast.State | ast.Declaration | ast.Def


def _defined(statement: object) -> set[str]:
    """The names that a statement would define, or those of a block."""
    found = [n for n in ast.nodes(statement) if isinstance(n, _DEFINING)]
    parts = [p for n in found if isinstance(n, ast.Equation) and n.split is not None for p in n.split.parts]
    return {n.name for n in found} | {p.name for p in parts if isinstance(p, ast.Access | ast.Name)}
