"""The lecture's formulas, as they stand in LaTeX, compute what numpy computes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lecture_formulas import FORMULAS, Formula

import indexlang as il

LECTURE = Path(__file__).parents[2] / "examples" / "lecture"
RNG = np.random.default_rng(0)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def relu(x: Any) -> Any:
    return np.maximum(x, 0)


def windows(image: Any, size: int, stride: int = 1) -> Any:
    """[b,x,y,i,dx,dy]"""
    return np.lib.stride_tricks.sliding_window_view(image, (size, size), (-3, -2))[..., ::stride, ::stride, :, :, :]


def conv(w: Any, image: Any, stride: int = 1) -> Any:
    return np.einsum("pqij,...xyipq->...xyj", w, windows(image, len(w), stride))


def padded(image: Any, p: int) -> Any:
    return np.pad(image, [(0, 0)] * (image.ndim - 3) + [(p, p), (p, p), (0, 0)])


L = RNG.normal(size=(2, 8, 8, 3))
W = RNG.normal(size=(3, 3, 3, 4))
B = RNG.normal(size=4)
V = RNG.normal(size=(2, 8, 8, 4))
W4 = RNG.normal(size=(3, 3, 4, 4))
X = RNG.normal(size=(5, 6))
SMALL = RNG.normal(size=(2, 4, 4, 3))
LAYER = {"W": W, "L_l": L, "B": B}

SAME_SIZE = """
%! def Conv(W[P,Q,I,J], B[J], L[X,Y,I]):
%!     C[x:X,y:Y,j] = sum W[dx,dy,i,j]*L[x+dx-P//2, y+dy-Q//2, i else 0] - B[j]
%!     return C
%! input W_l_plus_1[3,3,4,4]
%! input B_l_plus_1[4]
%! input L_l[2,8,8,4]
"""


@dataclass(frozen=True, slots=True)
class Run:
    """Formulas of a slide, the lines put before them, arguments, and what comes out.

    before  what the slide says in its prose or its pictures: extents, constants, other functions
    """

    slide: str
    numbers: tuple[int, ...]
    inputs: Mapping[str, Any]
    want: Callable[[], Any]
    before: str = ""

    @property
    def formulas(self) -> list[Formula]:
        found = [f for f in FORMULAS if f.slide.startswith(self.slide)]
        return [found[n] for n in self.numbers]

    def program(self) -> il.Program:
        text = "\n\n".join([self.before.strip(), *(f.latex for f in self.formulas)])
        constants = {name: value for f in self.formulas for name, value in f.given.items()}
        return il.compile(text, constants=constants, dtype="f64")


RUNS = (
    Run("A Convolution Layer", (0,), LAYER, lambda: sigmoid(conv(W, L) - B)),
    Run("Many", (0,), LAYER, lambda: sigmoid(conv(W, L) - B)),
    Run("Padding", (0,), {"L_l": L}, lambda: padded(L, 2), "%! p = 2\n%! input L_l[B,X,Y,J]"),
    Run("Padding", (0, 1), LAYER, lambda: sigmoid(conv(W, padded(L, 1)) - B),
        "%! p = 1\n%! input L_l[B,8,8,3]\n%! input W[3,3,3,4]\n%! input B[4]"),
    Run("Reducing Spatial Dimensions: Max", (0,), {"L_l": L}, lambda: windows(L, 3, 2).max((4, 5))),
    Run("Reducing Spatial Dimensions: Strided", (0,), LAYER, lambda: sigmoid(conv(W, L, 2) - B)),
    Run("Fully", (0,), {"W": X[:, :5], "L_l": X.T, "B": X[:, 0]}, lambda: sigmoid(X.T @ X[:, :5].T - X[:, 0])),
    Run("Image", (0,), LAYER, lambda: conv(W, L) + B),
    Run("Image", (1,), {"L_l": L}, lambda: windows(L, 3).transpose(0, 1, 2, 4, 5, 3)),
    Run("Image", (2,), LAYER, lambda: conv(W, L) + B),
    Run("Repeated", (0,), {"Φ_i": W, "L_i": L}, lambda: relu(conv(W, L)), "%! input Φ_i[3,3,3,4]\n%! input L_i[B,8,8,3]"),
    Run("Activation", (0,), {"X": X}, lambda: relu(X), "%! input X[5,6]\n%! Y[i,j] = Relu(X[i,j])"),
    Run("Xavier", (0,), {"x": X[0], "w": X.T}, lambda: X[0] @ X.T),
    Run("Normalization", (0,), {"x": X}, lambda: X.mean(0)),
    Run("Normalization", (1,), {"x": X, "μ̂": X.mean(0)}, lambda: X.std(0, ddof=1)),
    Run("Normalization", (0, 1, 2), {"x": X}, lambda: (X - X.mean(0)) / X.std(0, ddof=1)),
    Run("Spatial Batch", (0,), {"x": L}, lambda: L.mean((0, 1, 2))),
    Run("Spatial Batch", (0, 1), {"x": L}, lambda: L.std((0, 1, 2), ddof=1)),
    Run("Spatial Batch", (0, 1, 2), {"x": L}, lambda: (L - L.mean((0, 1, 2))) / L.std((0, 1, 2), ddof=1)),
    Run("Adding", (0,), {"γ": B, "x̃": V, "β": W4[0, 0, 0]}, lambda: B * V + W4[0, 0, 0]),
    Run("Simple", (0, 1), {"W_l_plus_1": W4, "B_l_plus_1": B, "L_l": V}, lambda: V + conv(W4, padded(V, 1)) - B, SAME_SIZE),
    Run("Handling", (0, 1), {"Z": X[0]}, lambda: 4 * X[0] + 3,
        "%! s = 2\n%! X_l = 8\n%! Y_l = 6\n%! input Z[6]\n%! C[i] = X_l_plus_1*Z[i] + Y_l_plus_1"),
    Run("Handling", (2, 3), {"L_l": L, "R_l_plus_1": SMALL}, lambda: L[:, ::2, ::2] + SMALL),
    Run("Deeper", (3,), {"L_l": L, "R": L}, lambda: 2 * L, "%! input L_l[B,8,8,3]\n%! input R[B,8,8,3]"),
    Run("A General", (0,), {"x": X}, lambda: X + np.tanh(X), "%! def R(x[I]) = tanh(x)\n%! input x[5,6]\n%! x̃ = x"),
    Run("DenseNet", (0,), {"L_l": L, "R": V}, lambda: np.concatenate([L, V], 3)),
)  # fmt: skip


@pytest.mark.parametrize("run", RUNS, ids=lambda r: f"{r.slide} {r.numbers}")
def test_formulas_of_the_lecture_run(run: Run):
    got = run.program().interpret(**run.inputs)
    np.testing.assert_allclose(got, run.want(), rtol=1e-12, atol=1e-12)


def test_the_residual_path_runs_compiled():
    """The slide's three convolutions and its sum, with a Conv' that ends in ReLU."""
    net = il.load(LECTURE / "26-bottleneck.tex", dtype="f64")
    net.init(seed=1)
    image = RNG.normal(size=(2, 6, 6, 16))
    value = image
    for label in "ABR":
        weights, bias = (np.asarray(net.params[f"Φ_{label}_l_plus_1.{p}"]) for p in "WB")
        value = relu(conv(weights, padded(value, len(weights) // 2)) - bias)
    np.testing.assert_allclose(net(L_l=image), image + value, rtol=1e-9, atol=1e-9)


def test_batch_normalisation_of_two_slides_is_one_program():
    net = il.load(LECTURE / "22-spatial-batch-normalization.tex", dtype="f64")
    gamma, beta = RNG.normal(size=(2, 3))
    wanted = (L - L.mean((0, 1, 2))) / L.std((0, 1, 2), ddof=1) * gamma + beta
    np.testing.assert_allclose(net(x=L, γ=gamma, β=beta), wanted, rtol=1e-9, atol=1e-9)


def test_the_alexnet_slide_is_the_program_in_the_notation():
    slide, twin = (il.load(LECTURE / f"14-alexnet.{kind}") for kind in ("tex", "idx"))
    image = RNG.random((227, 227, 3), dtype=np.float32)
    slide.init(seed=0)
    for name in slide.params:
        value = np.asarray(slide.params[name])
        twin.params[name.replace("_", "")] = value.T if value.ndim == 2 else value  # FC: W[j,i], its twin W[i,j]
    wanted = np.asarray(twin(image, want=["s", "error"])["s"])
    np.testing.assert_allclose(slide(Input=image), wanted, rtol=1e-3, atol=1e-4 * wanted.max())


def test_more_features_need_the_range_of_j_written():
    """`j` runs over L's features unless something says more: then the condition is what proves the reads."""
    (reduction,) = Run("Handling", (2,), {}, lambda: None).formulas
    text = reduction.latex.replace("y, j] =", r"y, j : J_{\ell+1}] =")
    net = il.compile(text, constants={**reduction.given, "J_l_plus_1": 5}, dtype="f64")
    wanted = np.concatenate([L[:, ::2, ::2], np.zeros((2, 4, 4, 2))], 3)
    np.testing.assert_array_equal(net.interpret(L_l=L), wanted)


@pytest.mark.parametrize("formula", [f for f in FORMULAS if f.fails], ids=lambda f: f.slide)
def test_what_a_slide_gets_wrong_is_told(formula: Formula):
    assert formula.fails in [d.code for d in il.check(formula.latex)]


def test_all_formulas_run_or_are_wrong():
    files = "".join(path.read_text(encoding="utf-8") for path in LECTURE.glob("*.tex"))
    ran = [f for run in RUNS for f in run.formulas] + [f for f in FORMULAS if f.latex in files]
    assert [f.slide for f in FORMULAS if f not in ran] == [f.slide for f in FORMULAS if f.fails]
