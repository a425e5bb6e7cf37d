"""Syntax tree → text, with as few brackets as can be. Places where a line may be broken carry `wrap.MARK`.

What a slide writes in a way of its own stays as it was written: a product without a sign, `Σ_{i,j}`, a group of its
indices, and brackets around a whole sum.
"""

import re
from dataclasses import dataclass
from typing import assert_never

from indexlang.syntax import ast
from indexlang.syntax.levels import (
    ATOM,
    CHOICE,
    COMPARE,
    FOLD,
    LEVEL,
    MINUS,
    NOT,
    OR,
    POWER,
    PRODUCT,
    RIGHT,
    SUM,
    VECTOR,
    begins_with_d,
    ends_in_d,
    ends_in_fold,
)
from indexlang.syntax.lexer import REDUCTIONS
from indexlang.syntax.spelling import Spelling
from indexlang.syntax.tree import Head
from indexlang.syntax.wrap import MARK, flat

BARE = ast.Number | ast.Name | ast.Access  # what may follow a keyword without `=`
_SHORT = 5  # subscripts of at most that many characters are listed without spaces
_CLOSED = re.compile(r"\s*\)")
_OPERATOR = re.compile(r" ([-+*/%·×∗−]|//)[ \n]")


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes the parts of a text.

    spelling  how words and names are written     taken  names of reductions that are tensors in this text
    """

    spelling: Spelling
    taken: frozenset[str] = frozenset()

    # -- expressions

    def vector(self, e: ast.Expr) -> str:
        """Where `a ; b` may stand too: the right side of an equation, an argument. Never in brackets."""
        return self._at(e, VECTOR)

    def expr(self, e: ast.Expr) -> str:
        """Where one value stands: `a ; b` is put in brackets."""
        return self._at(e, CHOICE)

    def _at(self, e: ast.Expr, place: int) -> str:
        text, level = self._text(e)
        return f"({text})" if level < place or (place > CHOICE and _is_bracketed(e)) else text

    def _text(self, e: ast.Expr) -> tuple[str, int]:
        """The text of an expression, and how tightly it binds."""
        match e:
            case ast.Number():
                return number(e), ATOM
            case ast.Name(name=name):
                return self._name(name), ATOM
            case ast.Access():
                return self._access(e), ATOM
            case ast.Call():
                return self._call(e)
            case ast.Unary():
                return self._unary(e)
            case ast.Binary():
                return self._binary(e)
            case ast.Comparison(ops=ops, operands=operands):
                first, *others = (self._at(o, SUM) for o in operands)
                signs = (self.spelling.word(op) for op in ops)
                return first + "".join(f" {s}{MARK}{o}" for s, o in zip(signs, others, strict=True)), COMPARE
            case ast.Conditional(value=value, condition=condition, other=other):
                return f"{self._at(value, OR)} if {self._at(condition, OR)} else {self.expr(other)}", CHOICE
            case ast.Reduction():
                return self._reduction(e), FOLD
            case ast.Derivative(of=of, wrt=wrt):
                return f"d({self.vector(of)})/d({self.vector(wrt)})", ATOM
            case ast.Table(items=items):
                return f"[{f',{MARK}'.join(map(self.expr, items))}]", ATOM
            case ast.Joined(parts=parts):
                return f" ;{MARK}".join(map(self.expr, parts)), VECTOR
            case _:
                assert_never(e)

    def _unary(self, e: ast.Unary) -> tuple[str, int]:
        word = self.spelling.word(e.op)
        if e.op == "not":
            return (f"{word} {self._at(e.operand, NOT)}", NOT) if word == "not" else (
                f"{word}{self._at(e.operand, ATOM)}", NOT)  # fmt: skip
        if _ends_in_fold(e.operand):
            return f"{word}{self._at(e.operand, FOLD)}", FOLD
        return f"{word}{self._at(e.operand, MINUS)}", MINUS

    def _binary(self, e: ast.Binary) -> tuple[str, int]:
        word = self.spelling.word(e.op)
        if e.op == "^":
            return f"{self._at(e.left, ATOM)}^{self._at(e.right, MINUS)}", POWER
        level = LEVEL[e.op]
        if level == PRODUCT and _ends_in_fold(e.right):
            sign = " " if _is_juxtaposed(e) else f" {word}{MARK}"
            return f"{self._at(e.left, PRODUCT)}{sign}{self._at(e.right, FOLD)}", FOLD
        space = level < PRODUCT or not (is_small(e.left) and is_small(e.right))
        sign = " " if _is_juxtaposed(e) else f" {word}{MARK}" if space else word
        right = ATOM + 1 if e.op == "/" and ends_in_d(e.left) and begins_with_d(e.right) else RIGHT[level]
        return f"{self._at(e.left, level)}{sign}{self._at(e.right, right)}", level

    def _reduction(self, e: ast.Reduction) -> str:
        word = self.spelling.word(e.op)
        if word in self.taken:  # `sum[j] = …` makes `sum` a tensor; `Sum` still adds up
            word = word.capitalize()
        start, end = ("_{", "}") if _has_binders_below(e) and word == self.spelling.word(e.op) else ("[", "]")
        listed = _listed([self._binder(b) for b in e.binders or ()])
        listed = f"({listed})" if _has_one_group(e) else listed
        binders = "" if e.binders is None else f"{start}{listed}{end}"
        return f"{word}{binders} {self._at(e.body, FOLD)}"

    def _binder(self, b: ast.Binder) -> str:
        return self._name(b.name) + (f":{_tight(self.expr(b.extent))}" if b.extent is not None else "")

    def _call(self, e: ast.Call) -> tuple[str, int]:
        if e.name in ("sqrt", "floor") and len(e.args) == 1 and not e.keywords:
            word = self.spelling.word(e.name)
            if word == "√":
                return f"√{self._at(e.args[0], ATOM)}", POWER
            if word == "⌊":
                return f"⌊{self.expr(e.args[0])}⌋", ATOM
        argument = self.expr if e.name in REDUCTIONS else self.vector
        args = [*map(argument, e.args), *map(self._keyword, e.keywords)]
        return f"{self._name(e.name)}({f',{MARK}'.join(args)})", ATOM

    def _keyword(self, k: ast.Keyword) -> str:
        if isinstance(k.value, BARE):
            return f"{self._name(k.name)} {self.expr(k.value)}"
        return f"{self._name(k.name)}={_tight(self.expr(k.value))}"

    def _name(self, name: str) -> str:
        return self.spelling.name(name)

    # -- subscripts

    def _access(self, e: ast.Access) -> str:
        subscripts = [self._subscript(s) for s in e.subscripts]
        if e.border is None:
            return f"{self._name(e.name)}[{_listed(subscripts)}]"
        inside = f",{MARK}".join(subscripts)
        return f"{self._name(e.name)}[{inside} else {self.expr(e.border)}]".replace("[ else", "[else")

    def _subscript(self, s: ast.Subscript) -> str:
        match s:
            case ast.Ranged(index=index, extent=extent):
                return f"{_tight(self.expr(index))}:{_tight(self.expr(extent))}"
            case ast.Group(items=items):
                return f"({_listed([self._subscript(i) for i in items])})"
            case ast.Pack(name=name):
                return self._name(name) + self.spelling.word("...")
            case _:
                return _tight(self.expr(s))

    # -- statements

    def lines(self, item: ast.Statement | Head) -> tuple[str, ...]:
        """A statement, or the first line of a block; an equation under `for b,x` has a line of its own."""
        match item:
            case ast.Quantifier(equation=equation) if equation is not None:
                return self._statement(item), self._statement(equation)
            case _:
                return (self._line(item),)

    def _line(self, item: ast.Statement | Head) -> str:
        match item:
            case Head(kind="else"):
                return "else:"
            case Head(kind="return", node=node):
                return f"return {self.vector(node)}"
            case Head(kind="whole def", node=node):
                return f"{self._def(node)} ={MARK}{self.vector(node.result)}"
            case Head(node=node):
                return f"{self._statement(node)}:"
            case _:
                return self._statement(item)

    def _statement(self, s: ast.Statement) -> str:
        match s:
            case ast.Input(default=default):
                return self._declared("input", s) + (f' from "{default}"' if default is not None else "")
            case ast.Param(drawn=drawn, value=value):
                start = f" ~ {self.expr(drawn)}" if drawn is not None else ""
                return self._declared("param", s) + (f" ={MARK}{self.expr(value)}" if value is not None else start)
            case ast.State(value=value):
                return f"{self._declared('state', s)} ={MARK}{self.expr(value)}"
            case ast.Declaration():
                return self._declared("tensor", s)
            case ast.Equation():
                return self._equation(s)
            case ast.Output(names=names):
                return f"output {f',{MARK}'.join(self._name(n.name) for n in names)}"
            case ast.Include(path=path):
                return f'include "{path}"'
            case ast.Quantifier(names=names, ranges=ranges):
                known = {b.name: f":{_tight(self.expr(b.extent))}" for b in ranges if b.extent is not None}
                return f"for {','.join(self._name(n.name) + known.get(n.name, '') for n in names)}"
            case ast.For(name=name, first=first, last=last):
                return f"for {self._name(name)} in {_tight(self.expr(first))}..{_tight(self.expr(last))}"
            case ast.If(condition=condition):
                return f"if {self.expr(condition)}"
            case ast.Def():
                return self._def(s)
            case _:
                assert_never(s)

    def _declared(self, word: str, s: ast.Input | ast.Param | ast.State | ast.Declaration) -> str:
        axes = f"[{', '.join(self._subscript(a) for a in s.axes)}]" if s.axes else ""
        return f"{word} {self._name(s.name)}{axes}" + (f" : {s.dtype}" if s.dtype != "float" else "")

    def _equation(self, s: ast.Equation) -> str:
        left = self._name(s.name)
        if s.split is not None:
            left = flat(self.vector(s.split))
        elif s.subscripts is not None:
            left += f"[{_listed([self._subscript(i) for i in s.subscripts])}]".replace(MARK, " ")
        return f"{left} {self.spelling.word(s.sign)}{MARK}{self.vector(s.body)}"

    def _def(self, d: ast.Def) -> str:
        return f"def {self._name(d.name)}({f',{MARK}'.join(map(self._parameter, d.params))})"

    def _parameter(self, p: ast.TensorParam | ast.PackageParam | ast.ConstantParam) -> str:
        match p:
            case ast.PackageParam(name=name):
                return self._name(name)
            case ast.TensorParam(name=name, axes=axes):
                return f"{self._name(name)}[{','.join(self._subscript(a) for a in axes)}]"
            case ast.ConstantParam(keyword=keyword, name=name, default=default, is_open=is_open):
                start = " = ?" if is_open else f" = {self.expr(default)}" if default is not None else ""
                return f"{self._name(keyword)} {self._name(name)}{start}"
            case _:
                assert_never(p)


def number(e: ast.Number) -> str:
    """A number as it was written, with a digit on both sides of its point."""
    text = e.span.text.replace("E", "e")
    if not re.fullmatch(r"[0-9]*\.?[0-9]*(e[+-]?[0-9]+)?", text):
        return repr(e.value)
    head, sign, exponent = text.partition("e")
    whole, point, part = head.partition(".")
    return (whole or "0") + (f".{part or '0'}" if point else "") + sign + exponent


def is_small(e: ast.Expr) -> bool:
    """Whether products of this are written without spaces: names, numbers, arithmetic of them."""
    match e:
        case ast.Number() | ast.Name():
            return True
        case ast.Unary(op="-", operand=operand):
            return is_small(operand)
        case ast.Binary(left=left, right=right):
            return is_small(left) and is_small(right)
        case _:
            return False


def _is_bracketed(e: ast.Expr) -> bool:
    """Whether this is a reduction with brackets around it: its span has them inside."""
    return isinstance(e, ast.Reduction) and e.span.start < e.op_span.start


def _ends_in_fold(e: ast.Expr) -> bool:
    """`ends_in_fold` of the text: brackets that stay end the reduction before it takes more in."""
    match e:
        case ast.Unary(op="-", operand=operand):
            return _ends_in_fold(operand)
        case _:
            return ends_in_fold(e) and not _is_bracketed(e)


def _has_binders_below(e: ast.Reduction) -> bool:
    return e.op_span.source.text.startswith("_{", e.op_span.end)


def _has_one_group(e: ast.Reduction) -> bool:
    """Whether all binders stand in brackets of their own: `Σ_{(x,y)}`."""
    if not e.binders:
        return False
    text, first, last = e.op_span.source.text, e.binders[0].span, e.binders[-1].span
    opened = text[e.op_span.end : first.start].rstrip().endswith("(")
    return opened and _CLOSED.match(text, last.end) is not None


def _is_juxtaposed(e: ast.Binary) -> bool:
    """Whether a product was written without a sign, and may be: `c W[i]` in a call would be a keyword and its value."""
    last, first = e.left.span, e.right.span
    if e.op != "*" or (isinstance(e.left, ast.Name) and not isinstance(e.right, ast.Reduction)):
        return False
    return not last.source.text[last.end : first.start].strip()


def _tight(text: str) -> str:
    """Arithmetic without spaces, as subscripts are written."""
    return _OPERATOR.sub(r"\1", text)


def _listed(items: list[str]) -> str:
    """Subscripts: without spaces where all of them are short."""
    short = all((len(item) <= _SHORT or item[0] == "(") and not set(" [") & set(item) for item in items)
    return ("," if short else f",{MARK}").join(items)
