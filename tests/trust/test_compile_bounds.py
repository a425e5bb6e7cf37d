"""A short text that would grow beyond all bounds is refused with a message."""

import pytest

import indexlang as il


def doubled(levels: int) -> str:
    """Formulas that call the one before twice."""
    steps = "".join(f"def f{n + 1}(a) = f{n}(a) + f{n}(a)\n" for n in range(levels))
    return f"def f0(a) = a\n{steps}input X[3]\nY[i] = f{levels}(X[i])\n"


GROWING = {
    "a loop": ("A_0[i:3] = 1.0*i\nfor l in 1..100000:\n    A_{l}[i] = A_{l-1}[i]*2\n", "E0903"),
    "an empty loop": ("A[i:3] = 1.0*i\nfor a in 1..199999:\n    x = a\n", "E0903"),
    "formulas that double": (doubled(16), "E0904"),
    "formulas that nest": (doubled(40), "E0106"),
    "2^62 elements": ("Y[" + ",".join(f"i{k}:2" for k in range(62)) + "] = 1.0*i0\n", "E0902"),
}


@pytest.mark.parametrize("name", GROWING)
def test_growth_is_refused(name: str) -> None:
    text, code = GROWING[name]
    found = il.check(text)
    assert {d.code for d in found} == {code}
    assert all(d.hint for d in found)
