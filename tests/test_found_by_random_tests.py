# pyright: reportArgumentType=false, reportCallIssue=false
"""What random programs and mutated sources have found, each in its smallest form."""

import numpy as np
import pytest
from running import ran
from shown import typed as checked_text

import indexlang as il
from indexlang.ir.dtypes import DType
from indexlang.ir.show import show_program
from indexlang.passes.grad import pullback


@pytest.mark.parametrize(
    "text",
    [
        "input A[1] : int\nY[j:2, i:0] = (sum_{k:2} A[j-1 else 0])\noutput Y",
        "input A[2]\ninput W[0]\nY[j:2] = sum[k] W[k]*A[j+5]\noutput Y",
        "input A[1]\nY[j:3, i:0] = (max[k:2] A[2*j-1 else 0])\noutput Y",
    ],
)
def test_nothing_is_read_under_an_index_without_values(text: str) -> None:
    """Sums were computed ahead of the empty loop, at subscripts that had been proved only inside it."""
    inputs = {name: np.ones(t.extents) for name, t in il.compile(text).inputs.items()}
    kinds = {n: a.astype(np.int64 if ": int" in text else np.float64) for n, a in inputs.items()}
    found = ran(text, kinds)["Y"]
    assert not found.any()


def test_a_bare_name_is_the_scalar_tensor_though_an_undeclared_input_has_an_extent_of_that_name() -> None:
    found = il.compile("Y = sum[y] (A[y] + 0.5)\nZ = 1 - Y\noutput Z", dtype="f64")(A=np.array([1.5, 0.5]))
    assert float(found) == -2


def test_a_subscript_beyond_all_integers_gets_a_message() -> None:
    for text in ("A[p+{}]", "A[p*{}]", "A[{}-p]"):
        found = il.check("input A[3]\nY = sum[p:2] " + text.format("7" * 60))
        assert [d.code for d in found] == ["E0412"]


def test_a_place_is_not_refused_for_a_float_that_was_cut_off() -> None:
    text = "input A[5]\nY[i:1] = A[floor(8 - 2*sqrt(i+3))]\noutput Y"
    assert not il.check(text)
    assert float(il.compile(text)(A=np.arange(5.0))[0]) == 4


def test_a_power_of_extents_beyond_all_floats_gets_no_fault() -> None:
    assert not [d for d in il.check("input X[B:400, J:300]\nY = 1/(B^J) * sum[b,j] X[b,j]") if d.code == "E0000"]
    text = "input x[400,3]\nY = 1/(B^300) * sum[b,j] x[b,j]\noutput Y"
    assert not [d for d in il.check(text) if d.severity.value == "error"]


def test_checks_of_a_large_scatter_outlive_the_tensor_that_its_only_reader_has_taken_in() -> None:
    text = "input A[9000] : int\ninput W[9000] : int\ntensor Y[2] : int\nY[W[i]] += A[i] + 1\nZ[a] = 1 - Y[a]\noutput Z"
    places = np.arange(9000) % 2
    found = il.compile(text)(A=np.arange(9000), W=places)
    assert list(found) == [1 - int((np.arange(9000)[places == k] + 1).sum()) for k in (0, 1)]
    with pytest.raises(il.DataError):
        il.compile(text)(A=np.arange(9000), W=places + 1)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("input X[3]\nA[training] = 2*X[i]", "E0314"),
        ("input X[3]\nA = sum[training] X[i]", "E0314"),
        ("input X[3]\nA[training:3] = 2", "E0314"),
        ("c = [64, 128]\ny[i] = a[i] / c[]", "E0301"),
        ("c = [64, 128]\ny[i] = a[i] / c[0,1]", "E0301"),
    ],
)
def test_constants_where_indices_or_subscripts_are_missing_get_a_message(text: str, code: str) -> None:
    assert code in [d.code for d in il.check(text)]


@pytest.mark.parametrize(
    "body", ["A[i] + B[0,i] + sum[k] abs(W[k] - A[i])", "max[k] (W[k]*A[i] + B[0,i])", "sum[k] max(W[k]*A[i], B[0,i])"]
)
def test_tensors_of_different_ranks_have_one_address_in_a_register_block(body: str) -> None:
    """`i` was the name of both addresses, and the constants of one were taken for those of the other: an internal error."""
    given = {"A": np.arange(512) / 4, "B": np.ones((1, 512)), "W": np.arange(512) - 200.0}
    text = f"Y[i] = {body}\noutput Y"
    wanted = il.compile(text, dtype="f64").interpret(**given)
    for found in (ran(text, given)["Y"], il.compile(text, dtype="f64")(**given)):
        np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_a_condition_that_relies_on_tests_under_a_sum_stays_under_it() -> None:
    """`A[-2*(-x//2),i,2*i] > L[i]` stood before the sum whose tests keep the place inside: a tangent was refused."""
    text = "Y[i,x:1] = max(L[i], A[-2*x,i,2*i])\noutput Y"
    given = {"A": np.arange(84.0).reshape(4, 3, 7) / 40, "L": np.full(3, 0.2)}
    along = {"A_dot": np.arange(84.0).reshape(4, 3, 7), "L_dot": np.full(3, 2.0)}
    found = il.compile(text, dtype="f64").tangent(("A", "L"))(**given, **along)["Y_dot"]
    assert found.tolist() == [[2.0], [9.0], [18.0]]


def test_a_gradient_with_a_condition_that_never_holds_is_printed_as_it_is_read() -> None:
    """`0 < 0` was printed where the same text, read again, had `1 == 0`."""
    text = "input A[1]\ninput W[1]\ntensor Y[1]\nY[i] += A[2*i] if i < 0 else W[i]\noutput Y"
    printed = show_program(pullback(checked_text(text, dtype=DType.F64), ("Y",), ("A", "W")).program)
    assert show_program(checked_text(printed, dtype=DType.F64)) == printed


@pytest.mark.parametrize("fold", ["sum", "max"])
def test_sums_are_not_read_ahead_of_the_condition_that_keeps_them_inside(fold: str) -> None:
    """They were computed first, at all points: memory before the tensor was read."""
    text = f"Y[i] = ({fold}[j] A[p[i],j]*A[0,j]) if p[i] >= 0 else 7"
    program = il.compile("input A[4,5]\ninput p[9] : int\n" + text, dtype="f64")
    given = {"A": np.arange(20.0).reshape(4, 5), "p": np.array([0, -1, 3, 2**40 - 2**41, 1, -7, 2, 0, -1])}
    assert np.asarray(program(**given)).tolist() == np.asarray(program.interpret(**given)).tolist()
    with pytest.raises(il.DataError):
        program(**{**given, "p": given["p"] + 1})


def test_a_remainder_without_terms_of_ints_is_an_int() -> None:
    """A remainder in which no term of the sum is inside was 0.0, also where the sum is of ints."""
    text = "Y[i:3,j:2,k:2] = sum[x:1,y:2] A[i,x-1 else 0]*(W[i%2] if i < 0 else L[i])\noutput Y"
    given = {"A": np.arange(3)[:, None], "W": np.arange(2), "L": np.arange(3)}
    assert not ran(text, given)["Y"].any()
    assert not il.compile(text)(**given).any()
