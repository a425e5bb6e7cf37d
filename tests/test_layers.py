"""Who may import whom: the table of `docs/architecture.md` as data, checked over every module.

An import inside a function is for an optional package only; `LATE` lists what is allowed beyond that, with its reason.
"""

import ast
import graphlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Each layer may import itself and the layers below it.
LAYERS = (
    ("cli",),
    ("train", "plot", "tuning"),
    ("api",),
    ("program",),
    ("keeping",),
    ("differentiable",),
    ("loading", "kept", "shown", "gradients", "differences", "examples", "sized", "calls"),
    ("graph", "export"),
    ("interop", "arguments", "initial", "parameters", "memory", "results", "timing", "summary"),
    ("pipeline",),
    ("checking",),
    ("including", "reading", "recent"),
    ("emit", "run"),
    ("kernels",),
    ("nest",),
    ("passes", "infer"),
    ("syntax", "ir"),
    ("text",),
)
# Beside the order: kernels know nothing of the rest, and only these know kernels.
KERNELS = "kernels"
KNOW_KERNELS = ("cli", "api", "program", "pipeline", "emit", "run", KERNELS)
# The package itself hands out the public names; its version is for everybody.
PACKAGE = "indexlang"

# Packages that cost time to import, and the only modules that may.
RESERVED = {
    "lark": ("indexlang.grammar",),
    "numba": ("indexlang.emit", "indexlang.run", "indexlang.kernels"),
    "llvmlite": ("indexlang.emit", "indexlang.run", "indexlang.kernels"),
    "click": ("indexlang.cli",),
    "PIL": ("indexlang.interop",),
    "matplotlib": ("indexlang.plot",),
    "sklearn": ("indexlang.train",),
    "skimage": ("indexlang.train",),
    "tensorboard": ("indexlang.train",),
    "safetensors": ("indexlang.interop",),
    "rich": ("indexlang.cli", "indexlang.train"),
    "onnx": ("indexlang.export",),
    "onnxruntime": (),
    "torch": (),
    "jax": (),
}
# Pure layers: no clock, no randomness, no environment, no files.
PURE = ("text", "syntax", "ir", "infer", "passes", "nest")
IMPURE = ("os", "time", "random", "secrets", "tempfile", "subprocess", "socket", "pathlib", "shutil", "datetime")
PURE_EXCEPT = {
    ("indexlang.syntax.parse", "pathlib"): "reads the grammar that is part of the package",
}
# (module, what it imports inside a function): why.
LATE = {
    (
        "indexlang.keeping",
        "indexlang.loading",
    ): "weights' formats and maps take their time: for those who read or write weights",
    ("indexlang.keeping", "indexlang.export.model"): "for those who export: not at every start",
    ("indexlang.shown", "indexlang.graph.draw"): "for those who draw: not at every start",
    (
        "indexlang.program",
        "indexlang.train.fit",
    ): "training is made of programs; `fit` is there for those who look for it here",
    ("indexlang.text.diagnostics", "indexlang.text.render"): "the renderer imports this module",
    (
        "indexlang.run.kernels",
        "indexlang.kernels.toolchain",
    ): "what writes LLVM is loaded only when something must be compiled",
}


@dataclass(frozen=True)
class Import:
    """One import: who, whom, and whether it stands at the top of the module."""

    module: str
    target: str
    at_top: bool
    line: int

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.target}"


def modules() -> dict[str, Path]:
    """Every module of the package, `indexlang.kernels` and `indexlang.grammar` included."""
    found = {}
    for folder in ("indexlang", "kernels", "grammar"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            parts = parts if folder == "indexlang" else ("indexlang", *parts)
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports_of(module: str) -> Iterator[Import]:
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    for node, at_top in walk(tree, at_top=True):
        match node:
            case ast.Import(names=names):
                for name in names:
                    yield Import(module, resolved(name.name), at_top, node.lineno)
            case ast.ImportFrom(module=source, names=names, level=0, lineno=line):
                for name in names:
                    assert name.name != "*", f"{module}:{line} imports *"
                    yield Import(module, resolved(f"{source}.{name.name}"), at_top, line)
            case ast.ImportFrom():
                raise AssertionError(f"{module}:{node.lineno} has a relative import")
            case _:
                pass


def walk(node: ast.AST, at_top: bool) -> Iterator[tuple[ast.AST, bool]]:
    """Every node, with whether it runs when the module is imported; what is for type checkers only is left out."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            continue
        inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield child, at_top
        yield from walk(child, at_top and not inside)


def resolved(name: str) -> str:
    """The longest start of a dotted name that is a module of ours; other names stay."""
    parts = name.split(".")
    if parts[0] != PACKAGE:
        return name
    return next(".".join(parts[:n]) for n in range(len(parts), 0, -1) if ".".join(parts[:n]) in MODULES)


IMPORTS = tuple(found for module in MODULES for found in imports_of(module))
OURS = tuple(found for found in IMPORTS if found.target.startswith(PACKAGE))
THEIRS = tuple(found for found in IMPORTS if not found.target.startswith(PACKAGE))


def layer(module: str) -> str:
    return [*module.split("."), ""][1]


def level(module: str) -> int:
    """How high a module stands; the text layer is 0."""
    for number, names in enumerate(reversed(LAYERS)):
        if layer(module) in names:
            return number
    raise AssertionError(f"{module} has no layer: give it one in LAYERS and in docs/architecture.md")


def inside(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


def test_every_module_has_a_layer():
    assert all(layer(module) in ("", "__main__", "grammar") or level(module) >= 0 for module in MODULES)


def test_imports_go_down():
    """`__main__` is above all; everyone may read the version."""
    wrong = [
        found
        for found in OURS
        if layer(found.module) not in ("", "__main__", KERNELS)
        and layer(found.target) not in ("", KERNELS, "grammar")
        and level(found.target) > level(found.module)
        and (found.module, found.target) not in LATE
    ]
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize("names", [names for names in LAYERS if len(names) > 1])
def test_neighbours_in_a_layer_import_in_one_direction(names: tuple[str, ...]):
    pairs = {(layer(i.module), layer(i.target)) for i in OURS if layer(i.module) in names and layer(i.target) in names}
    assert not [(a, b) for a, b in pairs if a != b and (b, a) in pairs]


def test_kernels_stand_alone():
    wrong = [found for found in OURS if layer(found.module) == KERNELS and layer(found.target) != KERNELS]
    wrong += [found for found in OURS if layer(found.target) == KERNELS and layer(found.module) not in KNOW_KERNELS]
    assert not wrong, "\n".join(map(str, wrong))


def test_no_module_imports_itself_round_a_corner():
    graph: dict[str, set[str]] = {module: set() for module in MODULES}
    for found in OURS:
        if found.at_top and found.target != found.module and found.target != PACKAGE:
            graph[found.module].add(found.target)
    graphlib.TopologicalSorter(graph).prepare()


def test_no_late_imports_of_our_own():
    late = {(found.module, found.target) for found in OURS if not found.at_top}
    assert late <= set(LATE), late - set(LATE)


@pytest.mark.parametrize("package", RESERVED)
def test_heavy_packages_stay_where_they_belong(package: str):
    wrong = [
        found
        for found in THEIRS
        if found.target.split(".")[0] == package and not inside(found.module, RESERVED[package])
    ]
    assert not wrong, "\n".join(map(str, wrong))


def test_pure_layers_are_pure():
    wrong = [
        found
        for found in THEIRS
        if layer(found.module) in PURE
        and found.target.split(".")[0] in IMPURE
        and (found.module, found.target.split(".")[0]) not in PURE_EXCEPT
    ]
    assert not wrong, "\n".join(map(str, wrong))


UNPICKLERS = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "yaml"}


def test_nothing_is_unpickled():
    """`eval` and `exec` are ruff's to refuse (S102, S307)."""
    wrong = [found for found in THEIRS if found.target.split(".")[0] in UNPICKLERS]
    assert not wrong, "\n".join(map(str, wrong))
