"""`indexlang fmt`: what the layout is, that it is one, and that the program stays the same."""

from pathlib import Path

import pytest
from bad_programs import BAD
from cases import CASES
from generate import Program, programs
from hypothesis import given, settings
from hypothesis import strategies as st
from texts import modules

from indexlang.checking import folded
from indexlang.syntax.format import formatted
from indexlang.syntax.parse import parse
from indexlang.syntax.spelling import Style
from indexlang.text.diagnostics import ProgramError
from indexlang.text.source import Source

ROOT = Path(__file__).parents[2]
SHIPPED = sorted(p for folder in ("examples", "indexlang", "benchmarks") for p in (ROOT / folder).rglob("*.idx"))


def laid(text: str, style: Style = Style.AS_WRITTEN) -> str:
    return formatted(Source("<text>", text), style).text


# before, after: one row a habit
LAYOUT = (
    ("A[ i ]=X[i]+1", "A[i] = X[i] + 1"),
    ("input L0[B,32,32,3]:int", "input L0[B, 32, 32, 3] : int"),
    ('input L0[B , 3] : float from "a.png"', 'input L0[B, 3] from "a.png"'),
    ("param W[5,3]~normal(0,1)", "param W[5, 3] ~ normal(0, 1)"),
    ("state m[J]=0", "state m[J] = 0"),
    ("A[i] = sum (W[i,j]) * X[j] - B[i]", "A[i] = sum W[i,j] * X[j] - B[i]"),
    ("A[i] = sum[j] (X[i,j] - M[j])^2", "A[i] = sum[j] (X[i,j] - M[j])^2"),
    ("A[i] = (a*b)*(c*d)", "A[i] = a*b*(c*d)"),
    ("A[i] = (a-b)-(c-d)", "A[i] = a - b - (c - d)"),
    ("A[i] = (2^3)^2 + 2^(3^2) + (-x)^2 + -(x^2) + 2^(-1)", "A[i] = (2^3)^2 + 2^3^2 + (-x)^2 + -x^2 + 2^-1"),
    ("A[i] = 2*sum a[j]*sum b[k]", "A[i] = 2 * sum a[j] * sum b[k]"),
    ("A[i] = (sum a[j]) * 2 + (sum b[j])", "A[i] = (sum a[j]) * 2 + (sum b[j])"),
    ("A[i] = (-sum a[j])*2", "A[i] = (-sum a[j]) * 2"),
    ("A[i] = -(sum a[j])*2*(sum b[j])*3", "A[i] = -(sum a[j]) * 2 * (sum b[j]) * 3"),
    ("A[i] = (sqrt((sum a[j])))", "A[i] = sqrt(sum a[j])"),
    ("A[i] = -(a*b) - (-c)", "A[i] = -(a*b) - -c"),
    ("A[i] = (x if c else y) if d else (z if e else w)", "A[i] = (x if c else y) if d else z if e else w"),
    ("A[i] = 1 if not (a and (b or c)) else 0", "A[i] = 1 if not (a and (b or c)) else 0"),
    ("A[i] = 1 if (not a) == b else 0", "A[i] = 1 if (not a) == b else 0"),
    ("A[i] = 1 if 0<=i<(j+1) else 0", "A[i] = 1 if 0 <= i < j + 1 else 0"),
    ("A[b,x:3] = X[b, s*x + 1, x - 1 else edge]", "A[b,x:3] = X[b, s*x+1, x-1 else edge]"),
    ("A[(b,x),(dx:3,i)] = X[b,x+dx,i]", "A[(b,x),(dx:3,i)] = X[b,x+dx,i]"),
    ("A = X[]", "A = X[]"),
    ("A[i] = F(X, W, width=3, pad=p+1, at=-1)", "A[i] = F(X, W, width 3, pad=p+1, at=-1)"),
    ("A[b,J+K] = X[b,J];Y[b,K]", "A[b,J+K] = X[b,J] ; Y[b,K]"),
    ("A = F(X;Y, W, n 2)", "A = F(X ; Y, W, n 2)"),
    ("for l in 0..n - 1:\n A_{l}[i] = X[i]", "for l in 0..n-1:\n    A_{l}[i] = X[i]"),
    ("P[b,J];Q[b,K] = (X[b,J];Y[b,K])", "P[b,J] ; Q[b,K] = X[b,J] ; Y[b,K]"),
    ("def F(L[X,I...],Φ,width w,pad p=0,out J=?)=max(L,0)", "def F(L[X,I...], Φ, width w, pad p = 0, out J = ?) = max(L, 0)"),
    ("m[j]<-m[j]/2", "m[j] <- m[j] / 2"),
    ("a = .5*1E-3+2.", "a = 0.5*1e-3 + 2.0"),
    ("c = [1,\n  2,\n  3]", "c = [1, 2, 3]"),
    ("mean[j] = Mean X[i,j] - mean_{i} Y[i,j]", "mean[j] = Mean X[i,j] - Mean[i] Y[i,j]"),
    ("A[i] = L_{ l + 1 }[i] + L_{1}[i]", "A[i] = L_{l+1}[i] + L_1[i]"),
    ("for b,x A[b,x] = 1", "for b,x\nA[b,x] = 1"),
    # signs: the one that stands first stands everywhere
    ("A[i] = σ(X[i]) + sigmoid(Y[i]) × 2", "A[i] = σ(X[i]) + σ(Y[i]) × 2"),
    ("A[i] = sum_{j} X[i,j]·W[j] + Σ Y[i,k]", "A[i] = Σ_{j} X[i,j] · W[j] + Σ Y[i,k]"),
    ("A[i] = √X[i] + √(X[i]+1)^2", "A[i] = √X[i] + √((X[i] + 1)^2)"),
    # derivatives, and what only looks like one
    ("W[i] <- W[i]-η*d( loss ) / d(W[ i ])", "W[i] <- W[i] - η * d(loss)/d(W[i])"),
    ("H[i,j]=d(d(e)/d(x[i]))/d(x[j])", "H[i,j] = d(d(e)/d(x[i]))/d(x[j])"),
    ("A = (d(x)/d(y))^2 + d(x)/d(y)/d(z)", "A = d(x)/d(y)^2 + d(x)/d(y) / d(z)"),
    ("A = (d(x))/(d(y)) + 2*d(x)/(d(y)^2) + d(x)/(d*y)", "A = d(x) / (d(y)) + 2 * d(x) / (d(y)^2) + d(x) / (d*y)"),
    # as the slide has it: no sign in a product, indices below a sum, brackets around it
    ("A[i] = W[i,j]X[j]+2 Y[i]^2", "A[i] = W[i,j] X[j] + 2 Y[i]^2"),
    ("A[i] = (W[i,j]) X[j] + (c)X[i]", "A[i] = W[i,j] * X[j] + c * X[i]"),
    ("A[i] = F((c W[i]), (c sum W))", "A[i] = F(c * W[i], c sum W)"),
    ("A[i] = ( Σ_{ j , k } W[i,j,k] )-B[i]", "A[i] = (Σ_{j,k} W[i,j,k]) - B[i]"),
    ("A[i] = 1/N Σ_{j:3} W[i,j]", "A[i] = 1/N Σ_{j:3} W[i,j]"),
    ("A = 2 * (sum a[j] * (sum b[k]))", "A = 2 * (sum a[j] * (sum b[k]))"),
    ("A = Σ_{( j,k )}W[(j,k)] + sum[ i ,(j,k)] W[i,(j,k)]", "A = Σ_{(j,k)} W[(j,k)] + Σ[i,j,k] W[i,(j,k)]"),
    # comments and blank lines
    ("\n\n#a\n\n\n\nA[i]=X[i]#b  \n#c\n", "#a\n\nA[i] = X[i]  #b\n#c"),
    ("s = 1 # a\nlong = 2 # b", "s = 1     # a\nlong = 2  # b"),
    ("c = [1, # a\n 2] # b", "# a\nc = [1, 2]  # b"),
    ("for l in 1..3:\n  # a\n  A_{l}[i]=X[i] # b\n  # c\n# d\ns=1",
     "for l in 1..3:\n    # a\n    A_{l}[i] = X[i]  # b\n    # c\n# d\ns = 1"),
    ("if a==1: # why\n s=1\nelse: # not\n s=2", "if a == 1:  # why\n    s = 1\nelse:  # not\n    s = 2"),
    ("def F(L[X]):\n  K=X\n\n  return L[X] ; L[X]", "def F(L[X]):\n    K = X\n\n    return L[X] ; L[X]"),
)  # fmt: skip


@pytest.mark.parametrize(("before", "after"), LAYOUT)
def test_layout(before: str, after: str):
    assert laid(before) == after + "\n"


# words, signs
SPELLINGS = (
    ("A[i] = sigmoid(sum W[i,j] * X[j])", "A[i] = σ(Σ W[i,j] · X[j])"),
    ("A[i] = sqrt(X[i]) + floor(i/2) * inf", "A[i] = √X[i] + ⌊i/2⌋ · ∞"),
    ("A[i] = 1 if not a and b <= c or d != e else 0", "A[i] = 1 if ¬a ∧ b ≤ c ∨ d ≠ e else 0"),
    ("A[i] = 1 if not (a == b) else 0", "A[i] = 1 if ¬(a == b) else 0"),
    ("Phi1[x] = sum W[dx] * alpha[x+dx]", "Φ1[x] = Σ W[Δx] · α[x+Δx]"),
    ("mu_hat[j] = x_tilde[j] + beta", "μ̂[j] = x̃[j] + β"),
    ("m[j] <- 2", "m[j] ← 2"),
    ("def F(L[I...]) = prod L[I]", "def F(L[I…]) = ∏ L[I]"),
)


@pytest.mark.parametrize(("plain", "signs"), SPELLINGS)
def test_spellings(plain: str, signs: str):
    assert laid(plain, Style.UNICODE) == signs + "\n"
    assert laid(signs, Style.ASCII) == plain.replace("not (a == b)", "not a == b") + "\n"


@pytest.mark.parametrize(
    ("text", "style", "word"),
    [
        ("A[x] = W[dx] * X[x+Δx]", Style.ASCII, "`Δx` stays: `dx`"),
        ("Φ1[i] = Phi1[i]", Style.ASCII, "`Φ1` stays: `Phi1`"),
        ("A[δ] = X[δ] * delta", Style.UNICODE, "`delta` stays: `δ`"),
        ("A[β] = X[β] * BETA", Style.ASCII, "`β` stays: `BETA`"),
        ('include "a.idx"\nΦ1[i] = X[i]', Style.ASCII, "included"),
    ],
)
def test_a_name_that_would_collide_stays(text: str, style: Style, word: str):
    found = formatted(Source("<text>", text), style)
    assert any(word in reason for reason in found.kept), found
    assert found.text.replace("·", "*") == laid(text)


def test_letters_without_a_twin_stay():
    assert laid("é[i] = Ж[i]", Style.ASCII) == "é[i] = Ж[i]\n"


def test_long_statements_are_wrapped():
    text = "Long[b,x,y,j] = relu(" + " + ".join(f"Weights{n}[b,x,y,j]*Image{n}[b,x,y,j]" for n in range(10)) + ")"
    lines = laid(text).splitlines()
    assert len(lines) > 2
    assert all(len(line) <= 120 for line in lines)
    assert all(line.startswith("    ") for line in lines[1:])
    assert same(text, "\n".join(lines))


def test_the_head_of_a_block_runs_on_deeper_than_the_block():
    text = f"def F({', '.join(f'width_{n} w_{n} = {n}' for n in range(10))}):\n    A = w_0\n    return A"
    first, second, *rest = laid(text).splitlines()
    assert (first[:6], second[:9]) == ("def F(", " " * 8 + "w")
    assert rest == ["    A = w_0", "    return A"]


def test_a_text_with_mistakes_is_refused():
    with pytest.raises(ProgramError, match="E0101"):
        laid("A[i] = X[i]\nC[i] = + * 2")


def test_latex_is_refused():
    with pytest.raises(ProgramError, match="E0124"):
        laid(r"A[i] = \sum_j X[i,j]")


# -- laws


def same(text: str, other: str) -> bool:
    (one, wrong), (two, also) = parse(Source("a", text)), parse(Source("b", other))
    assert not wrong
    assert not also
    return one == two


def laws(text: str) -> None:
    """The tree stays, a second time changes nothing, and ASCII → signs → ASCII comes back."""
    once = laid(text)
    assert same(text, once)
    assert laid(once) == once
    plain = laid(text, Style.ASCII)
    signs = laid(text, Style.UNICODE)
    assert laid(plain, Style.ASCII) == plain
    assert laid(signs, Style.UNICODE) == signs
    assert laid(laid(plain, Style.UNICODE), Style.ASCII) == plain


TEXTS = [case.text for case in CASES] + [
    b.text for b in BAD if isinstance(b.text, str) and not parse(Source("", folded(b.text)))[1]
]


@pytest.mark.parametrize("text", dict.fromkeys(TEXTS))
def test_laws_hold_for_the_tables(text: str):
    laws(folded(text))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: str(p.relative_to(ROOT)))
def test_laws_hold_for_examples(path: Path):
    laws(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: str(p.relative_to(ROOT)))
def test_shipped_programs_are_laid_out(path: Path):
    text = path.read_text(encoding="utf-8")
    assert laid(text) == text


@settings(max_examples=200)
@given(programs())
def test_laws_hold_for_programs(program: Program):
    laws(program.text)


@settings(max_examples=300)
@given(modules())
def test_laws_hold_for_all_of_the_syntax(text: str):
    laws(text)


@settings(max_examples=200)
@given(st.text("AiX[]=+-*(sum, );:#\n12∑σ'_{}", max_size=40))
def test_any_text_is_laid_out_or_refused(text: str):
    if not parse(Source("", text))[1]:
        laws(text)
