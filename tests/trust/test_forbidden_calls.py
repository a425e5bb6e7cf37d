"""No `eval`, no pickle, no shell, no reading from the net anywhere in the package: looked for in its syntax trees."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(p for folder in ("indexlang", "kernels") for p in (ROOT / folder).rglob("*.py"))

# Modules that read or run what they are given, or fetch it.
MODULES = frozenset(
    (
        *("pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "yaml", "subprocess"),
        *("urllib", "http", "requests", "httpx", "ftplib", "telnetlib", "smtplib", "xmlrpc", "asyncio", "socketserver"),
        *("webbrowser", "pty", "code", "codeop", "runpy", "imp", "multiprocessing", "xml", "builtins"),
    )
)
BUILT_IN = frozenset(("eval", "exec", "compile", "__import__", "breakpoint"))
OF_OS = frozenset(("system", "popen", "execv", "execve", "execvp", "execl", "spawnv", "spawnl", "startfile"))
# Called as an attribute of anything.
ATTRIBUTES = frozenset(("literal_eval", "extractall", "unsafe_load", "full_load", "load_module", "exec_module"))
# (file, what): why it may.
ALLOWED = {
    ("kernels/toolchain.py", "exec"): "compiles generated source, which emit/guard.py has checked",
    ("kernels/toolchain.py", "compile"): "the same text, before it",
}


def calls(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and name of everything that is called, imported or given as an argument and is forbidden."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, n.name) for n in names if n.name.split(".")[0] in MODULES)
            case ast.ImportFrom(module=str(module), level=0) if module.split(".")[0] in MODULES:
                yield node.lineno, module
            case ast.Name(id=name) if name in BUILT_IN:
                yield node.lineno, name
            case ast.Call(func=ast.Attribute(attr=name)) if name in ATTRIBUTES:
                yield node.lineno, name
            case ast.Attribute(value=ast.Name(id="os"), attr=name) if name in OF_OS:
                yield node.lineno, name
            case ast.keyword(arg="allow_pickle" | "shell" as name, value=value) if not _is_false(value):
                yield value.lineno, name
            case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr="load")):
                yield node.lineno, "np.load"
            case ast.Call(func=ast.Attribute(value=ast.Name(id="torch"), attr="load")):
                yield node.lineno, "torch.load"
            case _:
                pass


def _is_false(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is False


def found(path: Path) -> list[str]:
    name = path.relative_to(ROOT).as_posix()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [f"{name}:{line}: {what}" for line, what in calls(tree) if (name, what) not in ALLOWED]


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_module_calls_nothing_forbidden(path: Path) -> None:
    assert found(path) == []


@pytest.mark.parametrize(
    "text",
    [
        *("eval('1')", "x = exec", "import pickle", "from pickle import loads", "import yaml", "os.system('ls')"),
        *("np.load(p)", "np.load(p, allow_pickle=True)", "f(shell=True)", "f(allow_pickle=x)", "__import__('os')"),
        *("import urllib.request", "from subprocess import run", "torch.load(p)"),
    ],
)
def test_the_rule_sees_what_it_is_for(text: str) -> None:
    assert list(calls(ast.parse(text)))


def test_the_exceptions_are_still_there() -> None:
    for name, what in ALLOWED:
        tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
        assert what in {w for _, w in calls(tree)}, f"{name} no longer needs `{what}`"


def test_exec_stands_in_one_line() -> None:
    lines = [p.name for p in FILES for _, what in calls(ast.parse(p.read_text(encoding="utf-8"))) if what == "exec"]
    assert lines == ["toolchain.py"]
