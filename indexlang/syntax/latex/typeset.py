"""Syntax tree → LaTeX, as the lecture sets its formulas. What is written reads back as the same tree."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import assert_never

from indexlang.syntax import ast
from indexlang.syntax.latex.spell import Names, escaped, word
from indexlang.syntax.levels import (
    ATOM,
    CHOICE,
    COMPARE,
    FOLD,
    LEVEL,
    MINUS,
    NOT,
    POWER,
    PRODUCT,
    RIGHT,
    SUM,
    VECTOR,
    ends_in_fold,
)
from indexlang.syntax.write import BARE, number

_SIGNS = {"and": "\\wedge", "or": "\\vee", "<=": "\\leq", ">=": "\\geq", "!=": "\\neq", "%": "\\bmod",
          "~": "\\sim", "<-": "\\leftarrow"}  # fmt: skip
_FOLDS = {"sum": "\\sum", "prod": "\\prod", "max": "\\max", "min": "\\min", "argmax": "\\arg\\max",
          "argmin": "\\arg\\min"}  # fmt: skip
_FUNCTIONS = {"max", "min", "log", "tanh", "sin", "cos", "exp"}
_TALL = re.compile(r"\\(?:frac|sum|prod|begin|left)")
_NUMBERED = re.compile(r"(.*?'*)([0-9]+)")
_SCRIPT = re.compile(r"_\{([^{}]*)\}")
_PART = re.compile(r"[^\W\d]\w*")
_LABEL = re.compile(r"_([^\W_])(?![^\W_])")
_UNSEEN = re.compile(r"\\(?:text|mathit|left|right|frac|begin|end)\b|[{}\s]")
_COMMAND = re.compile(r"\\[A-Za-z]+")
_LONG = 90  # signs; a longer equation begins a new row at its `=`


def typeset(module: ast.Module) -> str:
    """All statements, a row each, for a place where formulas are displayed."""
    setter = Typesetter(_names(module.statements))
    rows = [row for s in module.statements for row in setter.rows(s)]
    return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"


def _names(statements: Iterable[ast.Statement]) -> Names:
    nodes = [n for s in statements for n in ast.nodes(s)]
    names = {name for n in nodes if isinstance(name := getattr(n, "name", None), str)}
    fixed = {n.name for n in nodes if isinstance(n, ast.Equation) and n.subscripts is None}
    fixed |= {n.name for n in nodes if isinstance(n, ast.ConstantParam)}
    loops = {n.name for n in nodes if isinstance(n, ast.For)}
    indices = {name for n in nodes for name in _listed(n)}
    computing = {part for name in names for script in _SCRIPT.findall(name) for part in _PART.findall(script)}
    kept = {name for name in names if (m := _NUMBERED.fullmatch(name)) and f"{m[1]}_{m[2]}" in names} | {
        name for name in computing if _NUMBERED.fullmatch(name)
    }
    letters = names | computing | {c for name in names for label in _LABEL.findall(name) for c in label}
    ell = "l" if "l" in letters else "ℓ"
    return Names(frozenset(indices), frozenset(fixed | loops), frozenset(kept), frozenset(fixed), ell=ell)


def _listed(node: object) -> Iterator[str]:
    """Names that stand by themselves in a list: what LaTeX takes for indices."""
    match node:
        case ast.Binder(name=name):
            yield name
        case ast.Access(subscripts=items) | ast.Group(items=items) | ast.Call(args=items) | ast.Table(items=items):
            yield from (i.name for i in items if isinstance(i, ast.Name))
        case ast.Input(axes=items) | ast.Param(axes=items) | ast.State(axes=items) | ast.Declaration(axes=items):
            yield from (i.name for i in items if isinstance(i, ast.Name))
        case ast.Output(names=items) | ast.Quantifier(names=items) | ast.Def(params=items):
            yield from (i.name for i in items)
        case ast.Equation(subscripts=items) if items is not None:
            yield from (i.name for i in items if isinstance(i, ast.Name))
        case _:
            pass


@dataclass(frozen=True, slots=True)
class Typesetter:
    """Writes the parts of a text.

    equal  the sign of a comparison: in a condition `=` says it
    """

    names: Names
    equal: str = "=="

    # -- expressions

    def vector(self, e: ast.Expr) -> str:
        """Where `a ; b` may stand too: the right side of an equation. Never in brackets."""
        return self._at(e, VECTOR)

    def expr(self, e: ast.Expr) -> str:
        """Where one value stands: only `a ; b` is put in brackets."""
        return self._at(e, CHOICE)

    def _at(self, e: ast.Expr, place: int) -> str:
        text, level = self._text(e)
        return _bracketed(text) if level < place else text

    def _text(self, e: ast.Expr) -> tuple[str, int]:
        """The LaTeX of an expression, and how tightly it binds."""
        match e:
            case ast.Number():
                return number(e), ATOM
            case ast.Name(name=name):
                return self.names.spelled(name), ATOM
            case ast.Access():
                return self._access(e), ATOM
            case ast.Call():
                return self._call(e), ATOM
            case ast.Unary():
                return self._unary(e)
            case ast.Binary():
                return self._binary(e)
            case ast.Comparison(ops=ops, operands=operands):
                first, *others = (self._at(o, SUM) for o in operands)
                signs = (self.equal if s == "==" else _sign(s) for s in ops)
                return first + "".join(f" {s} {o}" for s, o in zip(signs, others, strict=True)), COMPARE
            case ast.Conditional():
                return self._cases(e), ATOM
            case ast.Reduction():
                return self._reduction(e), FOLD
            case ast.Derivative(of=of, wrt=wrt):
                return f"\\frac{{\\partial {self._at(of, ATOM)}}}{{\\partial {self.expr(wrt)}}}", ATOM
            case ast.Table(items=items):
                return f"[{', '.join(map(self.expr, items))}]", ATOM
            case ast.Joined(parts=parts):
                return " ;\\; ".join(map(self.expr, parts)), VECTOR
            case _:
                assert_never(e)

    def _unary(self, e: ast.Unary) -> tuple[str, int]:
        if e.op == "not":
            return f"\\neg {self._at(e.operand, NOT)}", NOT
        level = FOLD if ends_in_fold(e.operand) else MINUS
        return f"-{self._at(e.operand, level)}", level

    def _binary(self, e: ast.Binary) -> tuple[str, int]:
        if e.op == "/":
            return f"\\frac{{{self.vector(e.left)}}}{{{self.vector(e.right)}}}", ATOM
        if e.op == "^":
            base = self._at(e.left, ATOM)
            base = "{e}" if base == "e" else base
            return f"{base}^{{{self.vector(e.right)}}}", POWER
        level = LEVEL[e.op]
        if level == PRODUCT and ends_in_fold(e.right):
            return f"{self._at(e.left, PRODUCT)}{self._times(e)}{self._at(e.right, FOLD)}", FOLD
        left, right = self._at(e.left, level), self._at(e.right, RIGHT[level])
        if level == SUM and _ends_in_reduction(e.left):
            left = _bracketed(left)  # the sum ends here: readers like to see it
        return f"{left}{self._times(e)}{right}", level

    def _times(self, e: ast.Binary) -> str:
        """Two tensors, a fraction and a tensor, or two extents stand side by side."""
        if e.op == "*" and (
            (_may_stand_before(e.left) and _may_stand_behind(e.right))
            or (_ends_in_extent(e.left) and _is_extent(e.right))
        ):
            return " "
        return f" {_sign(e.op)} "

    def _asking(self) -> "Typesetter":
        return replace(self, equal="=")

    def _listing(self) -> "Typesetter":
        """In calls and subscripts `=` would be that of a keyword."""
        return replace(self, equal="==")

    def _cases(self, e: ast.Conditional) -> str:
        rows: list[str] = []
        self = self._asking()
        rest: ast.Expr = e
        while isinstance(rest, ast.Conditional):
            rows.append(f"{self.expr(rest.value)} & \\text{{for }} {self.expr(rest.condition)}")
            rest = rest.other
        rows.append(f"{self.expr(rest)} & \\text{{otherwise}}")
        return "\\begin{cases} " + " \\\\ ".join(rows) + " \\end{cases}"

    def _reduction(self, e: ast.Reduction) -> str:
        fold = _FOLDS.get(e.op, f"\\operatorname{{{e.op}}}")
        if e.binders is None:
            return f"{fold} {self._at(e.body, FOLD)}"
        return f"{fold}_{{{', '.join(map(self._binder, e.binders))}}} {self._at(e.body, FOLD)}"

    def _binder(self, b: ast.Binder) -> str:
        return self.names.spelled(b.name) + (f" : {self.expr(b.extent)}" if b.extent is not None else "")

    def _call(self, e: ast.Call) -> str:
        inside = self._listing()
        args = [*map(inside.expr, e.args), *map(inside._keyword, e.keywords)]
        if len(e.args) == 1 and not e.keywords:
            match e.name:
                case "sqrt":
                    return f"\\sqrt{{{args[0]}}}"
                case "floor":
                    return f"\\left\\lfloor {args[0]} \\right\\rfloor"
                case "abs":
                    return f"\\left| {args[0]} \\right|"
                case "exp" if not _TALL.search(args[0]):
                    return f"e^{{{args[0]}}}"
                case _:
                    pass
        return self._function(e.name) + _bracketed(", ".join(args))

    def _function(self, name: str) -> str:
        """The name of a function; a single letter that is an index too would be taken for a factor."""
        if name in _FUNCTIONS:
            return f"\\{name}"
        is_letter = len(name) == 1 and name.lower() != "e" and name not in self.names.indices
        return self.names.spelled(name) if is_letter or name == "sigmoid" else word(name)

    def _keyword(self, k: ast.Keyword) -> str:
        name = _spaced(k.name) if isinstance(k.value, BARE) else f"{word(k.name)} = "
        return name + self.expr(k.value)

    # -- subscripts

    def _access(self, e: ast.Access) -> str:
        border = f" \\text{{ else }} {self._listing().expr(e.border)}" if e.border is not None else ""
        return self.names.spelled(e.name) + self._list(e.subscripts, border)

    def _list(self, items: Iterable[ast.Subscript], border: str = "") -> str:
        inside = ", ".join(map(self._listing()._subscript, items)) + border
        return f"\\left[ {inside} \\right]" if _TALL.search(inside) else f"[{inside}]"

    def _subscript(self, s: ast.Subscript) -> str:
        match s:
            case ast.Ranged(index=index, extent=extent):
                return f"{self.expr(index)} : {self.expr(extent)}"
            case ast.Group(items=items):
                return _bracketed(", ".join(map(self._subscript, items)))
            case ast.Pack(name=name):
                return f"{self.names.spelled(name)}\\ldots"
            case ast.Binary(op="/", left=left, right=right):  # as in `J/G`
                return f"{self._at(left, PRODUCT)}/{self._at(right, RIGHT[PRODUCT])}"
            case _:
                return self.expr(s)

    # -- statements

    def rows(self, s: ast.Statement) -> list[str]:
        """A statement as rows; the signs of equations stand under each other."""
        match s:
            case ast.Input(default=default):
                said = f' \\text{{ from }} \\text{{"{escaped(default)}"}}' if default is not None else ""
                return [self._declared("input", s) + said]
            case ast.Param(drawn=drawn, value=value):
                start = f" \\sim {self._drawn(drawn)}" if drawn is not None else ""
                return [self._declared("param", s) + (f" = {self.expr(value)}" if value is not None else start)]
            case ast.State(value=value):
                return [f"{self._declared('state', s)} = {self.expr(value)}"]
            case ast.Declaration():
                return [self._declared("tensor", s)]
            case ast.Equation():
                return self._equation(s)
            case ast.Output(names=names):
                return [f"&\\text{{output }} {', '.join(self.names.spelled(n.name) for n in names)}"]
            case ast.Include(path=path):
                return [f'&\\text{{include }} \\text{{"{escaped(path)}"}}']
            case ast.Quantifier(names=names, equation=equation, ranges=ranges):
                written = {b.name: self._binder(b) for b in ranges}
                listed = ", ".join(written.get(n.name) or self.names.spelled(n.name) for n in names)
                first, *others = self._equation(equation) if equation else [""]
                if ranges:  # behind it, so that a number is no factor of what follows
                    *before, last = [first, *others]
                    return [*before, f"{last} \\quad \\text{{for }} {listed}"]
                return [f"\\text{{for }} {listed} \\quad {first}", *others]
            case ast.For(name=name, first=first, last=last, body=body):
                turns = f"{self.expr(first)}, \\ldots, {self.expr(last)}"
                inside = replace(self, names=replace(self.names, counters=self.names.counters | {name}))
                return [f"&\\text{{for }} {self.names.spelled(name)} = {turns}:", *inside._block(body)]
            case ast.If(condition=condition, then=then, other=other):
                rows = [f"&\\text{{if }} {self._asking().expr(condition)}:", *self._block(then)]
                return rows + (["&\\text{else}:", *self._block(other)] if other else [])
            case ast.Def():
                return self._def(s)
            case _:
                assert_never(s)

    def _block(self, body: Iterable[ast.Statement]) -> list[str]:
        return [f"&\\quad {row.replace('&', '', 1)}" for s in body for row in self.rows(s)]

    def _declared(self, kind: str, s: ast.Input | ast.Param | ast.State | ast.Declaration) -> str:
        axes = self._list(s.axes) if s.axes else ""
        dtype = f" : {word(s.dtype)}" if s.dtype != "float" else ""
        return f"&\\text{{{kind} }} {self.names.spelled(s.name)}{axes}{dtype}"

    def _drawn(self, e: ast.Name | ast.Call) -> str:
        args = _bracketed(", ".join(map(self.expr, e.args))) if isinstance(e, ast.Call) else ""
        return word(e.name) + args

    def _equation(self, s: ast.Equation) -> list[str]:
        left = self.names.spelled(s.name)
        if s.split is not None:
            left = self.vector(s.split)
        elif s.subscripts is not None:
            left += self._list(s.subscripts)
        right = self.vector(s.body)
        if s.sign == "=" and _signs(left) + _signs(right) > _LONG:
            return [f"&{left}", f"&\\quad = {right}"]
        return [f"{left} &{_sign(s.sign)} {right}"]

    def _def(self, d: ast.Def) -> list[str]:
        head = f"{self._function(d.name)}{_bracketed(', '.join(map(self._parameter, d.params)))}"
        if not d.body:
            return [f"{head} &= {self.vector(d.result)}"]
        result = f"&\\quad \\text{{return }} {self.vector(d.result)}"
        return [f"&\\text{{def }} {head}:", *self._block(d.body), result]

    def _parameter(self, p: ast.TensorParam | ast.PackageParam | ast.ConstantParam) -> str:
        match p:
            case ast.PackageParam(name=name):
                return self.names.spelled(name)
            case ast.TensorParam(name=name, axes=axes):
                return self.names.spelled(name) + self._list(axes)
            case ast.ConstantParam(keyword=keyword, name=name, default=default, is_open=is_open):
                start = " = ?" if is_open else f" = {self.expr(default)}" if default is not None else ""
                return f"{_spaced(keyword)}{self.names.spelled(name)}{start}"
            case _:
                assert_never(p)


def _spaced(name: str) -> str:
    """A word with a space behind it."""
    text = word(name)
    return text[:-1] + " } " if text.startswith("\\text") else f"{text}\\ "


def _signs(latex: str) -> int:
    """How many signs one sees, more or less."""
    return len(_COMMAND.sub("x", _UNSEEN.sub("", latex)))


def _sign(sign: str) -> str:
    return _SIGNS.get(sign, sign)


def _bracketed(text: str) -> str:
    return f"\\left( {text} \\right)" if _TALL.search(text) else f"({text})"


def _ends_in_reduction(e: ast.Expr) -> bool:
    """Whether what stands on the left of `+` or `-` is a sum: its end is shown with brackets."""
    match e:
        case ast.Reduction():
            return True
        case ast.Binary(op="*", right=right) | ast.Unary(op="-", operand=right):
            return _ends_in_reduction(right)
        case _:
            return False


def _is_extent(e: ast.Expr) -> bool:
    """Whether this is a single capital: products of those are written `B X Y`."""
    return isinstance(e, ast.Name) and len(e.name) == 1 and e.name.isupper()


def _ends_in_extent(e: ast.Expr) -> bool:
    return _is_extent(e.right if isinstance(e, ast.Binary) and e.op == "*" else e)


def _may_stand_before(e: ast.Expr) -> bool:
    """Whether a product with this on its left needs no sign."""
    match e:
        case ast.Access() | ast.Binary(op="/"):
            return True
        case ast.Binary(op="*", right=right):
            return _may_stand_before(right)
        case ast.Number():
            return True
        case _:
            return False


def _may_stand_behind(e: ast.Expr) -> bool:
    """Whether a product with this on its right needs no sign."""
    match e:
        case ast.Access() | ast.Reduction():
            return True
        case ast.Call(name=name):
            return name in ("sigmoid", "sqrt", "log", "tanh", "sin", "cos")
        case _:
            return False
