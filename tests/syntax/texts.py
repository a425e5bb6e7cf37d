"""Random texts over all of the syntax: they parse, and mean nothing. Brackets and spaces are strewn in."""

from typing import Any

from hypothesis import strategies as st

NAMES = ("i", "j", "x", "dx", "Δx", "A", "W", "L_1", "L'", "Φ1", "μ̂", "beta", "K", "relu", "L_{l+1}", "B", "inf", "σ")
PLAIN = ("i", "j", "x", "dx", "A", "W", "L_1", "K", "B")
REDUCTIONS = ("sum", "max", "Σ", "∏", "mean", "argmax", "logsumexp", "any")
BINARY = ("+", "-", "*", "/", "//", "%", "^", "·", "and", "or", "∧", "==", "<=", "≠", "<")

names = st.sampled_from(NAMES)
plain = st.sampled_from(PLAIN)
numbers = st.sampled_from(("0", "1", "12", "0.5", ".5", "2.", "1e-3", "1E5", "007"))
spaces = st.sampled_from(("", " ", "  "))


def commas(items: st.SearchStrategy[str], least: int, most: int) -> st.SearchStrategy[str]:
    return st.lists(items, min_size=least, max_size=most).map(", ".join)


@st.composite
def _inner(draw: Any, e: st.SearchStrategy[str]) -> str:
    """A form around smaller expressions."""
    a, b, c = draw(e), draw(e), draw(e)
    match draw(st.integers(0, 11)):
        case 0 | 1 | 2:
            sign = draw(st.sampled_from(BINARY))
            apart = " " if sign.isascii() and sign.isalpha() else draw(spaces)
            return f"{_bracketed(draw, a)} {sign}{apart}{_bracketed(draw, b)}"
        case 3:
            return draw(st.sampled_from((f"-({a})", f"not ({a})", f"¬({a})", f"√({a})", f"⌊{a}⌋")))
        case 4 | 5:
            return f"({draw(st.sampled_from(REDUCTIONS))}{draw(_binders(e))} ({a}))"
        case 6:
            return f"(({a}) if ({b}) else ({c}))"
        case 7:
            return draw(_access(e))
        case 8:
            keywords = draw(st.sampled_from(("", ", width 11", f", pad={b}", ", at K")))
            return f"{draw(plain)}({a}{keywords})"
        case 9:
            return f"max({a}, {b})"
        case 10:
            return f"-(sum[i] ({a}))"
        case _:
            return f"({a})"


def _bracketed(draw: Any, text: str) -> str:
    """An operand: in brackets, unless it is a single word."""
    return text if text.isalnum() and draw(st.booleans()) else f"({text})"


@st.composite
def _binders(draw: Any, e: st.SearchStrategy[str]) -> str:
    chosen = draw(st.lists(plain, max_size=3, unique=True))
    extents = [f"{n}:{draw(e)}" if draw(st.booleans()) else n for n in chosen]
    return f"[{', '.join(extents)}]" if chosen else ""


@st.composite
def _access(draw: Any, e: st.SearchStrategy[str]) -> str:
    border = draw(st.sampled_from(("", " else 0", " else edge", f" else {draw(e)}")))
    return f"{draw(names)}[{draw(commas(_subscripts(e), 1, 3))}{border}]"


def _subscripts(e: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return e | plain | st.tuples(plain, plain).map("({0[0]},{0[1]}:3)".format) | plain.map("{}...".format)


expressions: st.SearchStrategy[str] = st.recursive(names | numbers, _inner, max_leaves=8)
axes = commas(_subscripts(expressions), 1, 3)


@st.composite
def _statements(draw: Any) -> str:
    e, name = draw(expressions), draw(plain)
    match draw(st.integers(0, 9)):
        case 0:
            return f"input {name}[{draw(axes)}]" + draw(st.sampled_from(("", " : int", ' from "a b.png"')))
        case 1:
            return f"param {name}[{draw(axes)}]" + draw(st.sampled_from(("", " ~ he", f" = {e}")))
        case 2:
            return f"state {name}[{draw(axes)}] = {e}"
        case 3:
            return f"tensor {name}[{draw(axes)}] : int"
        case 4:
            return f"output {draw(commas(plain, 1, 3))}"
        case 5:
            return f"{name} = [{draw(commas(expressions, 0, 4))}]"
        case 6:
            return f"{name}[{draw(axes)}] = {e} ; {draw(expressions)}"
        case 7:
            return f"for {draw(commas(plain, 1, 3))}\n{name}[i] = {e}"
        case _:
            sign = draw(st.sampled_from(("=", "+=", "<-", "~")))
            return f"{name}[{draw(axes)}] {sign} {e}"


def plain_modules() -> st.SearchStrategy[str]:
    """Statements without blocks, computed names and packs: what LaTeX can say."""
    lines = _statements().filter(lambda text: "_{" not in text and "..." not in text)
    return st.lists(lines, min_size=1, max_size=4).map("\n".join)


@st.composite
def _blocks(draw: Any, inner: st.SearchStrategy[str]) -> str:
    body = draw(st.lists(inner, min_size=1, max_size=3))
    margin = " " * draw(st.integers(1, 5))
    block = "\n".join(margin + line for text in body for line in text.split("\n"))
    match draw(st.integers(0, 2)):
        case 0:
            return f"for l in 1..{draw(plain)}:\n{block}"
        case 1:
            return f"if {draw(expressions)}:\n{block}\nelse: # c\n{block}"
        case _:
            return f"def F(A[X,I...], W, width w, pad p = {draw(expressions)}, out J = ?):\n{block}\n{margin}return {draw(expressions)}"


@st.composite
def modules(draw: Any) -> str:
    """A few statements and blocks, with comments and blank lines between and behind them."""
    parts = draw(st.lists(st.recursive(_statements(), _blocks, max_leaves=4), min_size=1, max_size=4))
    ends = st.sampled_from(("\n", "\n\n", "\n\n\n", " # c\n", "\n# d\n", "\n  # e\n"))
    return "".join(part + draw(ends) for part in parts)
