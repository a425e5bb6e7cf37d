"""Checking takes time linear in the text: each kind of token, nesting, equations, indices, lengths of names and numbers.

The exponent is measured in process time, at two sizes eight times apart; the least of several runs counts.
"""

import math
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import indexlang as il

ROOT = Path(__file__).resolve().parents[2]
EXPONENT = 1.2
MOST = 1 << 20  # characters
TIMES = 3
FLOOR = 0.05  # seconds: what takes less is not measured well
NOTHING = 0.02  # seconds that any check may take


def equations(n: int) -> str:
    return "input X[3]\n" + "".join(f"A{k}[i] = X[i] + {k}\n" for k in range(n // 20))


def chain(n: int) -> str:
    return "input X[3]\nA0[i] = X[i]\n" + "".join(f"A{k + 1}[i] = A{k}[i]\n" for k in range(n // 18))


def terms(n: int) -> str:
    return "input X[3]\nA[i] = " + " + ".join(["X[i]"] * (n // 7)) + "\n"


def wide(n: int) -> str:
    return "A = " + "X[" + ",".join(f"i{k}" for k in range(n // 8)) + "]\n"


def statements_with_faults(n: int) -> str:
    return "A[i] = X[i] + * 2\n" * (n // 18)


def unknown_names(n: int) -> str:
    return "input X[3]\n" + "".join(f"A{k}[i] = Y{k}[i]\n" for k in range(n // 18))


def repeated(piece: str, before: str = "", behind: str = "\n") -> Callable[[int], str]:
    return lambda n: before + piece * (n // len(piece)) + behind


SHAPES: dict[str, Callable[[int], str]] = {
    "equations": equations,
    "a chain of equations": chain,
    "terms of a sum": terms,
    "indices of an access": wide,
    "faults": statements_with_faults,
    "unknown names": unknown_names,
    "a comment": repeated("x", "# "),
    "comments": repeated("# a\n"),
    "empty lines": repeated("\n"),
    "spaces": repeated(" ", "A = 1"),
    "a name": repeated("x", "A[i] = X[i] + "),
    "a number": repeated("7", "A = "),
    "a string": repeated("x", 'input X[3] from "', '"\n'),
    "an open string": repeated("x", 'input X[3] from "'),
    "brackets": repeated("(", "A = "),
    "square brackets": repeated("[", "A = X"),
    "braces": repeated("{", "A_"),
    "closing brackets": repeated(")", "A = 1"),
    "minus signs": repeated("-", "A = ", "1\n"),
    "powers": repeated("2^", "A = ", "1\n"),
    "commas": repeated(",", "A = X["),
    "semicolons": repeated(";", "A = X"),
    "colons": repeated(":", "A"),
    "primes": repeated("'", "A"),
    "dots": repeated(".", "A = "),
    "letters of other scripts": repeated("Δ", "A = "),
    "strange characters": repeated("§", "A = "),
    "sums": repeated("sum ", "A = ", "1\n"),
    "choices": repeated("1 if ", "A = ", "1\n"),
    "nots": repeated("not ", "A = ", "1\n"),
    "comparisons": repeated("1<", "A = ", "1\n"),
    "operators": repeated("+ "),
    "headless blocks": repeated("for l in 1..3:\n"),
    "formulas": repeated("$$A[i] = X[i]$$\n"),
    "LaTeX brackets": repeated("\\left(", "$$A = ", "$$\n"),
    "LaTeX commands": repeated("\\frac", "$$A = ", "$$\n"),
}


def spent(text: str) -> float:
    """Process time of one check; the least of several, fewer of them where it takes long."""
    best = math.inf
    for _ in range(TIMES):
        started = time.process_time()
        il.check(text)
        best = min(best, time.process_time() - started)
        if best > 1:
            break
    return best


def exponent(make: Callable[[int], str], most: int) -> float:
    """Of time against length, from a size at which time can be measured; 0 where it never can."""
    size = 2000
    short = spent(make(size))
    while short < FLOOR and size * 8 <= most:
        size *= 4
        short = spent(make(size))
    if short < FLOOR or size * 2 > most:
        return 0.0
    times = min(8, most // size)
    return math.log(spent(make(times * size)) / short) / math.log(times)


@pytest.mark.soak
@pytest.mark.parametrize("name", SHAPES)
def test_time_is_linear_in_the_text(name: str) -> None:
    assert exponent(SHAPES[name], MOST // 16) <= EXPONENT


@pytest.mark.soak
@pytest.mark.parametrize("name", SHAPES)
def test_time_is_linear_up_to_a_megabyte(name: str) -> None:
    assert exponent(SHAPES[name], MOST) <= EXPONENT


DEEP = {
    "brackets": "A = " + "(" * 300 + "1" + ")" * 300,
    "accesses": "input X[3] : int\nA = " + "X[" * 300 + "0" + "]" * 300,
    "calls": "A = " + "exp(" * 300 + "1" + ")" * 300,
    "minus signs": "A = " + "-" * 3000 + "1",
    "nots": "A = 1 if " + "not " * 3000 + "(1 < 2) else 0",
    "powers": "A = " + "2^" * 3000 + "1",
    "sums": "input X[3]\nA = " + "".join(f"sum[i{k}:2] " for k in range(3000)) + "1.0",
    "choices": "input X\nA = " + "X if 1 < 2 else " * 3000 + "X",
    "braces of LaTeX": "$$A = " + "\\frac{1}{" * 300 + "1" + "}" * 300 + "$$",
}


@pytest.mark.parametrize("name", DEEP)
def test_depth_has_a_limit_with_a_message(name: str) -> None:
    found = [d for d in il.check(DEEP[name] + "\n") if d.severity.value == "error"]
    assert [d for d in found if d.code in ("E0106", "E0120")], found


SCRIPT = """
import resource, sys, time
import indexlang as il
text = "input X[3]\\n" + "".join(f"A{k}[i] = 2*X[i] + sum[j:3] X[j]*X[i] - {k}\\n" for k in range(1 << 20))[: 1 << 20]
text = text[: text.rindex("\\n") + 1]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
started = time.process_time()
found = il.check(text)
print(len(found), time.process_time() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, before / 1024)
"""


def test_a_text_that_is_too_long_is_refused_at_once() -> None:
    started = time.process_time()
    found = il.check("A[i] = X[i]\n" * (4 << 20))
    assert "E0003" in [d.code for d in found]
    assert time.process_time() - started < 2


@pytest.mark.soak
def test_a_megabyte_is_checked_within_its_limits() -> None:
    ended = subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    count, seconds, peak, _ = map(float, ended.stdout.split())
    assert count <= 1  # it is refused: E0903, or E0905
    assert seconds <= 2
    assert peak <= 200
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss > 0
