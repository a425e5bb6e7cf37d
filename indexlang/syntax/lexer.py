"""Text → tokens → logical lines. One pass; every character is either part of a token or told about."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from indexlang.text import names
from indexlang.text.diagnostics import Diagnostic, diagnostic
from indexlang.text.source import Source, Span

MAX_NESTING = 100
MAX_TOKENS = 120_000  # of a text: two seconds of checking; DenseNet-201 in training, every call spelled out, has 85,000

KEYWORDS = {
    "input", "param", "state", "tensor", "output", "from", "if", "else", "or", "and", "not", "def", "for", "in", "return", "include"
}  # fmt: skip
REDUCTIONS = {"sum", "prod", "max", "min", "mean", "logsumexp", "any", "all", "argmax", "argmin"}
TWINS = {
    "·": "*", "×": "*", "∗": "*", "−": "-", "≤": "<=", "≥": ">=", "≠": "!=", "∧": "and", "∨": "or", "¬": "not",
    "∞": "inf", "Σ": "sum", "∑": "sum", "∏": "prod", "σ": "sigmoid", "√": "sqrt",
}  # fmt: skip

KINDS = {
    "[": "LSQB", "]": "RSQB", "(": "LPAR", ")": "RPAR", "}": "RBRACE", "_{": "SUBSCRIPT", ",": "COMMA", ":": "COLON",
    "~": "TILDE", "=": "EQUALS", "+=": "PLUSEQUALS", "+": "PLUS", "-": "MINUS", "*": "MULTIPLY", "/": "MULTIPLY",
    "//": "MULTIPLY", "%": "MULTIPLY", "^": "POWER", "**": "POWER", "<": "COMPARE", ">": "COMPARE", "<=": "COMPARE",
    ">=": "COMPARE", "==": "COMPARE", "!=": "COMPARE", ";": "SEMICOLON", "<-": "ARROW",
    "←": "ARROW", "..": "RANGE", "...": "ELLIPSIS", "…": "ELLIPSIS", "?": "OPEN",
    "⌊": "FLOOR", "⌋": "RFLOOR",
}  # fmt: skip
_KEYWORD_AT = set(product(("LPAR", "COMMA"), ("NAME",), ("NAME", "NUMBER")))
_PLAIN = {"**": "^", "←": "<-", "…": "..."}
_OPENS = {"LSQB": "]", "LPAR": ")", "SUBSCRIPT": "}", "FLOOR": "⌋"}
_CLOSES = {"RSQB": "]", "RPAR": ")", "RBRACE": "}", "RFLOOR": "⌋"}
OPENS_IN_LATEX = ("LBRACE", "ABS", "CASES")
CLOSES_IN_LATEX = ("RABS", "ENDCASES")
_CONTINUES = {
    "COMMA",
    "EQUALS",
    "PLUSEQUALS",
    "PLUS",
    "MINUS",
    "MULTIPLY",
    "POWER",
    "COMPARE",
    "OR",
    "AND",
    "NOT",
    "TILDE",
    "SEMICOLON",
    "ARROW",
}

# What repeats never gives back what it took (`*+`): a long name needs no memory for the ways of reading it.
# A name may not swallow the `_` of `sum_{…}`; combining marks belong to the letter before them.
_MARK = r"\u0300-\u036f"
_TOKEN = re.compile(
    rf"""(?P<space>[ \t]+|\#[^\n]*)
       | (?P<newline>\n)
       | (?P<number>(?:[0-9]+(?:\.(?!\.)[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?P<bad>(?:\w|\.(?!\.))*+))
       | (?P<twin>[·×∗−≤≥≠∧∨¬∞Σ∑∏√]|σ(?![\w'{_MARK}]))
       | (?P<reduce>(?:{"|".join(sorted(REDUCTIONS))})(?=_\{{))
       | (?P<name>(?!_\{{)[^\W\d](?:(?!_\{{)[\w'{_MARK}]|\.(?=[^\W\d]))*+(?:_\{{[^{{}}\n]*+\}}(?:(?!_\{{)[\w'{_MARK}]|\.(?=[^\W\d]))*+)*+)
       | (?P<string>"[^"\n]*")
       | (?P<symbol>_\{{|\+=|//|\*\*|<=|>=|<-|←|==|!=|\.\.\.|…|\.\.|[][(){{}},:;?~=+*/%^<>⌊⌋-])
       | (?P<other>.)""",
    re.VERBOSE,
)
_COMPUTED = re.compile(r"_\{([^{}]*)\}")
_STATEMENT_HEAD = re.compile(
    r"(?:input|param|state|tensor|output|def|for|return|include)\b|[^\W\d][\w']*(?:\[[^\]\n]*\])?\s*(?:\+=|=(?!=))"
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word of the language; `text` is its ASCII twin, `span` the text as written."""

    kind: str
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Line:
    """The tokens of one statement, and the column it starts at (1 when it is not indented).

    is_broken  a lexical mistake in it was told already
    """

    tokens: tuple[Token, ...]
    column: int
    is_broken: bool = False


def lines(source: Source) -> tuple[list[Line], list[Diagnostic]]:
    """Split a text into statements.

    A newline ends a statement, except inside brackets and after an operator, `=`, `,`.
    A line with a lexical mistake gives a diagnostic and is marked. Cost: linear in the text.
    """
    found: list[Diagnostic] = list(hidden(source))
    if found:
        return [], found
    heads = _declared(source.text)
    out: list[Line] = []
    current: list[Token] = []
    opened: list[Token] = []
    broken = False

    def finish() -> None:
        nonlocal broken
        if opened and not broken:
            found.append(_unclosed(opened[-1]))
            broken = True
        if current:
            out.append(Line(tuple(current), current[0].span.column, broken))
        current.clear()
        opened.clear()
        broken = False

    left = MAX_TOKENS
    for token in _tokens(source, heads):
        if isinstance(token, Diagnostic):
            left -= 1
            if not broken:
                found.append(token)
            broken = True
        elif token.kind == "NEWLINE":
            inside = bool(opened) and not _STATEMENT_HEAD.match(source.text, token.span.end)
            if not inside and not (current and not opened and current[-1].kind in _CONTINUES):
                finish()
        else:
            left -= 1
            if left < 0:
                return [], [_too_many(token.span)]
            current.append(token)
            trouble = _match_bracket(token, opened)
            if trouble is not None:
                if not broken:
                    found.append(trouble)
                broken = True
    finish()
    return out, found


def with_keywords(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
    """The tokens of a statement with the names told that begin `width 2*k` in a call: a value follows with no sign between."""
    calls: list[bool] = []  # of the brackets around, whether each is a call's
    out = list(tokens)
    for n, token in enumerate(tokens[:-1]):
        before = tokens[n - 1].kind if n else ""
        if token.kind in _OPENS or token.kind in OPENS_IN_LATEX:
            is_head = n == 2 and tokens[0].kind == "DEF"
            calls.append(token.kind == "LPAR" and before == "NAME" and not is_head)
        elif token.kind in _CLOSES or token.kind in CLOSES_IN_LATEX:
            del calls[-1:]
        elif any(calls[-1:]) and (before, token.kind, tokens[n + 1].kind) in _KEYWORD_AT:
            out[n] = Token("KEYWORD", token.text, token.span)
    return tuple(out)


def nesting(token: Token) -> int:
    """How many brackets more are open behind a token: 1, 0 or -1."""
    return (token.kind in _OPENS) - (token.kind in _CLOSES)


def with_derivatives(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
    """The tokens of a statement with the two `d` and the stroke of each `d(…)/d(…)` told; any other `d` is a name."""
    out = list(tokens)
    starts: list[int] = []
    for n, token in enumerate(tokens):
        if token.kind in _OPENS:
            starts.append(n)
        elif token.kind in _CLOSES and starts:
            start = starts.pop()
            if start and _is_d(out, start - 1) and _is_d(out, n + 2) and out[n + 1].text == "/":
                for at, kind in ((start - 1, "PARTIAL"), (n + 1, "OVER"), (n + 2, "PARTIAL")):
                    out[at] = Token(kind, tokens[at].text, tokens[at].span)
    return tuple(out)


def _is_d(tokens: list[Token], at: int) -> bool:
    """Whether `d(` stands at a place, and is not the lower half of a derivative already."""
    return (
        at + 1 < len(tokens) and tokens[at].kind == "NAME" and tokens[at].text == "d" and tokens[at + 1].kind == "LPAR"
    )


def comments(source: Source) -> Iterator[Span]:
    """Every comment of a text, from its `#` to the end of its line."""
    for match in _TOKEN.finditer(source.text):
        if match.lastgroup == "space" and match[0].startswith("#"):
            yield Span(source, match.start(), match.end())


def _match_bracket(token: Token, opened: list[Token]) -> Diagnostic | None:
    if token.kind in _OPENS:
        opened.append(token)
        if len(opened) == MAX_NESTING + 1:
            return diagnostic("E0106", token.span, limit=MAX_NESTING)
    elif token.kind in _CLOSES:
        if not opened:
            return diagnostic(
                "E0104",
                token.span,
                message=f"`{token.text}` closes nothing",
                advice="delete it, or open a bracket before it",
            )
        start = opened.pop()
        if _OPENS[start.kind] != token.text:
            wanted = _OPENS[start.kind]
            return diagnostic(
                "E0104", token.span, message=f"`{token.text}` does not close `{start.text}`", advice=f"write `{wanted}`",
                because=[(f"`{start.text}` was opened here", start.span)],
            )  # fmt: skip
    return None


def _unclosed(token: Token) -> Diagnostic:
    return diagnostic(
        "E0104",
        token.span,
        message=f"`{token.text}` is never closed",
        advice=f"write `{_OPENS[token.kind]}` where it ends",
    )


def _too_many(span: Span) -> Diagnostic:
    advice = "split the program with `include`; numbers belong into files of data or weights"
    return diagnostic("E0905", span, limit=MAX_TOKENS, what="words and signs in the text", advice=advice)


def _declared(text: str) -> set[str]:
    """Names of reductions that the text uses for tensors of its own (`mean[j] = …`): there they are names."""
    heads: set[str] = set()
    for match in re.finditer(
        r"^[ \t]*(?:(?:input|param|tensor|state)[ \t]+)?([A-Za-z]+)(?=[\[ \t=:~+<])", text, re.MULTILINE
    ):
        if match[1].lower() in REDUCTIONS and re.match(
            r"[ \t]*(?:\[[^\]\n]*\])?[ \t]*(?:\+?=(?!=)|<-|~|:|$)", text[match.end() :][:300], re.MULTILINE
        ):
            heads.add(match[1])
    return heads


def _tokens(source: Source, heads: set[str]) -> Iterator[Token | Diagnostic]:
    before = ""
    for match in _TOKEN.finditer(source.text):
        group = match.lastgroup
        text = match[0]
        span = Span(source, match.start(), match.end())
        if match["number"] is not None:
            yield _number(match, span)
        elif group == "space":
            continue
        elif group == "newline":
            yield Token("NEWLINE", text, span)
        elif group == "name":
            yield _word(names.normal(text), heads, span)
        elif group == "reduce":  # sum_{i} lists an index; L_{l+1} computes a name
            yield Token("REDUCE", text, span)
        elif group == "twin":
            yield _twin(text, span)
        elif group == "string":
            yield Token("STRING", text[1:-1], span)
        elif group == "symbol" and text in KINDS and (text != "?" or before == "="):
            yield Token(KINDS[text], _PLAIN.get(text, text), span)
        else:
            yield _meaningless(text, span)
        before = text


def _number(match: re.Match[str], span: Span) -> Token | Diagnostic:
    if match["bad"] or len(match[0]) > 4000:
        return diagnostic("E0105", span, text=match[0][:40])
    return Token("NUMBER", match[0], span)


def _subscript(match: re.Match[str]) -> str:
    """`_{l + 1}` without spaces; `_{12}` is `_12`."""
    inner = match[1].replace(" ", "")
    is_number = inner.isalnum() and inner.isascii() and inner[:1].isdigit()
    return f"_{inner}" if is_number else f"_{{{inner}}}"


def _word(text: str, heads: set[str], span: Span) -> Token | Diagnostic:
    odd = next((c for c in text if not c.isascii() and c.isnumeric() and c not in "₀₁₂₃₄₅₆₇₈₉"), None)
    if odd is not None:
        power = odd in "²³⁴⁵⁶⁷⁸⁹⁰¹"
        return diagnostic("E0105", span, text=text, hint="write `^2` for a square" if power else None)
    if "_{" in text:
        text = _COMPUTED.sub(_subscript, text)
    if text in KEYWORDS:
        return Token(text.upper(), text, span)
    if text.lower() in REDUCTIONS and text not in heads:
        return Token("REDUCE", text.lower(), span)
    return Token("NAME", text, span)


def _twin(text: str, span: Span) -> Token:
    plain = TWINS[text]
    if plain in ("and", "or", "not"):
        return Token(plain.upper(), plain, span)
    if plain in REDUCTIONS:
        return Token("REDUCE", plain, span)
    return Token("ROOT" if text == "√" else KINDS.get(plain, "NAME"), plain, span)


def _meaningless(text: str, span: Span) -> Diagnostic:
    advice = {
        "&": "write `and`", "|": "write `or`", "!": "write `not`, or `!=`", '"': "close the quotation on its line",
        "'": "a prime follows a name", "{": "write `_{` after a name",
    }.get(text, "delete it")  # fmt: skip
    if text.isdigit() or text.isnumeric():
        return diagnostic("E0105", span, text=text)
    return diagnostic("E0103", span, shown=f"`{names.visible(text)}`", advice=advice)


def hidden(source: Source) -> Iterator[Diagnostic]:
    """The first character that makes a text look different from what it says (E0002)."""
    if source.text.isascii() and source.text.isprintable():
        return
    for at, c in enumerate(source.text):
        if not c.isprintable() and names.is_hidden(c):
            yield diagnostic("E0002", Span(source, at, at + 1), shown=f"<U+{ord(c):04X}>")
            return
