# pyright: reportPrivateUsage=false, reportArgumentType=false
"""Long products in their best order: random ones beside the oracle, and which order is found."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

import indexlang as il
from indexlang.ir.interp import interpret
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
