"""Generated source is checked against a list of what it may hold, and no word of a user becomes code."""

import ast
import keyword

import numpy as np
import pytest

import indexlang as il
from indexlang.emit import guard
from indexlang.emit.expressions import _FUNCTIONS
from indexlang.emit.guard import Forbidden, check_source
from indexlang.emit.names import Readable
from indexlang.emit.numba_cpu import _one_line
from indexlang.emit.words import IMPORTS, is_word
from indexlang.run import kernels

GOOD = """# y[i:3] = exp(x[i])
from indexlang.kernels.lang import input_f64, output_f64
from indexlang.kernels.scalar import exp_f64


def kernel_0123456789abcdef(start, stop, args):
    x = input_f64(args[0])
    y = output_f64(args[1])
    for i in range(start, stop):
        y[i] = exp_f64(x[i])
"""
BODY = "        y[i] = exp_f64(x[i])"
DEF = "def kernel_0123456789abcdef(start, stop, args):"
IMPORT = "from indexlang.kernels.scalar import exp_f64"

# What is put in place of what.
ATTACKS = {
    "a call of a built-in": (BODY, "        y[i] = open(0)"),
    "eval": (BODY, "        y[i] = eval(x[i])"),
    "an attribute": (BODY, "        y[i] = x.base"),
    "a call through an attribute": (BODY, "        exp_f64.__globals__.clear()"),
    "a call of what is read": (BODY, "        y[i](x[i])"),
    "a call of a call": (BODY, "        exp_f64(x[i])(x[i])"),
    "a text": (BODY, "        y[i] = 'a'"),
    "bytes": (BODY, "        y[i] = b'a'"),
    "None": (BODY, "        y[i] = None"),
    "an ellipsis": (BODY, "        y[i] = ..."),
    "a complex number": (BODY, "        y[i] = 1j"),
    "a formatted text": (BODY, "        y[i] = f'{x}'"),
    "a lambda": (BODY, "        y[i] = (lambda: 1)()"),
    "a comprehension": (BODY, "        y[i] = [x for x in x]"),
    "a tuple": (BODY, "        y[i] = 1, 2"),
    "a starred argument": (BODY, "        y[i] = exp_f64(*x)"),
    "a keyword": (BODY, "        y[i] = exp_f64(x=1)"),
    "a walrus": (BODY, "        y[i] = (z := 1)"),
    "a slice": (BODY, "        y[i] = x[1:2]"),
    "a power": (BODY, "        y[i] = 9**9**9"),
    "a shift": (BODY, "        y[i] = 1 << 10**6"),
    "a number beyond 64 bits": (BODY, f"        y[i] = {10**40}"),
    "a dunder name": (BODY, "        y[i] = __builtins__"),
    "a new meaning of range": (BODY, "        range = exp_f64"),
    "a new meaning of an import": (BODY, "        exp_f64 = range"),
    "a new meaning of the arguments": (BODY, "        args = x"),
    "a loop over a name": (BODY, "        for j in x:\n            y[i] = 0"),
    "a loop over a call": (BODY, "        for j in exp_f64(1):\n            y[i] = 0"),
    "a loop with else": (BODY, "        for j in range(1):\n            y[i] = 0\n        else:\n            y[i] = 1"),
    "while": (BODY, "        while True:\n            y[i] = 0"),
    "try": (BODY, "        try:\n            y[i] = 0\n        finally:\n            y[i] = 0"),
    "with": (BODY, "        with x:\n            y[i] = 0"),
    "global": (BODY, "        global x"),
    "del": (BODY, "        del x"),
    "assert": (BODY, "        assert x"),
    "raise": (BODY, "        raise x"),
    "return": (BODY, "        return x"),
    "yield": (BODY, "        yield x"),
    "an augmented assignment": (BODY, "        y[i] += 1"),
    "an annotation": (BODY, "        z: open = 1"),
    "an import inside": (BODY, "        import os"),
    "a function inside": (BODY, "        def f():\n            y[i] = 0"),
    "a class inside": (BODY, "        class A:\n            y = 0"),
    "a name that is not ASCII": (BODY, "        ﬁ = 1"),
    "another module": (IMPORT, "from os import system as exp_f64"),
    "a module of ours that is no kernel": (IMPORT, "from indexlang.kernels.toolchain import compile_worker as exp_f64"),
    "another name of a module": (IMPORT, "from numpy import load as exp_f64"),
    "a dunder of a module": (IMPORT, "from numpy import __builtins__ as exp_f64"),
    "everything of a module": (IMPORT, "from indexlang.kernels.scalar import *"),
    "another name for a word": (IMPORT, "from indexlang.kernels.scalar import log_f64 as exp_f64"),
    "a relative import": (IMPORT, "from .indexlang.kernels.scalar import exp_f64"),
    "a plain import": (IMPORT, "import os"),
    "a statement before the function": (IMPORT, IMPORT + "\nexp_f64(1)"),
    "a loop before the function": (IMPORT, IMPORT + "\nfor i in range(10):\n    i = 1"),
    "a second function": (IMPORT, IMPORT + "\ndef kernel_0123456789abcdee(start, stop, args):\n    x = 1"),
    "a decorator": (DEF, f"@exp_f64\n{DEF}"),
    "a default": (DEF, DEF.replace("args)", "args=exp_f64(1))")),
    "an annotated argument": (DEF, DEF.replace("args)", "args: exp_f64(1))")),
    "an annotated result": (DEF, DEF.replace(":", " -> exp_f64(1):")),
    "more arguments": (DEF, DEF.replace("args)", "args, more)")),
    "any arguments": (DEF, DEF.replace("args)", "*args)")),
    "an asynchronous function": (DEF, f"async {DEF}"),
    "another name": (DEF, DEF.replace("kernel_0123456789abcdef", "open")),
    "a comment that ends with CR": ("# y[i:3]", "# \ropen(0)\r# y[i:3]"),
    "a comment with a form feed": ("# y[i:3]", "# \f y[i:3]"),
    "a comment with U+2028": ("# y[i:3]", "# \u2028open(0)"),
    "a NUL": ("# y[i:3]", "# \0"),
    "a lone surrogate": ("# y[i:3]", "# \udc80"),
    "no syntax": (BODY, "        y[i] = ("),
    "deep brackets": (BODY, f"        y[i] = {'(' * 5000}1{')' * 5000}"),
}


def test_the_pattern_is_accepted() -> None:
    check_source(GOOD)


@pytest.mark.parametrize("name", ATTACKS)
def test_what_no_kernel_needs_is_refused(name: str) -> None:
    there, instead = ATTACKS[name]
    assert there in GOOD
    with pytest.raises(Forbidden):
        check_source(GOOD.replace(there, instead, 1))


@pytest.mark.parametrize("text", ["", "\n", "x = 1\n", "# only a comment\n"])
def test_a_text_without_a_function_is_refused(text: str) -> None:
    with pytest.raises(Forbidden):
        check_source(text)


def test_every_kind_of_statement_and_expression_of_python_is_decided() -> None:
    """A later Python may have more of them: whatever is not in the list is refused."""
    allowed = {"For", "If", "Assign", "Expr", "Call", "Name", "Constant", "BinOp", "UnaryOp", "BoolOp", "Compare"}
    allowed |= {"IfExp", "Subscript"}
    kinds = {c.__name__ for base in (ast.stmt, ast.expr) for c in base.__subclasses__()}
    for kind in kinds - allowed:
        assert getattr(ast, kind) not in guard._BODY, kind


def test_nothing_is_compiled_that_was_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check stands between the text and the compiler, in every run."""
    seen: list[str] = []
    monkeypatch.setattr(kernels, "check_source", seen.append)
    monkeypatch.setattr(kernels, "_stores", [kernels.Store(None)])
    monkeypatch.setattr(kernels, "_addresses", {})
    il.compile("y[i] = 3*x[i] - 1", dtype="f64")(np.ones(2))
    assert seen
    assert all(text.startswith("#") for text in seen)


def test_the_functions_of_all_operations_are_words() -> None:
    for word in {w for words in _FUNCTIONS.values() for w in words}:
        assert is_word(word), word


# -- names


WORDS = (
    *(
        "exp_f64",
        "log_f32",
        "input_f64",
        "output_f64",
        "pointer_i64",
        "scratch_f32",
        "tile_14x2_f32",
        "tile_1x1_f64_add",
    ),
    *("plus", "times", "shift", "max2", "min2", "atomic_min", "relu", "sign", "absolute", "floordiv", "mod", "to_int"),
    *("start", "stop", "args", "n", "range", "f32", "f64", "i64", "inf", "nan", "fail", "status", "limit", "size"),
    *("class", "def", "import", "lambda", "match", "case", "None", "True", "print", "open", "exec", "eval", "self"),
    *("v0", "v1", "t1", "kernel", "numpy", "math", "once", "offsets", "segments"),
)


@pytest.mark.parametrize("word", WORDS)
def test_any_word_may_be_a_tensor_and_an_index(word: str) -> None:
    text = (
        f"input {word}[3, 4]\ninput M[4, 5]\nE[k] = exp({word}[0,k]) - 7 // 2\nC[{word}_2,k] = sum {word}[{word}_2,j]*M[j,k]\n"
        f"D[{word}_] = max[j] {word}[{word}_,j]\noutput C, D, E\n"
    )
    if il.check(text):  # a word of the notation: refused with a message
        assert all(d.code and d.hint for d in il.check(text))
        return
    rng = np.random.default_rng(3)
    a, m = rng.standard_normal((3, 4)), rng.standard_normal((4, 5))
    got = il.compile(text, dtype="f64")(a, m)
    np.testing.assert_allclose(got["C"], a @ m, rtol=1e-12)
    np.testing.assert_allclose(got["D"], a.max(1))
    np.testing.assert_allclose(got["E"], np.exp(a[0]) - 3, rtol=1e-12)


HOSTILE = (
    *("x\n    import os", "x\r\nopen(0)", "'''", '"""', "# x", "\\", "a;b", "a b", "{x}", "%s", "a\0b", "\udc80", "𝐱"),
    *("ﬁ", "fi", "ſ", "Ⅷ", "²", "٣", "_", "__class__", "__builtins__", "", "é", "x'", "x" * 5000, "\u202e", "0", "9x"),
)


def test_names_of_generated_code_are_ascii_unique_and_no_words() -> None:
    namer, every = Readable(), dict.fromkeys((*HOSTILE, *WORDS, *keyword.kwlist))
    names = [namer(kind, name) for kind in ("tensor", "index") for name in every]
    assert len(set(names)) == len(names)
    for name in names:
        assert name.isascii(), name
        assert name.isidentifier(), name
        assert not name.startswith("_"), name
        assert not keyword.iskeyword(name)
        assert not keyword.issoftkeyword(name)
        assert not is_word(name)
        assert len(name) < 60


LOOK_ALIKES = (("ﬁ", "fi"), ("ſ", "s"), ("𝐱", "x"), ("α", "alpha"), ("é", "e"), ("x'", "x_p"), ("\u212a", "K"))


@pytest.mark.parametrize(("one", "other"), LOOK_ALIKES)
def test_names_that_python_takes_for_one_stay_two(one: str, other: str) -> None:
    text = f"input {one}[3]\ninput {other}[3]\ny[i] = {one}[i] - 2*{other}[i]\noutput y\n"
    found = il.check(text)
    if any(d.severity.name == "ERROR" for d in found):
        assert all(d.hint for d in found)
        return
    got = il.compile(text, dtype="f64")(np.arange(3.0), np.ones(3))
    np.testing.assert_array_equal(got, np.arange(3.0) - 2)


@pytest.mark.parametrize("hidden", ["\r", "\x0c", "\x0b", "\x85", "\u2028", "\u202e", "\0"])
def test_a_title_cannot_end_its_comment(hidden: str) -> None:
    title = _one_line(f"y[i] = x[i]{hidden}import os")
    assert title.isascii()
    assert title.isprintable()
    check_source(GOOD.replace("# y[i:3] = exp(x[i])", f"# {title}"))


def test_imports_are_those_of_kernels() -> None:
    assert set(IMPORTS) == {
        "indexlang.kernels.lang",
        "indexlang.kernels.lanes",
        "indexlang.kernels.masks",
        "indexlang.kernels.running",
        "indexlang.kernels.scalar",
        "indexlang.kernels.contract",
        "numpy",
        "math",
    }
