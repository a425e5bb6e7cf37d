# pyright: reportArgumentType=false
"""`+=` with left sides that name every element at most once: shared by the threads, in the order written."""

import numpy as np
import pytest
from shapes import agrees, drawn

import indexlang as il

SHAPES = {"X": (3, 5), "Y": (5, 3), "V": (3,), "A": (3, 7), "B": (7, 5)}
TEXTS = (
    "T[i,j] += X[i,j]",
    "T[i,j] += X[i,j]\nT[i,j] += Y[j,i]\nT[i,j:5] += V[i]",
    "tensor T[4, 5]\nT[i,j] += X[i,j]\nT[1+i,j] += X[i,j]\nT[i,j:5] += V[i]",
    "tensor T[6, 11]\nT[2*i,2*j+1] += X[i,j]\nT[2*i+1,j] += X[i,j]",
    "T[(i,j)] += X[i,j]\nT[(i,j)] += V[i]*Y[j,i]",
    "T[i,i] += V[i]\nT[i,j:3] += (sum[k] A[i,k]*A[j,k]) if i < j else 0",
    "T[i,j:5] += V[i]\nT[i,j] += sum[k] A[i,k]*B[k,j]\nT[i,j] += 2*X[i,j]",
    "T[i,j:5] += V[i]\nT[i,j] += 3*sum[k] exp(A[i,k])*B[k,j]",
    "T[i] += sum[j] X[i,j]\nT[i] += max[k] A[i,k]\nS[i] = 2*T[i]\noutput S, T",
    "tensor T[15]\nT[5*i+j] += X[i,j]",
    "tensor T[6] : int\nT[i] += 1\nT[i] += i\nT[2*k] += k*k",
)


@pytest.mark.parametrize("text", TEXTS)
def test_accumulated_equations_equal_the_oracle(text: str) -> None:
    used = {n: s for n, s in SHAPES.items() if f"{n}[" in text}
    agrees(text, drawn(used))


@pytest.mark.parametrize("text", TEXTS[:-1])
def test_nothing_runs_on_one_thread(text: str) -> None:
    head = "".join(f"input {n}[{', '.join(map(str, s))}]\n" for n, s in SHAPES.items() if f"{n}[" in text)
    assert "serial" not in il.compile(head + text).show("nest")


def test_a_large_product_adds_to_what_is_there() -> None:
    inputs = drawn({"X": (67, 300), "Y": (300, 130), "R": (67, 130)})
    text = "T[i,j] += R[i,j]\nT[i,j] += sum[k] X[i,k]*Y[k,j]"
    agrees(text, inputs, {"T": inputs["R"] + inputs["X"] @ inputs["Y"]})
    head = "input X[67,300]\ninput Y[300,130]\ninput R[67,130]\n"
    agrees(head + text, inputs, {"T": inputs["R"] + inputs["X"] @ inputs["Y"]})


def test_a_long_sum_adds_to_what_is_there() -> None:
    inputs = drawn({"X": (5000, 67), "Y": (5000, 33), "R": (67, 33)})
    text = "T[i,j] += R[i,j]\nT[i,j] += sum[k] X[k,i]*Y[k,j]"
    wanted = {"T": inputs["R"] + inputs["X"].T @ inputs["Y"]}
    agrees(text, inputs, wanted)
    agrees("input X[5000,67]\ninput Y[5000,33]\ninput R[67,33]\n" + text, inputs, wanted)


def test_an_accumulated_tensor_lives_inside_its_padded_form() -> None:
    inputs = drawn({"X": (6, 5), "Y": (6, 5), "W": (3, 5, 4)})
    text = "L[x,i] += X[x,i]\nL[x,i] += Y[x,i]\nZ[x:6,j] = sum[dx,i] W[dx,i,j]*L[x+dx-1,i else 0]\noutput Z"
    agrees(text, inputs)
    assert np.isfinite(il.compile(text)(**inputs)).all()
