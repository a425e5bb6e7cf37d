"""Functions: extents solved in both directions, and calls that are refused."""

import numpy as np
import pytest
from functions.calls import CALLS, FUNCTIONS, Call

import indexlang as il

FLOWING = [c for c in CALLS if not c.code]
REFUSED = [c for c in CALLS if c.code]


@pytest.mark.parametrize("row", FLOWING, ids=lambda c: c.name)
def test_extents_follow(row: Call) -> None:
    program = il.compile(FUNCTIONS + row.text)
    found = {n: program.tensors[n].extents for n in row.extents}
    assert found == row.extents


@pytest.mark.parametrize("row", FLOWING, ids=lambda c: c.name)
def test_a_call_computes_what_it_means(row: Call) -> None:
    """The compiled program against the interpreter."""
    program = il.compile(FUNCTIONS + row.text, dtype="f64")
    rng = np.random.default_rng(len(row.name))
    sizes = {"A": 2, "B": 1}
    shapes = {n: tuple(int(sizes.get(str(e), e)) for e in t.extents) for n, t in program.inputs.items()}
    given = {n: rng.normal(size=shape) for n, shape in shapes.items()}
    wanted = program.interpret(*given.values())
    for name in program.outputs:
        expected = wanted if len(program.outputs) == 1 else wanted[name]
        assert np.allclose(program(*given.values(), want=[name]), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("row", REFUSED, ids=lambda c: c.name)
def test_a_call_is_refused(row: Call) -> None:
    """One mistake, one message, with its words."""
    found = il.check(FUNCTIONS + row.text)
    assert [d.code for d in found] == [row.code]
    text = str(il.ProgramError(found))
    flat = " ".join(text.split())
    assert [w for w in row.words if w not in flat] == []


def test_a_name_of_the_head_hides_a_constant_of_the_text() -> None:
    program = il.compile("J = 16\n" + FUNCTIONS + "input L0[2,5,5,3]\nL1[2,5,5,4] = Conv(L0, width 1)")
    assert program.tensors["L1.W"].extents == (1, 1, 3, 4)


PACKAGES = """
input L[B,8]
def Two(L[I], Φ, Ψ):
    param V[I]
    A = FC(L, Φ.first, features 3)
    C = FC(A, Φ, features 4)
    R = FC(C, Ψ.x, features 2)
    return R + sum[i] V[i]*L[i]
def Turned(L[I], Φ, Ψ) = Two(L, Ψ.one, Φ.two)
"""


@pytest.mark.parametrize(("call", "packages"), [
    ("Two(L, P, Q.k)", {"P.V", "P.first.W", "P.W", "Q.k.x.W"}),
    ("Two(P, Q, L)", {"P.V", "P.first.W", "P.W", "Q.x.W"}),
    ("Two(L)", {"s.V", "s.first.W", "s.W", "s.Ψ.x.W"}),
    ("Two(L, P)", {"P.V", "P.first.W", "P.W", "P.Ψ.x.W"}),
    ("Turned(L, P, Q)", {"Q.one.V", "Q.one.first.W", "Q.one.W", "P.two.x.W"}),
])  # fmt: skip
def test_a_head_may_have_several_packages_and_their_parts(call: str, packages: set[str]) -> None:
    """`Φ.first` stands beside `Φ`, in any order; the body's own parameters belong to the first package."""
    found = il.compile(FUNCTIONS + PACKAGES + f"s = {call}\noutput s").params
    assert set(found) == packages
    assert found[next(n for n in packages if n.endswith("x.W"))].shape == (2, 4)
