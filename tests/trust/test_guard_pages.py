"""Nothing outside a tensor is read or written: each ends, or begins, at a page that may not be touched.

The programs are those of `guard_shapes`; `guarded` runs them in a process of its own, so that a stray access ends that
and not the tests. The results must have the bits of an ordinary run, and what lies around a tensor inside its page,
filled with NaN, must neither change them nor be changed.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from guard_shapes import SHAPES

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

pytestmark = pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="needs mprotect")


def child(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(HERE / "guarded.py"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1200)


def schedules(*arguments: str) -> dict[str, list[str]]:
    ended = child(*arguments)
    lines = ended.stdout.splitlines()
    assert ended.returncode == 0, f"exit {ended.returncode} at {lines[-1:]}: {ended.stderr[-2000:]}"
    return json.loads(lines[-1])


def test_the_pages_end_a_process_that_goes_too_far() -> None:
    assert child("overrun", "0").stdout == "survived\n"
    assert child("overrun", "1").returncode in (-signal.SIGSEGV, -signal.SIGBUS)


def test_every_kernel_shape_stays_inside() -> None:
    """A third of the members each way; together every shape, and every schedule there is."""
    found: dict[str, set[str]] = {}
    for arguments in (("f32", "literal", "0", "3"), ("f64", "named", "1", "3")):
        for name, kinds in schedules(*arguments).items():
            found.setdefault(name, set()).update(kinds)
    assert found.keys() == {shape.name for shape in SHAPES}
    for shape in SHAPES:
        assert any(kind.startswith(shape.schedule) for kind in found[shape.name]), f"{shape.name}: {found[shape.name]}"
    every = {kind.split()[0] for kinds in found.values() for kind in kinds}
    assert {"tile", "block", "inner", "rows", "serial", "scatter", "check", "turns"} <= every


MODELS = ("alexnet", "vgg11_bn", "resnet18", "resnet50", "resnext50_32x4d", "squeezenet1_1", "mobilenet_v2", "mnasnet1_3",
          "densenet121", "shufflenet_v2_x1_5", "googlenet", "inception_v3")  # fmt: skip


def test_a_wide_model_stays_inside() -> None:
    """Layers as wide as layers get have schedules of their own, for what does not stay in a cache."""
    assert schedules("model", "mobilenet_v2", "224")


@pytest.mark.soak
@pytest.mark.parametrize("side", [64, 224])
@pytest.mark.parametrize("name", MODELS)
def test_models_stay_inside(name: str, side: int) -> None:
    assert schedules("model", name, str(max(side, 139) if name == "inception_v3" else side))


@pytest.mark.soak
@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("extents", ["literal", "named"])
def test_every_member_stays_inside(dtype: str, extents: str) -> None:
    assert schedules(dtype, extents, "0", "1").keys() == {shape.name for shape in SHAPES}
