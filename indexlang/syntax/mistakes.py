"""What to say of a statement that does not parse."""

from indexlang.syntax.lalr import END, Unexpected
from indexlang.syntax.lexer import Token
from indexlang.text.diagnostics import Diagnostic, diagnostic
from indexlang.text.names import nearest
from indexlang.text.source import Span

# Several terminals are one thing to a reader; a row's text is used when all its terminals may follow.
_FAMILIES = (
    ("a value", {"NUMBER", "NAME", "LPAR"}),
    ("an operator", {"PLUS", "MULTIPLY", "POWER"}),
)
_SHOWN = {
    "EQUALS": "`=`", "PLUSEQUALS": "`+=`", "RSQB": "`]`", "RPAR": "`)`", "COMMA": "`,`", "COLON": "`:`", "LSQB": "`[`",
    "RBRACE": "`}`", "SEMICOLON": "`;`", "RANGE": "`..`", "ARROW": "`<-`", "IN": "`in`", "ELSE": "`else`", "IF": "`if`",
    "TILDE": "`~`", "FROM": "`from`", "STRING": 'a "file name"', "NAME": "a name",
    "NUMBER": "a number", "LPAR": "`(`", "COMPARE": "a comparison", "RFLOOR": "`⌋`",
}  # fmt: skip
_WORDS = ("input", "param", "state", "tensor", "output", "include", "return", "for", "def")
_QUIET = {"AND", "OR", "NOT", "MINUS", "REDUCE", "ROOT", "FLOOR", "SUBSCRIPT", "ELLIPSIS", "OPEN", "PARTIAL", "OVER"}


def explain(error: Unexpected, tokens: tuple[Token, ...]) -> Diagnostic:
    """A diagnostic for the parser's complaint about one statement."""
    expected = _expected(error.accepted)
    word = error.token
    if word.kind == END:
        last = tokens[-1].span
        return diagnostic("E0102", Span(last.source, last.end, last.end + 1), expected=expected, hint=_keyword(tokens))
    hint = _keyword(tokens) or _special(word, tokens)
    return diagnostic("E0101", word.span, found=f"`{word.span.text}`", expected=expected, hint=hint)


def _expected(kinds: set[str]) -> str:
    shown: list[str] = []
    left = kinds - _QUIET - {END}
    for text, family in _FAMILIES:
        if family <= left:
            shown.append(text)
            left -= family | {"COMPARE", "IF"}
    shown += sorted(_SHOWN[k] for k in left if k in _SHOWN)
    if END in kinds:
        shown.append("the end of the line")
    return " or ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown) or "something else"


def _keyword(tokens: tuple[Token, ...]) -> str | None:
    """A hint where a statement begins with two names, the first of which is almost a keyword."""
    if [t.kind for t in tokens[:2]] != ["NAME", "NAME"]:
        return None
    like = nearest(tokens[0].text, _WORDS)
    return f"did you mean `{like}`?" if like else None


def _special(word: Token, tokens: tuple[Token, ...]) -> str | None:
    """A hint for slips that are seen often."""
    before = tokens[tokens.index(word) - 1] if word in tokens[1:] else None
    if word.kind == "EQUALS" and before is not None and before.kind == "EQUALS":
        return "one `=` defines; `==` compares"
    if word.span.text == "return" and before is not None and before.kind == "COLON":
        return "a function in one line has `=` and no `return`: `def Twice(a) = 2*a`"
    if (word.kind == "IF" and before is not None and before.kind == "ELSE") or tokens[0].span.text in (
        "elif",
        "elseif",
    ):
        return "write `else:`, and an `if` of its own in the block under it"
    if word.kind == "COMMA" and tokens[0].kind in ("INPUT", "PARAM", "STATE", "TENSOR"):
        return "declare each on a line of its own"
    if word.kind == "COMMA" and any(t.kind == "EQUALS" for t in tokens[tokens.index(word) :]):
        return "define each in an equation of its own"
    if word.kind == "EQUALS":
        return "compare with `==`; an equation has one `=`"
    if word.kind == "NAME" and before is not None and before.kind in ("NAME", "NUMBER", "RPAR"):
        return "write `*` to multiply"
    if word.kind == "NUMBER" and before is not None and before.kind == "RSQB":
        return "write `*` to multiply"
    return None
