# pyright: reportPrivateUsage=false, reportArgumentType=false
"""Long products in their best order: random ones beside the oracle, and which order is found."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import pytest

import indexlang as il
from indexlang.ir.interp import interpret
from indexlang.ir.show import show_equation
from indexlang.passes import pairs
from indexlang.passes.nothing import drop_empty_reductions

EXTENTS = (1, 2, 3, 5, 7, 8, 17)


@contextmanager
def always(gain: float = 0.0, least: int = 0) -> Iterator[None]:
    """Every order that is found is taken, whatever it gains."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairs, "_GAIN", gain)
        patch.setattr(pairs, "_LEAST", least)
        yield


class Text:
    """A random product: its text, and inputs that fit it."""

    def __init__(self, seed: int, most: int) -> None:
        rng = random.Random(seed)
        letters = "ijklmn"[: rng.randint(2, 6)]
        limit = 6_000
        while True:
            extent = {c: rng.choice(EXTENTS if rng.random() > 0.05 else (0, 1)) for c in letters}
            points = 1
            for n in extent.values():
                points *= max(n, 1)
            if points <= limit:
                break
        self.shapes: dict[str, tuple[int, ...]] = {}
        factors: list[str] = []
        used: set[str] = set()
        for k in range(rng.randint(2, most)):
            if k and rng.random() < 0.12:
                factors.append(rng.choice(factors))  # the same once more
                continue
            name = "ABCDEFGH"[k]
            places, shape = list[str](), list[int]()
            for _ in range(rng.choice((0, 1, 1, 2, 2, 2, 3))):
                place, n = _place(rng, letters, extent)
                used |= {c for c in letters if c in place}
                places.append(place)
                shape.append(n + rng.randint(0, 1))
            self.shapes[name] = tuple(shape)
            read = f"{name}[{','.join(places)}]" if places else name
            factors.append(
                rng.choice((read, read, read, read, f"exp({read})", f"({read} + 0.5)", f"-{read}", f"2*{read}"))
            )
        if rng.random() < 0.3 and len(factors) > 2:
            at = rng.randrange(1, len(factors))
            factors[at - 1 : at + 1] = [f"({factors[at - 1]} {rng.choice('+-')} {factors[at]})"]
        if rng.random() < 0.15 and len(factors) > 2:
            at = rng.randrange(1, len(factors))
            factors[at] = f"(1 + {factors[at]}^2)"
            product = "*".join(factors[:at]) + "/" + "*".join(factors[at:])
        else:
            product = "*".join(factors)
        left = [c for c in letters if c in used and rng.random() < 0.45]
        over = [c for c in letters if c in used and c not in left]
        if rng.random() < 0.2 and len(over) > 1:
            a, b = rng.choice(over), rng.choice([c for c in letters if c in used])
            product = f"({product} if {a} <= {b} + 1 else 0)"
        bound = ",".join(f"{c}:{extent[c]}" for c in over)
        head = f"[{','.join(f'{c}:{extent[c]}' for c in left)}]" if left else ""
        body = f"sum[{bound}] {product}" if over else product
        form = rng.choice(("{}", "{}", "{} + 1", "tanh({})", "3*({})"))
        inputs = [f"input {n}[{','.join(map(str, s))}]" if s else f"input {n}" for n, s in self.shapes.items()]
        self.text = "\n".join((*inputs, f"Y{head} = {form.format(body)}", "output Y"))

    def given(self, seed: int, dtype: str) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(seed)
        kind = np.float32 if dtype == "f32" else np.float64
        return {n: np.asarray(rng.uniform(-1, 1, s), kind) for n, s in self.shapes.items()}


def _place(rng: random.Random, letters: str, extent: dict[str, int]) -> tuple[str, int]:
    """A subscript, and the least extent of its axis."""
    a, b = rng.choice(letters), rng.choice(letters)
    m, n = max(extent[a], 1), max(extent[b], 1)
    match rng.randint(0, 9):
        case 0 if a != b:
            return f"{a}+{b}", m + n - 1
        case 1 if a != b:
            return f"{a}-{b}+{n - 1}", m + n - 1
        case 2 if a != b:
            return f"2*{a}+{b}", 2 * m + n - 2
        case 3:
            return f"3*{a}+1", 3 * m - 1
        case 4:
            return f"{m - 1}-{a}", m
        case _:
            return a, m


@pytest.mark.parametrize("seed", range(80))
def test_an_order_changes_no_meaning(seed: int) -> None:
    case = Text(seed, 6)
    given = case.given(seed, "f64")
    table, arrays = il.compile(case.text, dtype="f64")._bind((), given)
    cleaned = drop_empty_reductions(table)
    with always():
        ordered = pairs.order_products(cleaned)
    wanted, found = (interpret(p, arrays)["Y"] for p in (table, ordered))
    np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-10 * (1 + np.abs(wanted).max(initial=0)))


@pytest.mark.parametrize("dtype", ["f64", "f32"])
@pytest.mark.parametrize("seed", range(1000, 1012))
def test_compiled_orders_agree_with_the_oracle(seed: int, dtype: str) -> None:
    case = Text(seed, 5)
    given = case.given(seed, dtype)
    wanted = np.asarray(il.compile(case.text, dtype="f64").interpret(**case.given(seed, "f64")))
    with always():
        one, two, three = (np.asarray(il.compile(case.text, dtype=dtype, threads=n)(**given)) for n in (1, 2, 3))
    assert one.tobytes() == two.tobytes() == three.tobytes()
    close = 1e-10 if dtype == "f64" else 1e-4
    np.testing.assert_allclose(one, wanted, rtol=close, atol=close * (1 + np.abs(wanted).max(initial=0)))


ROWS = (  # name, inputs, equation, how many equations come before it, what the last one is
    (
        "a vector last",
        "A[64,48] B[48,80] C[80,56] V[56]",
        "Y[i] = sum[j,k,l] A[i,j]*B[j,k]*C[k,l]*V[l]",
        2,
        "Y[i:64] = sum[j:48](A[i,j]*Y_pair2[j])",
    ),
    (
        "a vector first",
        "V[64] A[64,48] B[48,80]",
        "Y[k] = sum[i,j] V[i]*A[i,j]*B[j,k]",
        1,
        "Y[k:80] = sum[j:48](Y_pair[j]*B[j,k])",
    ),
    (
        "what one factor has is summed first",
        "A[64,48] B[48,80]",
        "Y[i] = sum[j,k] A[i,j]*B[j,k]",
        1,
        "Y[i:64] = sum[j:48](A[i,j]*Y_pair[j])",
    ),
    (
        "what no sum needs leaves it",
        "S[64] A[64,48] B[48,80] V[80]",
        "Y[i] = sum[j,k] A[i,j]*B[j,k]*V[k]*S[i]",
        1,
        "Y[i:64] = S[i]*(sum[j:48](A[i,j]*Y_pair[j]))",
    ),
    (
        "a window",
        "X[70,40] W[40,48] V[48] F[7]",
        "Y[x:64] = sum[d:7,i,j] X[x+d,i]*W[i,j]*V[j]*F[d]",
        2,
        "Y[x:64] = sum[d:7](Y_pair2[d+x]*F[d])",
    ),
    (
        "a condition waits for the last pair",
        "A[64,48] B[48,80] V[80]",
        "Y[i] = sum[j,k] (A[i,j]*B[j,k]*V[k] if j <= i else 0)",
        1,
        "Y[i:64] = sum[j:48](A[i,j]*Y_pair[j] if j <= i else 0.0)",
    ),
    ("two factors", "A[64,48] B[48,80]", "Y[i,k] = sum[j] A[i,j]*B[j,k]", 0, ""),
    ("too small", "A[4,5] B[5,6] V[6]", "Y[i] = sum[j,k] A[i,j]*B[j,k]*V[k]", 0, ""),
    ("subscripts that are data", "A[64,48] B[48,80] V[80] : at[64]", "Y[i] = sum[j,k] A[at[i],j]*B[j,k]*V[k]", 0, ""),
)


@pytest.mark.parametrize(("inputs", "text", "before", "last"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_the_order(inputs: str, text: str, before: int, last: str) -> None:
    floats, _, ints = inputs.partition(" : ")
    heads = [*(f"input {n}" for n in floats.split()), *(f"input {n} : int" for n in ints.split())]
    program = il.compile("\n".join((*heads, text, "output Y")), dtype="f64")
    made = pairs.order_products(program._typed)
    *first, whole = made.equations
    assert len(first) == before
    assert not last or show_equation(whole) == last


def test_exceptional_values_stay_where_they_are() -> None:
    """NaN is in the elements that depend on it, and in no others; what a condition leaves out stays out."""
    text = "input A[60,48]\ninput B[48,80]\ninput V[80]\nY[i] = sum[j,k] (A[i,j]*B[j,k]*V[k] if j < i else 0)"
    rng = np.random.default_rng(0)
    given = {"A": rng.random((60, 48)), "B": rng.random((48, 80)), "V": rng.random(80)}
    given["B"][40, 3] = np.nan
    given["A"][7, 2] = np.inf
    found = np.asarray(il.compile(text, dtype="f64")(**given))
    assert np.isnan(found).tolist() == [i > 40 for i in range(60)]
    assert np.isinf(found).tolist() == [i == 7 for i in range(60)]
    assert found[0] == 0


def test_gradients_are_those_of_the_equation() -> None:
    head = "input A[40,50]\nparam B[50,60] ~ normal(0, 1)\nparam V[60] ~ normal(0, 1)\n"
    text = head + "Y[i] = sum[j,k] A[i,j]*B[j,k]*V[k]\nloss = sum[i] Y[i]^2\n"
    text += "dB = d(loss)/d(B)\ndV = d(loss)/d(V)\noutput dB, dV"
    program = il.compile(text, dtype="f64")
    a = np.random.default_rng(0).standard_normal((40, 50))
    found = program(a)
    b, v = (np.asarray(program.params[n]) for n in "BV")
    y = a @ b @ v
    np.testing.assert_allclose(found["dB"], np.outer(2 * a.T @ y, v), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(found["dV"], 2 * b.T @ a.T @ y, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("count", [2, 8, 9, 12, pairs._MOST_FACTORS, pairs._MOST_FACTORS + 1])
def test_a_chain_of_matrices(count: int) -> None:
    """Up to eight factors every order is looked at, then the cheapest pair is taken again and again; too many stay."""
    rng = np.random.default_rng(count)
    extents = [int(n) for n in rng.integers(20, 60, count + 1)]
    names = [f"A_{k}" for k in range(count)]
    letters = [f"i_{k}" for k in range(count + 1)]
    heads = [f"input {name}[{n},{m}]" for name, (n, m) in zip(names, pairwise(extents), strict=True)]
    product = "*".join(f"{name}[{a},{b}]" for name, (a, b) in zip(names, pairwise(letters), strict=True))
    text = "\n".join((*heads, f"Y[{letters[0]},{letters[-1]}] = sum[{','.join(letters[1:-1])}] {product}"))
    program = il.compile(text, dtype="f64")
    made = pairs.order_products(program._typed)
    assert len(made.equations) == (1 if count in (2, pairs._MOST_FACTORS + 1) else count - 1)
    if count <= pairs._MOST_FACTORS:
        matrices = [rng.uniform(-1, 1, (n, m)) for n, m in pairwise(extents)]
        wanted = np.linalg.multi_dot(matrices)
        given = dict(zip(names, matrices, strict=True))
        np.testing.assert_allclose(program(**given), wanted, rtol=1e-9, atol=1e-9 * np.abs(wanted).max())
