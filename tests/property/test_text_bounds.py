"""Whatever a text repeats, deep, wide or often, is checked in time and memory that have a bound, or refused with a code.

Never a crash: each recursive construct of the language is nested beyond its limit, and just within it.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from test_scaling import ROOT, SHAPES

from indexlang.checking import check
from indexlang.infer.scope import MOST_COMPARED
from indexlang.syntax.lexer import MAX_NESTING, MAX_TOKENS
from indexlang.syntax.parse import BOUNDS, MAX_STATEMENTS

SECONDS = 20.0  # of process time, on a machine that has other work
STRICT = 2.5  # on a quiet one


def nested(head: str, inner: str, depth: int) -> str:
    return "".join(" " * k + head.replace("#", str(k)) + "\n" for k in range(depth)) + " " * depth + inner + "\n"


def functions(head: str, call: str, count: int) -> str:
    first = head.replace("#", "0").format(body="2*L")
    others = "".join(head.replace("#", f"{k + 1}").format(body=f"F{k}(L)") for k in range(count))
    return "input X[3]\n" + first + others + call.replace("#", f"{count}")


DEF, BLOCK, SCALAR = "def F#(L[I]) = {body}\n", "def F#(L[I]):\n    return {body}\n", "def F#(L) = {body}\n"
TWICE = "input X[3]\ndef F(L[I]):\n    A0 = L + L\n"
DERIVATIVES = "input X[3]\nparam W[3]\nL0 = sum[i] W[i]*X[i]*W[i]*W[i]\n"

REFUSED = {
    "a chain of functions": (functions(DEF, "A = F#(X)\n", 3000), "E0106"),
    "a chain of functions in blocks": (functions(BLOCK, "A = F#(X)\n", 1500), "E0106"),
    "a chain of functions of scalars": (functions(SCALAR, "A[i] = F#(X[i])\n", 3000), "E0106"),
    "loops": (nested("for l# in 1..1:", "A[i:3] = 1.0*i", 1000), "E0106"),
    "choices in blocks": (nested("if 1 < 2:", "A[i:3] = 1.0*i", 1000), "E0106"),
    "functions in functions": (nested("def F#(L[I]):", "return 1", 1000), "E0106"),
    "a sum": ("input X[3]\nA[i] = " + " + ".join(["X[i]"] * 10_000) + "\n", "E0106"),
    "a product": ("input X[3]\nA[i] = " + "*".join(["X[i]"] * 10_000) + "\n", "E0106"),
    "conditions": ("input X[3]\nA[i] = 1 if " + " and ".join(["X[i] < 1"] * 5000) + " else 0\n", "E0106"),
    "comparisons": ("input X[3]\nA[i] = 1 if " + " < ".join(["X[i]"] * 5000) + " else 0\n", "E0905"),
    "joined vectors": ("input X[3]\nA = " + " ; ".join(["X"] * 5000) + "\n", "E0905"),
    "arguments": ("input X[3]\nA[i] = max(" + ", ".join(["X[i]"] * 5000) + ")\n", "E0905"),
    "axes": ("input X[" + ",".join(["2"] * 3000) + "]\nA = 2*X\n", "E0905"),
    "subscripts": ("A[i:3] = X[" + ",".join(["i"] * 3000) + "]\n", "E0905"),
    "indices of a reduction": ("A = sum[" + ",".join(f"i{k}:1" for k in range(3000)) + "] 1.0\n", "E0905"),
    "turns inside turns": (nested("for l# in 1..2:", "A_{l1}[i:3] = 1.0*i", 20), "E0903"),
    "equations": ("input X[3]\n" + "".join(f"A{k}[i] = X[i] + {k}\n" for k in range(MAX_STATEMENTS)), "E0903"),
    "declarations": ("".join(f"input X{k}\n" for k in range(MAX_STATEMENTS + 1)), "E0903"),
    "formulas": ("$$A=1$$\n" * (MAX_STATEMENTS + 1), "E0903"),
    "a long formula": ("$$A = " + "x + " * 50_000 + "1$$\n", "E0905"),
    "words": ("t = [" + ",".join(["1"] * MAX_TOKENS) + "]\n", "E0905"),
}  # fmt: skip

GOOD = {
    "loops": nested("for l# in 1..1:", "A[i:3] = 1.0*i", MAX_NESTING - 1),
    "choices in blocks": nested("if 1 < 2:", "A[i:3] = 1.0*i", MAX_NESTING - 1),
    "a sum": "input X[3]\nA[i] = " + " + ".join(["X[i]"] * 190) + "\n",
    "a product": "input X[3]\nA[i] = " + "*".join(["X[i]"] * 190) + "\n",
    "comparisons": "input X[3]\nA[i] = 1 if " + " < ".join(["X[i]"] * 90) + " else 0\n",
    "joined vectors": "input X[3]\nA = " + " ; ".join(["X"] * 500) + "\n",
    "axes": "input X[" + ",".join(["1"] * 64) + "]\nA = 2*X\n",
    "a chain of functions": functions(DEF, "A = F#(X)\n", 25),
    "a chain of equations": SHAPES["a chain of equations"](40_000),
    "a chain of equations from its end": "input X[3]\n" + "".join(f"A{k + 1}[i] = A{k}[i]\n" for k in range(1999, -1, -1)) + "A0[i] = X[i]\n",
    "constants from their end": "".join(f"a{k + 1} = a{k} + 1\n" for k in range(1999, -1, -1)) + "a0 = 1\nA[i:3] = a2000*i\n",
    "constants of a loop": "".join(f"a{k + 1} = a{k} + 1\n" for k in range(1999, -1, -1)) + "a0 = 1\nfor l in 1..2:\n    A_{l}[i:3] = a2000*i\n",
    "derivatives of derivatives": DERIVATIVES + "".join(f"G{k}[i] = d(L{k})/d(W[i])\nL{k + 1} = sum[i] G{k}[i]*W[i]\n" for k in range(30)) + "output L30\n",
    "derivatives inside each other": "input X\nA = " + "d(" * 90 + "X*X" + ")/d(X)" * 90 + "\n",
    "values used twice": TWICE + "".join(f"    A{k + 1} = A{k} + A{k}\n" for k in range(45)) + "    return A45\nB = F(X)\n",
    "a long table": "t = [" + ",".join(["1"] * 20_000) + "]\nA[i:3] = t[2]*i\n",
    "a long name": "A" * 900_000 + "[i:3] = 1.0*i\n",
    "a long comment": "# " + "x" * 900_000 + "\nA[i:3] = 1.0*i\n",
    "empty lines": "\n" * 900_000 + "A[i:3] = 1.0*i\n",
}  # fmt: skip


def codes(text: str) -> list[str]:
    started = time.process_time()
    found = check(text)
    assert time.process_time() - started < SECONDS
    return [d.code for d in found if d.severity.value == "error"]


@pytest.mark.parametrize("name", REFUSED)
def test_too_much_is_refused_with_its_code(name: str) -> None:
    text, code = REFUSED[name]
    assert codes(text) == [code]


@pytest.mark.parametrize("name", GOOD)
def test_what_is_within_the_limits_is_checked(name: str) -> None:
    assert codes(GOOD[name]) == []


def test_files_that_include_each_other_have_a_limit(tmp_path: Path) -> None:
    for k in range(1000):
        (tmp_path / f"f{k}.idx").write_text(f'include "f{k + 1}.idx"\n')
    (tmp_path / "f1000.idx").write_text("A[i:3] = 1.0*i\n")
    found = check(tmp_path / "f0.idx")
    assert [d.code for d in found] == ["E0220"]
    assert f"{MAX_NESTING}" in found[0].message
    assert check(tmp_path / "f950.idx") == []


def test_many_unknown_names_get_few_guesses() -> None:
    """Looking for names alike compares each with all: after many comparisons there are messages without guesses."""
    text = "input X[3]\n" + "".join(f"A{k}[i] = X[i] + Yes{k}[i]\n" for k in range(1000))
    found = [d for d in check(text) if d.code == "E0201"]
    assert len(found) == 1000
    guesses = [d for d in found if "did you mean" in d.hint]
    assert len(guesses) <= MOST_COMPARED / 1000 + 1


def test_every_bound_has_a_test() -> None:
    told = [d.message for text, code in REFUSED.values() if code == "E0905" for d in check(text)]
    for bound in BOUNDS:
        assert any(m.endswith(f"{bound.limit} {bound.what}") for m in told), bound


MEASURED = """
import resource, sys, time
sys.path[:0] = ["tests/property"]
from indexlang.checking import check
from test_text_bounds import LONG
name, size = sys.argv[1:]
text = LONG[name](int(size))
started = time.process_time()
check(text)
print(time.process_time() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""

LONG: dict[str, Callable[[int], str]] = {
    **SHAPES,
    "long names": lambda n: "".join(f"{'A' * 1000}{k}[i:3] = 1.0*i\n" for k in range(n // 1010)),
    "tensors": lambda n: "".join(f"input X{k}[3]\n" for k in range(n // 14)),
    "one tensor often": lambda n: "A[i:3] = 1.0*i\n" * (n // 15),
    "terms of one tensor": lambda n: "A[i:3] += 1.0*i\n" * (n // 15),
    "constants": lambda n: "".join(f"x{k + 1} = x{k}+1\n" for k in range(n // 18, -1, -1)),
    "a table": lambda n: "t = [" + ",".join(["1"] * (n // 2)) + "]\nA[i:3] = t[1]*i\n",
    "blocks": lambda n: "for l in 1..2:\n    A_{l} = 1\n" * (n // 28),
    "functions": lambda n: "".join(f"def F{k}(L[I]) = 2*L\n" for k in range(n // 22)),
    "calls": lambda n: "input X[1,8,8,3]\n" + "".join(f"A{k} = Conv(X, f{k}, width 3, features 4)\n" for k in range(n // 42)),
    "derivatives": lambda n: DERIVATIVES + "".join(f"G{k}[i] = d(L0)/d(W[i])\n" for k in range(n // 22)),
    "sums": lambda n: "input X[3]\n" + "".join(f"A{k}[i] = 2*X[i] + sum[j:3] X[j]*X[i] - {k}\n" for k in range(n // 44)),
    "numbered formulas": lambda n: "".join(f"$$A_{{{k}}}[i] = X[i] + {k}$$\n" for k in range(n // 24)),
}  # fmt: skip


@pytest.mark.soak
@pytest.mark.parametrize("size", [100_000, 1 << 20])
@pytest.mark.parametrize("name", LONG)
def test_any_long_text_is_done_with_soon(name: str, size: int) -> None:
    """In a process of its own: seconds of a quiet machine, and memory, that of the interpreter included."""
    ended = subprocess.run(
        [sys.executable, "-c", MEASURED, name, str(size)], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 0, ended.stderr
    seconds, peak = map(float, ended.stdout.split())
    assert seconds <= STRICT
    assert peak <= 200
