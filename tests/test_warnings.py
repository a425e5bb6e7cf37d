"""What is allowed but probably not meant."""

import pytest

import indexlang as il


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("A[j] = sum[i] (W[i,j]*x[i] - B[j])", ["W0301"]),  # B is subtracted once for each i
        ("A[j] = sum W[i,j]*x[i] - B[j]", []),
        ("A = sum[i] (x[i] - 1)", []),
        ("A[b,j] = sum[i] (X[b,i] - Y[j,i])^2", []),
    ],
)
def test_a_term_that_does_not_vary_is_told(text: str, codes: list[str]) -> None:
    assert [d.code for d in il.check(text)] == codes


def test_a_warning_does_not_stop_a_program() -> None:
    assert il.compile("A[j] = sum[i] (W[i,j] - B[j])")([[1.0, 2.0], [3.0, 4.0]], [1.0, 1.0]).tolist() == [2.0, 4.0]
