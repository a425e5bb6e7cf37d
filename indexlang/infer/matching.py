"""Which form of a function a call means, and what stands for each of its parameters."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from indexlang.ir.build import Number
from indexlang.syntax import ast
from indexlang.text.diagnostics import Diagnostic, ProgramError, diagnostic, program_error
from indexlang.text.names import did_you_mean, plural
from indexlang.text.source import Span


@dataclass(frozen=True, slots=True)
class TensorGiven:
    """A tensor as an argument. `letters` are indices of the caller's equation that its first axes belong to."""

    name: str
    rank: int
    span: Span
    letters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NumberGiven:
    """A constant as an argument."""

    value: Number
    span: Span


@dataclass(frozen=True, slots=True)
class NameGiven:
    """A name that means nothing yet: a package. `extents` are those in its brackets, for its first parameter."""

    name: str
    span: Span
    extents: tuple[ast.Subscript, ...] | None = None
    hint: Callable[[str], str] = lambda name: "define it"


Given = TensorGiven | NumberGiven | NameGiven


@dataclass(frozen=True)
class Binding:
    """A call matched with a form. `packages` are those given, by their names in the head."""

    form: ast.Def
    tensors: dict[str, TensorGiven | NumberGiven] = field(default_factory=dict[str, TensorGiven | NumberGiven])
    packages: dict[str, NameGiven] = field(default_factory=dict[str, NameGiven])
    constants: dict[str, NumberGiven] = field(default_factory=dict[str, NumberGiven])

    @property
    def mapped(self) -> int:
        """How many axes of arguments the form does not name."""
        out = 0
        for p in tensor_params(self.form):
            given = self.tensors[p.name]
            if isinstance(given, TensorGiven) and pack_axis(p) is None:
                out += given.rank - len(p.axes)
        return out


def tensor_params(form: ast.Def) -> tuple[ast.TensorParam, ...]:
    """The tensors that a function takes, those without axes included."""
    return tuple(p for p in form.params if isinstance(p, ast.TensorParam))


def package_params(form: ast.Def) -> tuple[str, ...]:
    """The packages that a function takes. Parameters of its own body belong to the first."""
    return tuple(p.name for p in form.params if isinstance(p, ast.PackageParam))


def pack_axis(p: ast.TensorParam) -> int | None:
    """The place of `I...` in a parameter's head."""
    return next((n for n, a in enumerate(p.axes) if isinstance(a, ast.Pack)), None)


def header(form: ast.Def) -> str:
    """`Conv(L[X,Y,I], Φ, width w, …)`: what must be given in a call, or may be found; `…` for the rest."""
    needed = [p for p in form.params if not isinstance(p, ast.ConstantParam) or p.is_open or p.default is None]
    shown = [p.span.text for p in needed] + (["…"] if len(needed) < len(form.params) else [])
    return f"{form.name}({', '.join(shown)})"


def match(
    call: ast.Call, forms: tuple[ast.Def, ...], given: tuple[Given, ...], keywords: Mapping[str, NumberGiven]
) -> Binding:
    """The form that fits with the fewest mapped axes.

    Raises E0205, E0211, E0212, E0213, E0201 where none or two fit.
    """
    fitting: list[Binding] = []
    reasons: list[Diagnostic] = []
    for form in forms:
        found = _matched(call, form, given, keywords)
        if isinstance(found, Binding):
            fitting.append(found)
        else:
            reasons.append(found)
    if not fitting:
        raise _none_fits(call, forms, [_hinted(r, given) for r in reasons])
    least = min(b.mapped for b in fitting)
    best = [b for b in fitting if b.mapped == least]
    if len(best) > 1:
        raise program_error(
            "E0211",
            call.span,
            name=call.name,
            message="two forms fit",
            because=[(header(b.form), b.form.name_span) for b in best],
        )
    return best[0]


def _matched(
    call: ast.Call, form: ast.Def, given: tuple[Given, ...], keywords: Mapping[str, NumberGiven]
) -> Binding | Diagnostic:
    tensors: dict[str, TensorGiven | NumberGiven] = {}
    constants: dict[str, NumberGiven] = {}
    packages: dict[str, NameGiven] = {}
    waiting = _packages_in_place(form, given)
    for p in form.params:
        first = waiting[0] if waiting else None
        match p:
            case ast.TensorParam():
                if first is None:
                    return _count(call, form, given)
                trouble = _unfit(p, first, call)
                if trouble is not None:
                    return trouble
                assert not isinstance(first, NameGiven)
                tensors[p.name] = first
                waiting.pop(0)
            case ast.PackageParam():
                if isinstance(first, NameGiven):
                    packages[p.name] = first
                    waiting.pop(0)
            case ast.ConstantParam():
                if isinstance(first, NumberGiven):
                    constants[p.name] = first
                    waiting.pop(0)
    if waiting:
        extra = waiting[0]
        return _unknown(extra) if isinstance(extra, NameGiven) else _count(call, form, given)
    trouble = _take_keywords(call, form, keywords, constants)
    return trouble if trouble is not None else Binding(form, tensors, packages, constants)


def _packages_in_place(form: ast.Def, given: tuple[Given, ...]) -> list[Given]:
    """The arguments with packages where the head has them: `Conv(Φ, L)` means `Conv(L, Φ)`."""
    places = [n for n, p in enumerate(form.params) if isinstance(p, ast.PackageParam)]
    names = [g for g in given if isinstance(g, NameGiven)]
    if not names or len(names) > len(places) or len(given) <= places[0]:
        return list(given)
    out: list[Given] = [g for g in given if not isinstance(g, NameGiven)]
    for at, name in zip(places, names, strict=False):
        out.insert(at, name)
    return out


def _unfit(p: ast.TensorParam, given: Given, call: ast.Call) -> Diagnostic | None:
    """Why an argument cannot stand for a tensor."""
    least = len(p.axes)
    match given:
        case NameGiven():
            return _unknown(given)
        case NumberGiven(span=span):
            if least == 0:
                return None
            return diagnostic("E0205", span, name=call.name, wanted=f"a tensor for `{p.span.text}`", given="a number",
                              advice="give a tensor", because=[(f"the head asks for `{p.span.text}`", p.span)])  # fmt: skip
        case TensorGiven(rank=rank, letters=letters, span=span):
            if rank - len(letters) >= least:
                return None
            have = plural(rank - len(letters), "axis").replace("axiss", "axes")
            return diagnostic("E0205", span, name=call.name, wanted=f"at least {least} axes for `{p.span.text}`", given=have,
                              advice="give a tensor with these axes", because=[(f"the head asks for `{p.span.text}`", p.span)])  # fmt: skip


def _unknown(given: NameGiven) -> Diagnostic:
    return diagnostic("E0201", given.span, name=given.name, advice="")


def _hinted(reason: Diagnostic, given: tuple[Given, ...]) -> Diagnostic:
    """A reason that is told: only now is a name looked for that is like an unknown one."""
    name = next((g for g in given if isinstance(g, NameGiven) and g.span == reason.span), None)
    return replace(reason, hint=name.hint(name.name)) if reason.code == "E0201" and name is not None else reason


def _count(call: ast.Call, form: ast.Def, given: tuple[Given, ...]) -> Diagnostic:
    wanted = plural(len(tensor_params(form)), "tensor")
    return diagnostic(
        "E0205",
        call.span,
        name=call.name,
        wanted=wanted + (" and perhaps a package" if package_params(form) else ""),
        given=plural(len(given), "argument"),
        advice=f"write `{header(form)}`",
        because=[(f"`{form.name}` is defined here", form.name_span)],
    )


def _take_keywords(
    call: ast.Call, form: ast.Def, keywords: Mapping[str, NumberGiven], into: dict[str, NumberGiven]
) -> Diagnostic | None:
    params = [p for p in form.params if isinstance(p, ast.ConstantParam)]
    for keyword in call.keywords:
        p = next((p for p in params if keyword.name in (p.keyword, p.name)), None)
        place = Span(keyword.span.source, keyword.span.start, keyword.span.start + len(keyword.name))
        if p is None:
            return _unknown_keyword(call, keyword.name, place, [p.keyword for p in params])
        if p.name in into:
            return diagnostic(
                "E0212",
                place,
                name=call.name,
                keyword=keyword.name,
                problem="is given twice",
                advice="drop one of the two",
            )
        into[p.name] = keywords[keyword.name]
    missing = next((p for p in params if p.default is None and not p.is_open and p.name not in into), None)
    if missing is not None:
        return diagnostic(
            "E0213",
            call.span,
            name=call.name,
            keyword=missing.keyword,
            because=[(f"`{missing.span.text}` has no default", missing.span)],
        )
    return None


def _unknown_keyword(call: ast.Call, keyword: str, place: Span, known: Iterable[str]) -> Diagnostic:
    names = list(known)
    advice = did_you_mean(keyword, names, f"it takes {', '.join(names) or 'none'}")
    return diagnostic("E0212", place, name=call.name, keyword=keyword, problem="is not known", advice=advice)


def _none_fits(call: ast.Call, forms: tuple[ast.Def, ...], reasons: list[Diagnostic]) -> ProgramError:
    if len({(r.code, r.span.start, r.message) for r in reasons}) == 1:
        return ProgramError([reasons[0]])
    late = [r for r in reasons if r.code in ("E0212", "E0213")]  # these forms fit but for a keyword
    if len(late) == 1:
        return ProgramError(late)
    because = [(f"{header(f)}: {r.message}", f.name_span) for f, r in zip(forms, reasons, strict=True)]
    return program_error("E0211", call.span, name=call.name, message="no form fits", because=because)
