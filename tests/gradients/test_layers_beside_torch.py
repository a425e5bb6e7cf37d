"""The gradients of every layer with a twin, with respect to inputs and parameters, beside those of torch autograd."""

import numpy as np
import pytest

import indexlang as il

pytest.importorskip("torch")
import torch
from prelude.test_twins import arguments, filled
from prelude.twins import TWINS, Twin

SLOW = ("adaptive, from the left side", "adaptive, bins overlap")  # to compile
# Where the gradient is nothing, of two terms that cancel torch drops the smaller one.
NOTHING = 1e-40


def is_default(place: int) -> bool:
    return place % 5 == 0 and TWINS[place].title not in SLOW


ROWS = [row if is_default(k) else pytest.param(row, marks=pytest.mark.soak) for k, row in enumerate(TWINS)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.title)
def test_gradients_equal_those_of_autograd(row: Twin) -> None:
    net = il.compile(row.program, dtype="f64", training=row.training)
    given, known = arguments(row), filled(net)
    wrt = [*(n for n in row.extents if n not in row.counts), *net.params]
    made = net.grad("R", wrt, seeds=True)

    tensors = {n: torch.tensor(a) for n, a in {**given, **known}.items()}
    variables = [tensors[n].requires_grad_() for n in wrt]
    result = row.twin(tensors)
    seed = np.random.default_rng(2).normal(size=result.shape)
    wanted = torch.autograd.grad(result, variables, torch.tensor(seed))

    found = made(**given, dR=seed)
    for name, gradient in zip(wrt, wanted, strict=True):
        got, expected = found[made.gradients[name]], gradient.numpy()
        assert got.shape == expected.shape
        error = 1e-9 * float(np.abs(expected).max(initial=NOTHING))
        np.testing.assert_allclose(got, expected, rtol=0, atol=error, err_msg=name)
