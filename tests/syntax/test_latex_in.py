"""LaTeX in: the lecture's formulas letter by letter, other ways to write, and what is said of bad LaTeX."""

from pathlib import Path

import numpy as np
import pytest
from commandline import indexlang
from lecture_formulas import FORMULAS, OTHERS, Formula, Other

import indexlang as il
from indexlang.syntax import ast
from indexlang.syntax.latex.parse import parse_latex
from indexlang.syntax.latex.scan import is_latex
from indexlang.syntax.parse import parse
from indexlang.text.source import Source


def read(text: str) -> tuple[ast.Module, list[il.Diagnostic]]:
    return parse_latex(Source("slide.tex", text))


def same(latex: str, text: str) -> None:
    """The LaTeX has the tree of the notation."""
    module, found = read(latex)
    assert not [d for d in found if d.severity.value == "error"], found
    wanted, wrong = parse(Source("text", text))
    assert not wrong
    assert module.statements == wanted.statements


# -- the lecture


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda f: f.slide)
def test_a_formula_of_the_lecture_is_read_as_it_stands(formula: Formula):
    same(formula.latex, formula.text)
    assert tuple(sorted({d.code for d in read(formula.latex)[1]})) == formula.said


def test_enough_of_the_lecture_is_read():
    assert len(FORMULAS) >= 40


@pytest.mark.parametrize("other", OTHERS, ids=lambda f: f.slide)
def test_what_is_no_equation_is_left_out(other: Other):
    module, found = read(other.latex)
    assert module.statements == ()
    assert other.code in [d.code for d in found]


# -- other ways to write


WAYS = (
    (r"C_{ik} = \sum_j A_{ij} B_{jk}", "C[i,k] = sum[j] A[i,j]*B[j,k]"),
    (r"C_{i,k} = \sum_{j} A_{i,j} B_{j,k}", "C[i,k] = sum[j] A[i,j]*B[j,k]"),
    (r"y_i = \sum_{jk} A_{ijk} x_{jk}", "y[i] = sum[j,k] A[i,j,k]*x[j,k]"),
    (r"\( C[i] = 2 A[i] \)", "C[i] = 2*A[i]"),
    (r"Let $C[i] = 2 A[i]$ and $D[i] = -C[i]$.", "C[i] = 2*A[i]\nD[i] = -C[i]"),
    (r"\[ C[i] = A[i]^2 \]", "C[i] = A[i]^2"),
    (r"\begin{align*} C[i] &= A[i]^{10}, \\ D[i] &= C[i]^2. \end{align*}", "C[i] = A[i]^10\nD[i] = C[i]^2"),
    ("\\alpha = 2\nC[i] = \\alpha\nA[i]", "α = 2\nC[i] = α*A[i]"),
    ("C[i] = A[i]\n    + \\beta[i]", "C[i] = A[i] + β[i]"),
    (r"C[i] = (A[i] + 1)(A[i] - 1)", "C[i] = (A[i] + 1)*(A[i] - 1)"),
    (r"C[x] = x(x+1) f(x)", "C[x] = x*(x + 1)*f(x)"),
    (r"C[i] = e^{-A[i]} + \exp(A[i]) + \log A[i] + \ln\left(2\right)", "C[i] = exp(-A[i]) + exp(A[i]) + log(A[i]) + log(2)"),
    (r"C[i] = \left| A[i] \right| + \lvert 2 \rvert", "C[i] = abs(A[i]) + abs(2)"),
    (r"C[i] = \tfrac12 A[i] + \dfrac{A[i]}{2}", "C[i] = 1/2*A[i] + A[i]/2"),
    (r"p[b,k] = \frac{e^{F[b,k]}}{\sum_{m} e^{F[b,m]}}", "p[b,k] = exp(F[b,k]) / sum[m] exp(F[b,m])"),
    (r"C[i] = \max(A[i], 0) + \min_{j} D[i,j]", "C[i] = max(A[i], 0) + min[j] D[i,j]"),
    (r"k[b] = \arg\max_{k} p[b,k] + \operatorname{argmin}_k q[b,k]", "k[b] = (argmax[k] p[b,k]) + argmin[k] q[b,k]"),
    (r"C[i] = \prod_{j=0}^{4} A[i,j]", "C[i] = prod[j:5] A[i,j]"),
    (r"N = 4 \\ C[i] = \sum_{j=0}^{N-1} A[i,j]", "N = 4\nC[i] = sum[j:N] A[i,j]"),
    (r"C[x] = A[\lfloor x/2 \rfloor, \left\lfloor \frac{x}{2} \right\rfloor]", "C[x] = A[floor(x/2),floor(x/2)]"),
    (r"C[i] = \begin{cases} 1, & i < 2 \wedge i \geq 1, \\ 2 & \text{if } i = 3 \\ 3 & \text{else} \end{cases}".replace("i = 3", "i == 3"),
     "C[i] = 1 if i < 2 and i >= 1 else 2 if i == 3 else 3"),
    (r"C[b,x] = A[b,x] \qquad \text{for all } b, x", "for b,x C[b,x] = A[b,x]"),
    (r"C[i] = A[i] \quad \text{the result}", "C[i] = A[i]"),
    (r"H[\text{label}[b]] += 1", "H[label[b]] += 1"),
    (r"\text{loss} = -\frac{1}{B} \sum_b \log p[b, y[b]]", "loss = -(1/B) * sum[b] log(p[b,y[b]])"),
    (r"loss = -\mathrm{mean}_{b} \log p[b, y[b]]", "loss = -(mean[b] log(p[b,y[b]]))"),
    (r"{C}'[i] = \boxed{A_{\text{in}}[i]}" .replace("{C}", "C"), "C'[i] = A_in[i]"),
    (r"\Phi_1^\prime[i] = \hat x[i] + \widetilde{L}_2[i]", "Φ'_1[i] = x̂[i] + L̃_2[i]"),
    (r"m[j] \leftarrow 0.9 m[j]", "m[j] <- 0.9*m[j]"),
    (r"Z[i] \sim \text{bernoulli}(0.5)", "Z[i] ~ bernoulli(0.5)"),
    ("%! input X[4, 3]\n%! param W[3] = 1\n$$y[i] = \\sum_j X[i,j] W[j]$$ % $$no[i] = 1$$",
     "input X[4, 3]\nparam W[3] = 1\ny[i] = sum[j] X[i,j]*W[j]"),
    (r"\ell = 3 \\ L_{\ell+1}[i] = 2 L_\ell[i]", "l = 3\nL_{l+1}[i] = 2*L_{l}[i]"),
    (r"f(x) = 2 x \\ C[i] = f(A[i])", "def f(x) = 2*x\nC[i] = f(A[i])"),
    (r"\sigma(x) = \frac{1}{1 + e^{-x}}", "def σ(x) = 1 / (1 + exp(-x))"),
    (r"\text{F}(L[X, I\ldots], \Phi, \text{width}\ w, \text{pad}\ p = 0, \text{features}\ J = ?) = \Phi.W[J] * 2",
     "def F(L[X,I...], Φ, width w, pad p = 0, features J = ?) = Φ.W[J]*2"),
    (r"""\begin{aligned}
     & \text{for } \ell = 1, \ldots, 3: \\
     & \qquad L_{\ell+1}[i] = 2 L_\ell[i] \\
     & \qquad \text{if } \ell = 2: \\
     & \qquad \quad D_\ell[i] = L_\ell[i] \\
     & \qquad \text{else}: \\
     & \qquad \quad D_\ell[i] = 0 \\
     C[i] &= L_4[i]
     \end{aligned}""",
     "for l in 1..3:\n  L_{l+1}[i] = 2*L_{l}[i]\n  if l == 2:\n    D_{l}[i] = L_{l}[i]\n  else:\n    D_{l}[i] = 0\nC[i] = L_4[i]"),
    (r"\begin{aligned} & \text{def } f(L[X]): \\ & \quad A[i] = 2 L[i] \\ & \quad \text{return } A ; L \end{aligned}",
     "def f(L[X]):\n  A[i] = 2*L[i]\n  return A ; L"),
    (r"\quad C[i] = A[i] \\ \qquad D[i] = A[i]", "C[i] = A[i]\nD[i] = A[i]"),
    (r"C[i] = A[i] \\ \qquad* D[i] = A[i]", "C[i] = A[i]\nD[i] = A[i]"),
    ("%! for l in 1..2:\n%!   A_{l} = l\n$$C[i] = A_2 X[i]$$", "for l in 1..2:\n  A_{l} = l\nC[i] = A_2*X[i]"),
    (r"k = 2 \\ L_{(k)}[i] = X_k[i]", "k = 2\nL_{k}[i] = X_k[i]"),
    (r"C[i] = \begin{cases} 1 & i = 0 \wedge (i = 1 \vee i = 2) \\ f(x = 1) & \text{otherwise} \end{cases}",
     "C[i] = 1 if i == 0 and (i == 1 or i == 2) else f(x=1)"),
    (r'\text{include } \text{"a\_b.idx"} \\ C[i] = X[i]', 'include "a_b.idx"\nC[i] = X[i]'),
    (r"C = \text{F}(A, \text{pad } 2 * k, \text{at}\ k + 1, \text{w} = \frac{k}{2}, \left| \text{G}(A, \text{b}\ 1) \right|)",
     "C = F(A, pad 2*k, at k+1, w=k/2, abs(G(A, b 1)))"),
    (r"A[i] = X[i] \qquad C[i] = 2 X[i]", "A[i] = X[i]\nC[i] = 2*X[i]"),
    (r"A[i] = s X[i], \quad \text{where } s = 2 \quad \text{and} \quad C[i] = \sum_{j=0}^{4} X[j]",
     "A[i] = s*X[i]\ns = 2\nC[i] = sum[j:5] X[j]"),
    (r"A[i] = \frac{1}{2} \quad \sum_{j=0}^{4} X[j]", "A[i] = 1/2 * sum[j:5] X[j]"),
    (r"L_{\ell-1}[i] = \color{red} L_{2\ell}[i]", "L_l_minus_1[i] = L_2l[i]"),
    ("C[i] = Σ_{j} A[i,j]·B[j] ≤ √2".replace("√2", r"\sqrt{2}"), "C[i] = (sum[j] A[i,j]*B[j]) <= sqrt(2)"),
)  # fmt: skip


@pytest.mark.parametrize(("latex", "text"), WAYS)
def test_ways_to_write(latex: str, text: str):
    same(latex, text)


@pytest.mark.parametrize(
    ("name", "text", "want"),
    [
        ("<text>", r"A[i] = \sum_j X[i,j]", True),
        ("<text>", "$A[i] = 2$", True),
        ("<text>", "A[i] = X[i]  # \\sum", False),
        ("<text>", "A[i] = X[i] \\ 2", False),
        ("a.tex", "A[i] = X[i]", True),
        ("a.idx", r"A[i] = \sum_j X[i,j]", False),
    ],
)
def test_when_a_text_is_latex(name: str, text: str, want: bool):
    assert is_latex(Source(name, text)) is want


def test_a_message_points_into_the_latex():
    text = "Some prose.\n\n$$Y[i] = \\sum_j W[i,j] \\tilde{X}_1[j, k]$$\n"
    (found,) = il.check(text)
    assert (found.code, found.line) == ("E0302", 3)
    assert found.span.text == "k"


def test_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("slide.tex").write_text("Given X[4, 3]\n\n$$y[i] = \\sum_j X[i,j]^2$$\n", encoding="utf-8")
    np.save("x.npy", np.arange(12.0).reshape(4, 3))
    assert il.check("slide.tex") == []
    assert indexlang("check", "slide.tex").exit == 0
    ended = indexlang("run", "slide.tex", "--input", "X=x.npy", "--json")
    assert ended.exit == 0, ended.err
    assert '"max": 302.0' in ended.out


# -- mistakes


@pytest.mark.parametrize(
    ("latex", "code", "marked"),
    [
        (r"A[i] = \sgima(X[i])", "E0120", r"\sgima"),
        (r"A[i] = X[i] \oplus 2", "E0120", r"\oplus"),
        (r"A[i] = \hat{x+1}[i]", "E0120", r"\hat"),
        (r"A[i] = \text{the size of } X[i]", "E0120", r"\text{the size of }"),
        (r"A[i] = \begin{pmatrix} 1 \end{pmatrix}", "E0120", r"\begin"),
        (r"A[i] = X[i] + \dots + Y[i]", "E0121", r"\dots"),
        (r"A[i] = \frac{X[i]}{2", "E0104", "{"),
        (r"A[i] = \left(X[i] + 1", "E0104", "("),
        (r"A[i] = \left(X[i] \right] + 1", "E0104", "]"),
        (r"A[i] = X[i]) + \sin(1)", "E0104", ")"),
        (r"A[i] = X[i]} + \sin(1)", "E0104", "}"),
        (r"A[i] = \begin{cases} 1 & i < 2 \\ 2 & i > 3 \end{cases}", "E0109", r"\end{cases}"),
        (r"A[i] = \begin{cases} 1 & i < 2", "E0104", r"\begin"),
        (r"A[i] = \sum_{j=1}^{3} X[i,j]", "E0123", "1"),
        (r"A[i] = \frac{1}", "E0102", ""),
        (r"&\text{for } l = 1, \ldots, 3: \\ A_\ell[i] = X[i]", "E0109", r"\text{for } l = 1, \ldots, 3:"),
        (r"&\text{for } l = 1, \ldots: \\ &\quad A_\ell[i] = X[i]", "E0101", ":"),
        (r"&\text{if } 1 < 2 \\ &\quad A[i] = X[i] + \sin 1", "E0102", " "),
        (r"\text{else}: \\ A[i] = X[i] + \sin 1", "E0109", r"\text{else}:"),
        (r"\text{return } X[i] + \sin 1", "E0109", r"\text{return } X[i] + \sin 1"),
        (r'\text{include } \text{"a.tex"}', "E0220", r'\text{include } \text{"a.tex"}'),
        (r"A[i] = | X[i] | \cdot 2", "E0103", "|"),
        (r"\sin(x)", "E0122", r"\ "[0]),
        (r"A[i] = X[i] + \cdot 2", "E0101", r"\cdot"),
        ("%! for l in 1..3:\n$$A[i] = X[i]$$", "E0109", "for l in 1..3:"),
        ("%! input X[3\n$$A[i] = X[i]$$", "E0104", "["),
    ],
)
def test_mistakes(latex: str, code: str, marked: str):
    found = [d for d in il.check(latex) if d.code == code]
    assert found, il.check(latex)
    assert found[0].span.text == marked


def test_one_bad_formula_costs_one_message():
    found = il.check("$$A[i] = \\foo X[i]$$\n$$C[i] = 2 A[i]$$\n$$D[i] = \\bar$$\n")
    assert [(d.code, d.line) for d in found] == [("E0120", 1), ("E0120", 3)]


def test_a_bad_row_costs_one_message():
    rows = (
        r"A[i] &= \foo X[i]",
        r"C[i] &= A[i]",
        r"&\text{for } l = \bar, \ldots, 3:",
        r"&\quad C_\ell[i] = C[i]",
        "D[i] &= C_2[i]",
    )
    found = il.check("\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}")
    assert [(d.code, d.line) for d in found] == [("E0120", 2), ("E0120", 4)]


def test_a_function_of_a_slide_is_used():
    net = il.compile(r"$$\text{Relu}(x) = \max(x, 0)$$ and $$Y[i] = \text{Relu}(X[i] - 1)$$")
    np.testing.assert_array_equal(net.interpret(X=np.array([0.0, 1, 2])), [0, 0, 1])
