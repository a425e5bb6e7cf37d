# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false, reportFunctionMemberAccess=false
"""Parse trees → syntax tree: one method a grammar rule; the names of the rules are those of the classes."""

from dataclasses import dataclass, replace
from typing import Any

from indexlang.syntax import ast
from indexlang.syntax.lexer import Token
from indexlang.text.diagnostics import program_error
from indexlang.text.source import Span


@dataclass(frozen=True, slots=True)
class Head:
    """The first line of a block, or `return`: what `blocks` puts together with the lines below."""

    kind: str  # def, for, if, else, return
    node: Any  # a Def, For or If without its body; the returned expression
    span: Span


def _span(token: Token) -> Span:
    return token.span


def _text(token: Token) -> str:
    return token.text


class Tree:
    """Called by the parser for each rule as it is recognised."""

    # -- statements

    def input(self, start: Token, name: Token, *rest: Any) -> ast.Input:
        """`input label[B] : int from "labels.npy"`."""
        axes, dtype, others = _declared(rest)
        path = next((t for t in others if isinstance(t, Token) and t.kind == "STRING"), None)
        span = _span(start).to(_end(name, axes, dtype, path))
        return ast.Input(_text(name), _axes(axes), _dtype(dtype), _text(path) if path else None, span, _span(name))

    def param(self, start: Token, name: Token, *rest: Any) -> ast.Param:
        """`param W[5,5,3,16] ~ xavier`, `param B[16] = 0`, or neither: drawn by the initialiser that fits it."""
        axes, dtype, others = _declared(rest)
        sign = next((i for i, t in enumerate(others) if isinstance(t, Token)), None)
        start_value = others[sign + 1] if sign is not None else None
        drawn = start_value if sign is not None and others[sign].kind == "TILDE" else None
        value = start_value if drawn is None else None
        span = _span(start).to(_end(name, axes, dtype, start_value))
        return ast.Param(_text(name), _axes(axes), _dtype(dtype), drawn, value, span, _span(name))

    def declaration(self, start: Token, name: Token, *rest: Any) -> ast.Declaration:
        """`tensor T[10,K] : int`."""
        axes, dtype, _ = _declared(rest)
        span = _span(start).to(_end(name, axes, dtype))
        return ast.Declaration(_text(name), _axes(axes), _dtype(dtype), span, _span(name))

    def output(self, start: Token, *items: Token) -> ast.Output:
        """`output s, loss`."""
        found = tuple(ast.Name(_text(t), _span(t)) for t in items if t.kind == "NAME")
        return ast.Output(found, _span(start).to(_span(items[-1])))

    def state(self, start: Token, name: Token, *rest: Any) -> ast.State:
        """`state m[J] = 0`."""
        axes, dtype, others = _declared(rest)
        value = others[-1]
        return ast.State(_text(name), _axes(axes), _dtype(dtype), value, _span(start).to(value.span), _span(name))

    def include(self, start: Token, path: Token) -> ast.Include:
        """`include "blocks.idx"`."""
        return ast.Include(_text(path), _span(start).to(_span(path)))

    def quantifier(self, start: Token, *items: Any) -> ast.Quantifier:
        """`for b,x:14`, and the equation if it stands on the same line."""
        binders = [i for i in items if isinstance(i, ast.Binder)]
        names = [ast.Name(b.name, b.span) for b in binders]
        names += [ast.Name(_text(t), _span(t)) for t in items if isinstance(t, Token) and t.kind == "NAME"]
        equation = next((item for item in items if isinstance(item, ast.Equation)), None)
        span = _span(start).to(equation.span if equation else names[-1].span)
        return ast.Quantifier(tuple(names), equation, span, tuple(b for b in binders if b.extent is not None))

    # -- heads of blocks

    def def_head(self, start: Token, name: Token, *rest: Any) -> Head:
        """`def F(L[X,I], Φ, width w):`, or a function in one line, `def F(a) = 2*a`."""
        params = tuple(p for p in rest if isinstance(p, ast.TensorParam | ast.PackageParam | ast.ConstantParam))
        result = rest[-1] if not isinstance(rest[-1], Token) else None
        span = _span(start).to(result.span if result is not None else _span(rest[-1]))
        if result is None:
            result = ast.Name(_text(name), _span(name))  # replaced by what the block returns
            return Head("def", ast.Def(_text(name), params, (), result, span, _span(name)), span)
        return Head("whole def", ast.Def(_text(name), params, (), result, span, _span(name)), span)

    def package_param(self, name: Token) -> ast.PackageParam:
        """`Φ` in a function's head."""
        return ast.PackageParam(_text(name), _span(name))

    def tensor_param(self, name: Token, *rest: Any) -> ast.TensorParam:
        """`L[X,Y,I]` in a function's head. Raises E0101 for an axis that is no name."""
        axes = tuple(item for item in rest if item is not None and not isinstance(item, Token))
        for axis in axes:
            if not isinstance(axis, ast.Name | ast.Pack):
                raise program_error(
                    "E0101", axis.span, found="this", expected="a name for the extent, as in `L[X,Y,I]`"
                )
        return ast.TensorParam(_text(name), axes, _span(name).to(_span(rest[-1])))

    def constant_param(self, keyword: Token, name: Token, equals: Token | None, default: Any) -> ast.ConstantParam:
        """`width w`, `pad p = 0` or `features J = ?` in a function's head."""
        is_open = isinstance(default, Token)
        value = None if is_open else default
        end = _span(name) if default is None else _span(default) if isinstance(default, Token) else default.span
        return ast.ConstantParam(_text(keyword), _text(name), value, is_open, _span(keyword).to(end))

    def for_head(
        self, start: Token, name: Token, _in: Token, first: ast.Expr, _range: Token, last: ast.Expr, colon: Token
    ) -> Head:
        """`for l in 1..16:`."""
        span = _span(start).to(_span(colon))
        return Head("for", ast.For(_text(name), first, last, (), span), span)

    def if_head(self, start: Token, condition: ast.Expr, colon: Token) -> Head:
        """`if n > 1:`."""
        span = _span(start).to(_span(colon))
        return Head("if", ast.If(condition, (), (), span), span)

    def else_head(self, start: Token, colon: Token) -> Head:
        """`else:`."""
        return Head("else", None, _span(start).to(_span(colon)))

    def return_(self, start: Token, value: ast.Expr) -> Head:
        """`return C`."""
        return Head("return", value, _span(start).to(value.span))

    def equation(self, left: ast.Expr, sign: Token, body: ast.Expr) -> ast.Equation:
        """`T[i] = …`, also with `+=`, `~` and `<-`; `P ; Q = …` is split later. Raises E0108 for any other left side."""
        span = left.span.to(body.span)
        match left:
            case ast.Joined(parts=(first, *_)) if isinstance(first, ast.Access):
                return ast.Equation(first.name, None, _text(sign), body, span, left.span, left)
            case ast.Name(name=name):
                return ast.Equation(name, None, _text(sign), body, span, left.span)
            case ast.Access(name=name, subscripts=subscripts, border=None):
                return ast.Equation(name, subscripts, _text(sign), body, span, left.span)
            case _:
                raise program_error("E0108", left.span, what="this", sign=_text(sign))

    def axes(self, *items: Any) -> "_Axes":
        """`[5, 5, 3, 16]` of a declaration."""
        kept = tuple(item for item in items if item is not None and not isinstance(item, Token))
        return _Axes(kept, _span(items[0]).to(_span(items[-1])))

    def axis(self, item: ast.Subscript) -> ast.Subscript:
        """One of them, as it is."""
        return item

    def dtype(self, colon: Token, name: Token) -> "_Dtype":
        """`: int`; whether there is such a dtype is asked later."""
        return _Dtype(_text(name), _span(name))

    def initialiser(self, name: Token, *rest: Any) -> ast.Name | ast.Call:
        """`xavier` or `normal(0, 1)`."""
        if rest[0] is None:
            return ast.Name(_text(name), _span(name))
        return self.call(name, *rest)

    # -- expressions

    def conditional(self, value: ast.Expr, _if: Token, condition: ast.Expr, _else: Token, other: ast.Expr) -> ast.Expr:
        """`a if c else b`."""
        return ast.Conditional(value, condition, other, value.span.to(other.span))

    def binary(self, left: ast.Expr, op: Token, right: ast.Expr) -> ast.Expr:
        """`a + b` and every other operator between two operands."""
        return ast.Binary(_text(op), left, right, left.span.to(right.span))

    def juxtaposed(self, left: ast.Expr, right: ast.Expr) -> ast.Expr:
        """`2 W[i]`: a product without a sign."""
        return ast.Binary("*", left, right, left.span.to(right.span))

    def unary(self, op: Token, operand: ast.Expr) -> ast.Expr:
        """`-x`, `not c`."""
        return ast.Unary(_text(op), operand, _span(op).to(operand.span))

    def root(self, op: Token, operand: ast.Expr) -> ast.Expr:
        """`√x`: a call of `sqrt`."""
        return ast.Call("sqrt", (operand,), _span(op).to(operand.span), _span(op))

    def floor(self, op: Token, operand: ast.Expr, end: Token) -> ast.Expr:
        """`⌊a/b⌋`: a call of `floor`."""
        return ast.Call("floor", (operand,), _span(op).to(_span(end)), _span(op))

    def comparison(self, *items: Any) -> ast.Expr:
        """`p <= x < q`: a chain is one node."""
        ops = tuple(_text(t) for t in items[1::2])
        return ast.Comparison(ops, tuple(items[0::2]), items[0].span.to(items[-1].span))

    def reduction(self, op: Token, *rest: Any) -> ast.Expr:
        """`sum[dx:3] term`; without binders they are found from the term."""
        binders = rest[0] if len(rest) == 2 else None
        return ast.Reduction(_text(op), binders, rest[-1], _span(op).to(rest[-1].span), _span(op))

    def binders(self, *items: Any) -> tuple[ast.Binder, ...]:
        """`[dx:3,dy]` or `_{dx,dy}`; a group `(dx,dy)` among them counts as its indices."""
        flat: list[ast.Binder] = []
        for item in items:
            flat.extend(item if isinstance(item, tuple) else () if isinstance(item, Token) else (item,))
        return tuple(flat)

    binder_group = binders

    def binder(self, name: Token, _colon: Token | None, extent: ast.Expr | None) -> ast.Binder:
        """`dx` or `dx:3`."""
        return ast.Binder(_text(name), extent, _span(name).to(extent.span) if extent else _span(name))

    def number(self, token: Token) -> ast.Expr:
        """An int of any size; a float where there is a point or an exponent."""
        text = _text(token)
        value = float(text) if any(c in text for c in ".eE") else int(text)
        return ast.Number(value, _span(token))

    def name(self, token: Token) -> ast.Expr:
        """A bare name: what it means is asked later."""
        return ast.Name(_text(token), _span(token))

    def parens(self, start: Token, inner: ast.Expr, end: Token) -> ast.Expr:
        """What has parts takes its brackets into its place, so that `(x//2)%X` is quoted whole."""
        match inner:
            case ast.Unary() | ast.Binary() | ast.Comparison() | ast.Conditional() | ast.Reduction():
                return replace(inner, span=_span(start).to(_span(end)))
            case _:
                return inner

    def call(self, name: Token, *rest: Any) -> ast.Call:
        """`exp(x)`, `Conv(L0, Φ1, width 11)`: keywords stand behind the other arguments, wherever they were written."""
        given = tuple(item for item in rest if item is not None and not isinstance(item, Token))
        args = tuple(item for item in given if not isinstance(item, ast.Keyword))
        keywords = tuple(item for item in given if isinstance(item, ast.Keyword))
        return ast.Call(_text(name), args, _span(name).to(_span(rest[-1])), _span(name), keywords)

    def derivative(self, *items: Any) -> ast.Derivative:
        """`d(loss)/d(W[i,j])`. Raises E0101 where a derivative is taken with respect to anything but a tensor or an element."""
        of, wrt = (item for item in items if not isinstance(item, Token))
        if not isinstance(wrt, ast.Name | ast.Access):
            raise program_error("E0101", wrt.span, found="this", expected="a tensor, or an element of one")
        return ast.Derivative(of, wrt, _span(items[0]).to(_span(items[-1])))

    def keyword(self, name: Token, *rest: Any) -> ast.Keyword:
        """`width 11` or `width=11`."""
        return ast.Keyword(_text(name), rest[-1], _span(name).to(rest[-1].span))

    def joined(self, *items: Any) -> ast.Expr:
        """`A[b,J1] ; C[b,J2]`."""
        parts = tuple(item for item in items if not isinstance(item, Token))
        return ast.Joined(parts, items[0].span.to(items[-1].span))

    def pack(self, name: Token, dots: Token) -> ast.Pack:
        """`I...`."""
        return ast.Pack(_text(name), _span(name).to(_span(dots)))

    def table(self, *items: Any) -> ast.Expr:
        """`[64, 128, 256]`."""
        kept = tuple(item for item in items if item is not None and not isinstance(item, Token))
        return ast.Table(kept, _span(items[0]).to(_span(items[-1])))

    def access(self, name: Token, *rest: Any) -> ast.Expr:
        """`L0[b, s*x+dx else 0]`."""
        border = next((rest[i + 1] for i, t in enumerate(rest) if isinstance(t, Token) and t.kind == "ELSE"), None)
        items = tuple(item for item in rest if item is not None and not isinstance(item, Token))
        subscripts = items[:-1] if border is not None else items
        return ast.Access(_text(name), subscripts, border, _span(name).to(_span(rest[-1])), _span(name))

    def ranged(self, index: ast.Expr, _colon: Token, extent: ast.Expr) -> ast.Subscript:
        """`x:14` as a subscript."""
        return ast.Ranged(index, extent, index.span.to(extent.span))

    def group(self, *items: Any) -> ast.Subscript:
        """`(x,y,i)` as a subscript."""
        kept = tuple(item for item in items if not isinstance(item, Token))
        return ast.Group(kept, _span(items[0]).to(_span(items[-1])))


class _Axes:
    __slots__ = ("items", "span")

    def __init__(self, items: tuple[ast.Subscript, ...], span: Span) -> None:
        self.items = items
        self.span = span


class _Dtype:
    __slots__ = ("name", "span")

    def __init__(self, name: str, span: Span) -> None:
        self.name = name
        self.span = span


# `return` is a word of Python, so its rule's method is bound here.
setattr(Tree, "return", Tree.return_)


def _declared(rest: tuple[Any, ...]) -> tuple[_Axes | None, _Dtype | None, list[Any]]:
    axes = next((item for item in rest if isinstance(item, _Axes)), None)
    dtype = next((item for item in rest if isinstance(item, _Dtype)), None)
    others = [item for item in rest if item is not None and not isinstance(item, _Axes | _Dtype)]
    return axes, dtype, others


def _axes(axes: _Axes | None) -> tuple[ast.Subscript, ...]:
    return axes.items if axes else ()


def _dtype(dtype: _Dtype | None) -> str:
    return dtype.name if dtype else "float"


def _end(*items: Any) -> Span:
    last = next(item for item in reversed(items) if item is not None)
    return _span(last) if isinstance(last, Token) else last.span
