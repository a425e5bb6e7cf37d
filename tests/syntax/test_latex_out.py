"""LaTeX out: how formulas are set, and that what is set reads back as the same tree."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cases import CASES
from commandline import indexlang
from generate import Program, programs
from hypothesis import given, settings
from lecture_formulas import FORMULAS, Formula
from pictures import draw, rows
from texts import modules

import indexlang as il
from indexlang.checking import folded
from indexlang.syntax import ast
from indexlang.syntax.latex.parse import parse_latex
from indexlang.syntax.latex.typeset import typeset
from indexlang.syntax.parse import parse
from indexlang.syntax.rewrite import rewritten
from indexlang.text.source import Source

ROOT = Path(__file__).parents[2]


def tree(text: str) -> ast.Module:
    module, found = parse(Source("text", text))
    assert not found, found
    return module


def set_(text: str) -> str:
    """The rows of a text, without what stands around them."""
    lines = typeset(tree(text)).splitlines()[1:-1]
    return "\n".join(line.removesuffix(r" \\") for line in lines)


LAYOUT = (
    ("L1[b,x] = 2", r"L_1[b, x] &= 2"),
    ("s = 4", r"s &= 4"),
    ("for l in 1..3:\n    L_{l+1}[i] = L_{l}[i]",
     "&\\text{for } \\ell = 1, \\ldots, 3:\n&\\quad L_{\\ell+1}[i] = L_\\ell[i]"),
    ("for k in 1..2:\n    L_{k,0} = relu(L_{k-1,1})\noutput L_{2,0}",
     "&\\text{for } k = 1, \\ldots, 2:\n&\\quad L_{(k,0)} = \\text{relu}(L_{(k-1,1)})\n&\\text{output } L_{(2,0)}"),
    ("k = 2\nL_{k+1}[i] = L_{k}[i]", "k &= 2\nL_{k+1}[i] &= L_{(k)}[i]"),
    ("L = Conv(M, Φ.down.conv_2)", r"L &= \text{Conv}(M, \Phi.\text{down}.\text{conv}_2)"),
    ("L_l_plus_1[i] = L_l[i]", r"L_{\ell+1}[i] &= L_\ell[i]"),
    ("A[i] = σ(sum[Δx,i'] W[Δx,i'] * L̃'_1[x+Δx] - B[j])",
     r"A[i] &= \sigma\left( \left( \sum_{\Delta x, i'} W[\Delta x, i'] \tilde{L}'_1[x + \Delta x] \right) - B[j] \right)"),
    ("μ̂[j] = 1/(B*X*Y) * sum[b,x,y] x[b,x,y,j]", r"\hat{\mu}[j] &= \frac{1}{B X Y} \sum_{b, x, y} x[b, x, y, j]"),
    ("ŷ[j] = sqrt(x[j]^2) + abs(x[j]) - exp(-x[j])", r"\hat{y}[j] &= \sqrt{x[j]^{2}} + \left| x[j] \right| - e^{-x[j]}"),
    ("A[i] = max[dx:3] L[s*x+dx]", r"A[i] &= \max_{\mathit{dx} : 3} L[s * x + \mathit{dx}]"),
    ("k[b] = argmax[k] p[b,k]", r"k[b] &= \arg\max_{k} p[b, k]"),
    ("A[i] = mean[j] X[i,j]", r"A[i] &= \operatorname{mean}_{j} X[i, j]"),
    ("A[x] = L[⌊x*X1/X0⌋]", r"A[x] &= L\left[ \left\lfloor \frac{x * X_1}{X_0} \right\rfloor \right]"),
    ("A[j] = L[j] if j < J_l else 0",
     r"A[j] &= \begin{cases} L[j] & \text{for } j < J_\ell \\ 0 & \text{otherwise} \end{cases}"),
    ("A[x:3] = L[x-1 else edge]", r"A[x : 3] &= L[x - 1 \text{ else } \text{edge}]"),
    ("for x:14, dx:3\nU[2*x+dx] += P[x,dx]",
     r"U[2 * x + \mathit{dx}] &+= P[x, \mathit{dx}] \quad \text{for } x : 14, \mathit{dx} : 3"),
    ("F[b,(x,y)] = L[b,x,y]", r"F[b, (x, y)] &= L[b, x, y]"),
    ("A[b,J1+J2] = L[b,J1] ; R[b,J2]", r"A[b, J_1 + J_2] &= L[b, J_1] ;\; R[b, J_2]"),
    ("A = ReLU(Conv(Input, Φ1, width 11, pad=p+1))",
     r"A &= \text{ReLU}(\text{Conv}(\text{Input}, \Phi_1, \text{width } 11, \text{pad} = p + 1))"),
    ("for b,x\nA[b,x] = 1", r"\text{for } b, x \quad A[b, x] &= 1"),
    ('input X[B,3] : int from "a.png"', r'&\text{input } X[B, 3] : \text{int} \text{ from } \text{"a.png"}'),
    ("param W[3] ~ normal(0, 1)", r"&\text{param } W[3] \sim \text{normal}(0, 1)"),
    ("H[label[b]] += 1\nm[j] <- 2", "H[\\text{label}[b]] &+= 1\nm[j] &\\leftarrow 2"),
    ("A[i] = 1 if a and not b <= c else 0",
     r"A[i] &= \begin{cases} 1 & \text{for } a \wedge \neg b \leq c \\ 0 & \text{otherwise} \end{cases}"),
    ("A[i] = (a - b)*(c + d)", r"A[i] &= (a - b) * (c + d)"),
    ("W[i] <- W[i] - η*d(loss)/d(W[i])",
     r"W[i] &\leftarrow W[i] - \eta * \frac{\partial \text{loss}}{\partial W[i]}"),
    ("g = d(a + b)/d(c)", r"g &= \frac{\partial (a + b)}{\partial c}"),
    ("c = [1, 2.5]", r"c &= [1, 2.5]"),
    ("A[b,J] = X[b,J/G] + error_2 + error_mean",
     r"A[b, J] &= X[b, J/G] + \text{error}_2 + \text{error}_{\text{mean}}"),
    ("for g in 1..2:\n    Group_{g} = 2", "&\\text{for } g = 1, \\ldots, 2:\n&\\quad \\text{Group}_g = 2"),
    ("output A, loss", r"&\text{output } A, \text{loss}"),
    ("def F(L[X], Φ, width w = 3) = max(L, 0)", r"F(L[X], \Phi, \text{width } w = 3) &= \max(L, 0)"),
)  # fmt: skip


@pytest.mark.parametrize(("text", "latex"), LAYOUT)
def test_layout(text: str, latex: str):
    assert set_(text) == latex


def test_a_long_equation_begins_a_new_row_at_its_sign():
    lines = set_("Long[b,x,y,j] = " + " + ".join(f"Weights{n}[b,x,y,j]" for n in range(8))).split("\n")
    assert lines[0] == r"&\text{Long}[b, x, y, j]"
    assert lines[1].startswith(r"&\quad = \text{Weights0}")


# -- there and back


def as_latex_says_it(module: ast.Module) -> ast.Module:
    """`L1` and `L_1` are set alike: names with the number as a subscript; and so are `l` and `ℓ`."""
    nodes = [n for s in module.statements for n in ast.nodes(s)]
    names = {name for n in nodes if isinstance(name := getattr(n, "name", None), str)}
    computing = {part for name in names for script in re.findall(r"_\{(.*?)\}", name) for part in _PART.findall(script)}
    has_l = "l" in {c for name in names for c in re.findall(r"(?<![^\W_])l(?![^\W_'])|_(?=.*l)", name)} | computing

    def underlined(name: str) -> str:
        match = re.fullmatch(r"((?:Δ[a-z]|[^\W\d_])[\u0300-\u036f]?'*)([0-9]+)", name)
        if match is None or f"{match[1]}_{match[2]}" in names or name in computing:
            return name
        return f"{match[1]}_{match[2]}"

    def rule(node: Any) -> Any:
        name = getattr(node, "name", None)
        if not isinstance(name, str):
            return node
        new = name if has_l else re.sub(r"(?<![^\W_])ℓ(?![^\W_])", "l", name)
        new = ".".join(underlined(part) for part in new.split("."))
        return node if new == name else replace(node, name=new)

    return rewritten(module, rule)


_PART = re.compile(r"[^\W\d]\w*")


def comes_back(module: ast.Module) -> None:
    latex = typeset(module)
    again, found = parse_latex(Source("out.tex", latex))
    assert not found, (latex, found)
    wanted = as_latex_says_it(module).statements
    for one, two in zip(again.statements, wanted, strict=True):
        assert one == two, latex


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda f: f.slide)
def test_lecture_formulas_come_back(formula: Formula):
    comes_back(parse_latex(Source("slide.tex", formula.latex))[0])


@pytest.mark.parametrize("text", [text for text, _ in LAYOUT])
def test_layouts_come_back(text: str):
    comes_back(tree(text))


@pytest.mark.parametrize("text", dict.fromkeys(folded(case.text) for case in CASES))
def test_tables_come_back(text: str):
    comes_back(tree(text))


EXAMPLES = sorted(ROOT.glob("examples/**/*.idx"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.name)
def test_examples_come_back(path: Path):
    comes_back(tree(path.read_text(encoding="utf-8")))


def test_the_prelude_comes_back():
    comes_back(tree((ROOT / "indexlang" / "prelude.idx").read_text(encoding="utf-8")))


@settings(max_examples=200)
@given(programs())
def test_programs_come_back(program: Program):
    comes_back(tree(program.text))


@settings(max_examples=300)
@given(modules())
def test_all_of_the_syntax_comes_back(text: str):
    comes_back(tree(text))


# -- where it is used


def test_a_program_has_latex():
    net = il.compile("Y[i] = sum[j] W[i,j]*X[j]\nZ = 2*Y[0]")
    assert net.latex("Y") == "\\begin{aligned}\nY[i] &= \\sum_{j} W[i, j] X[j]\n\\end{aligned}"
    assert net._repr_latex_() == f"$${net.latex()}$$"
    with pytest.raises(il.DataError, match="did you mean `Y`"):
        net.latex("y")


def test_the_latex_of_a_program_runs_the_same():
    net = il.compile("Y[x,j] = relu(sum W[dx,i,j]*X[2*x+dx,i]) - B[j]")
    assert str(il.compile(net.latex())) == str(net)


def test_show_latex(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("a.idx").write_text("Y[i] = 2*X[i]\nZ[i] = Y[i]^2\n", encoding="utf-8")
    ended = indexlang("show", "a.idx", "--latex", "--equation", "Z")
    assert (ended.exit, ended.out) == (0, "\\begin{aligned}\nZ[i] &= Y[i]^{2}\n\\end{aligned}\n")
    assert indexlang("show", "a.idx", "--latex", "--summary").exit == 2


def drawn(module: ast.Module) -> None:
    """A second program that knows TeX sets every row."""
    mathtext = pytest.importorskip("matplotlib.mathtext")
    parser = mathtext.MathTextParser("path")
    for row in rows(typeset(module)):
        parser.parse(f"${row}$")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.name)
def test_examples_can_be_drawn(path: Path):
    drawn(tree(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda f: f.slide)
def test_lecture_formulas_can_be_drawn(formula: Formula):
    drawn(parse_latex(Source("slide.tex", formula.latex))[0])


def test_a_picture(tmp_path: Path):
    pytest.importorskip("matplotlib")
    draw(typeset(tree(EXAMPLES[1].read_text(encoding="utf-8"))), tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 1000
