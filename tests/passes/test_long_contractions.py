# pyright: reportArgumentType=false
"""Contractions as gradients have them: small results with long sums, windows that run backwards, padded signals."""

import numpy as np
import pytest
from shapes import agrees, drawn

import indexlang as il

WEIGHTS = "dW[dx:{k},dy:{k},i,j] = sum[b,x,y] dZ[b,x,y,j]*L[b,{s}*x+dx-{p},{s}*y+dy-{p},i else 0]"
SIGNAL = "dL[b,x:{n},y:{n},i] = sum[dx,dy,j] dZ[b,x-dx+{p},y-dy+{p},j else 0]*W[dx,dy,i,j]"


def convolved(signal: np.ndarray, image: np.ndarray, k: int, s: int, p: int) -> np.ndarray:
    """The gradient of the weights, one tap at a time."""
    padded = np.pad(image, ((0, 0), (p, p), (p, p), (0, 0)))
    x, y = signal.shape[1:3]
    taps = [padded[:, dx : dx + s * x : s, dy : dy + s * y : s] for dx in range(k) for dy in range(k)]
    flat = [np.einsum("bxyj,bxyi->ij", signal, t[:, :x, :y], optimize=True) for t in taps]
    return np.array(flat).reshape(k, k, image.shape[3], signal.shape[3])


@pytest.mark.parametrize(
    ("batch", "side", "i", "j", "k", "s", "p"),
    [
        (2, 5, 3, 4, 3, 1, 1), (1, 1, 1, 1, 1, 1, 0), (0, 4, 2, 3, 3, 1, 1), (3, 7, 2, 17, 3, 2, 1), (2, 4, 0, 3, 1, 1, 0),
    ],
)  # fmt: skip
def test_gradients_of_small_convolutions_equal_the_oracle(
    batch: int, side: int, i: int, j: int, k: int, s: int, p: int
) -> None:
    out = (side + 2 * p - k) // s + 1
    inputs = drawn({"dZ": (batch, out, out, j), "L": (batch, side, side, i)})
    agrees(WEIGHTS.format(k=k, s=s, p=p), inputs)
    if s == 1:
        agrees(SIGNAL.format(n=side, p=p), drawn({"dZ": (batch, out, out, j), "W": (k, k, i, j)}))


@pytest.mark.parametrize(
    ("batch", "side", "i", "j", "k", "s", "p"),
    [
        (4, 33, 64, 64, 3, 1, 1), (3, 31, 3, 96, 11, 4, 0), (5, 17, 130, 131, 1, 1, 0), (2, 29, 33, 47, 3, 2, 1),
        (1, 53, 31, 65, 2, 1, 0),
    ],
)  # fmt: skip
def test_long_sums_are_cut_and_packed(batch: int, side: int, i: int, j: int, k: int, s: int, p: int) -> None:
    out = (side + 2 * p - k) // s + 1
    inputs = drawn({"dZ": (batch, out, out, j), "L": (batch, side, side, i)})
    text = WEIGHTS.format(k=k, s=s, p=p)
    wanted = {"dW": convolved(inputs["dZ"], inputs["L"], k, s, p)}
    agrees(text, inputs, wanted)
    head = f"input dZ[{batch},{out},{out},{j}]\ninput L[{batch},{side},{side},{i}]\n"  # no named extents
    agrees(head + text, inputs, wanted)


@pytest.mark.parametrize(("k", "m", "n"), [(513, 60, 7), (5003, 9, 18), (4099, 77, 33), (1025, 129, 300), (700, 1, 40)])
def test_products_with_a_long_sum(k: int, m: int, n: int) -> None:
    inputs = drawn({"X": (k, m), "Y": (k, n)})
    wanted = {"C": 0.5 - inputs["X"].T @ inputs["Y"]}
    agrees("C[i,j] = 0.5 - sum[b] X[b,i]*Y[b,j]", inputs, wanted)
    agrees(f"input X[{k},{m}]\ninput Y[{k},{n}]\nC[i,j] = 0.5 - sum[b] X[b,i]*Y[b,j]", inputs, wanted)
    agrees(
        f"input X[{k},{m}]\ninput Y[{k},{n}]\nC[i,j] = sum[b] X[b,i]*Y[b,j]\n",
        inputs,
        {"C": inputs["X"].T @ inputs["Y"]},
    )


def test_every_step_of_a_weight_gradient_is_shared_by_threads() -> None:
    text = "input dZ[8,56,56,64]\ninput L[8,56,56,64]\n" + WEIGHTS.format(k=3, s=1, p=1)
    program = il.compile(text)
    nest = program.show("nest")
    assert "parallel b_q:8" in nest or "turns" in nest  # which it is depends on what the machine's caches hold
    assert "serial" not in program.show("nest")


def test_a_long_sum_of_floats_is_exact_to_a_few_units() -> None:
    ones = {"X": np.full((200003, 3), 1.1, np.float32), "Y": np.full((200003, 5), 1.1, np.float32)}
    got = il.compile("C[i,j] = sum[b] X[b,i]*Y[b,j]", dtype="f32")(**ones)
    np.testing.assert_allclose(got, 200003 * float(np.float32(1.1)) ** 2, rtol=2e-6)


@pytest.mark.parametrize(("b", "i", "j"), [(3, 70, 600), (16, 129, 517), (2, 300, 1031), (1, 57, 1024)])
def test_outer_products_write_whole_rows(b: int, i: int, j: int) -> None:
    inputs = drawn({"X": (b, i), "Y": (b, j)})
    wanted = {"C": inputs["X"].T @ inputs["Y"]}
    agrees(f"input X[{b},{i}]\ninput Y[{b},{j}]\nC[i,j] = sum[b] X[b,i]*Y[b,j]", inputs, wanted)
    agrees("C[i,j] = sum[b] X[b,i]*Y[b,j]", inputs, wanted)


@pytest.mark.parametrize(("b", "i", "j"), [(3, 70, 600), (16, 1031, 257), (1, 500, 64)])
def test_a_heavy_matrix_is_not_transposed(b: int, i: int, j: int) -> None:
    inputs = drawn({"Y": (b, j), "W": (i, j), "M": (b, i)})
    text = f"input Y[{b},{j}]\ninput W[{i},{j}]\ninput M[{b},{i}]\nX[b,i] = M[b,i]*(sum[j] Y[b,j]*W[i,j])"
    agrees(text, inputs, {"X": inputs["M"] * (inputs["Y"] @ inputs["W"].T)})
    assert "W_t" not in il.compile(text).show("simple")


def test_a_signal_of_several_axes() -> None:
    inputs = drawn({"Y": (3, 33), "W": (5, 7, 9, 33)})
    text = "input Y[3,33]\ninput W[5,7,9,33]\nX[b,x,y,i] = sum[j] Y[b,j]*W[x,y,i,j]"
    agrees(text, inputs, {"X": np.einsum("bj,xyij->bxyi", inputs["Y"], inputs["W"])})


@pytest.mark.parametrize("shape", [(3, 7, 5), (16, 90, 17), (1, 5000, 3), (40, 300, 33)])
def test_sums_over_rows(shape: tuple[int, ...]) -> None:
    inputs = drawn({"Z": shape, "L": shape, "m": shape[-1:]})
    agrees("B[j] = -(sum[b,x] Z[b,x,j])", {"Z": inputs["Z"]}, {"B": -inputs["Z"].sum((0, 1))})
    text = "S[j] = sum[b,x] Z[b,x,j]*(L[b,x,j]-m[j])"
    agrees(text, inputs, {"S": (inputs["Z"] * (inputs["L"] - inputs["m"])).sum((0, 1))})


@pytest.mark.parametrize(
    ("k", "m"), [(193, 513), (1000, 4099), (4096, 257), (521, 33), (300, 2048), (199, 1), (0, 600), (9000, 530)]
)
def test_one_row_by_a_matrix(k: int, m: int) -> None:
    """Rounds of few terms; the sum may be cut into segments, and more may follow it."""
    inputs = drawn({"X": (1, k), "W": (k, m), "B": (m,)})
    wanted = {"Y": np.maximum(inputs["X"] @ inputs["W"] + inputs["B"], 0)}
    text = "Y[b,j] = relu(sum[i] X[b,i]*W[i,j] + B[j])"
    agrees(f"input X[1,{k}]\ninput W[{k},{m}]\ninput B[{m}]\n{text}", inputs, wanted)
    agrees(text, inputs, wanted)
    agrees("y[j] = sum[i] x[i]*W[i,j]", {"x": inputs["X"][0], "W": inputs["W"]}, {"y": inputs["X"][0] @ inputs["W"]})


@pytest.mark.parametrize(("x", "i", "m"), [(3, 130, 700), (17, 12, 531), (2, 401, 1040)])
def test_one_row_of_a_picture_by_a_matrix(x: int, i: int, m: int) -> None:
    inputs = drawn({"X": (1, x + 1, i), "W": (x, i, m)})
    wanted = {"Y": np.einsum("bxi,xij->bj", inputs["X"][:, 1:], inputs["W"])}
    head = f"input X[1,{x + 1},{i}]\ninput W[{x},{i},{m}]\n"
    agrees(f"{head}Y[b,j] = sum[x,i] X[b,x+1,i]*W[x,i,j]", inputs, wanted)
    backwards = {"Y": np.einsum("bxi,xij->bj", inputs["X"][:, :0:-1], inputs["W"])}
    agrees(f"{head}Y[b,j] = sum[x,i] X[b,{x}-x,i]*W[x,i,j]", inputs, backwards)


def test_a_long_sum_for_one_row_is_exact_to_a_few_units() -> None:
    ones = {"X": np.full((1, 100003), 1.1, np.float32), "Y": np.full((100003, 70), 1.1, np.float32)}
    program = il.compile("input X[1,100003]\ninput Y[100003,70]\nC[i,j] = sum[b] X[i,b]*Y[b,j]", dtype="f32")
    assert "row" in program.show("nest")
    np.testing.assert_allclose(program(**ones), 100003 * float(np.float32(1.1)) ** 2, rtol=1e-5)
