"""The wheel has everything a program needs, and works where the repository is not."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROGRAM = "input X[5]\nA[i] = 2*X[i]\n"
WRONG = "input X[5]\nA[i:5] = X[i+1]\n"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built wheel. Nothing is fetched: the build backend must be installed (`pip install '.[dev]'`)."""
    pytest.importorskip("hatchling", reason="building a wheel needs hatchling: pip install '.[dev]'")
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-build-isolation",
        "--no-deps",
        "--wheel-dir",
        folder,
    ]
    subprocess.run([*command, ROOT], check=True, capture_output=True, timeout=300)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_the_wheel_is_whole(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for folder in ("indexlang", "kernels", "grammar"):
        inside = folder if folder == "indexlang" else f"indexlang/{folder}"
        wanted = {
            f"{inside}/{path.relative_to(ROOT / folder)}"
            for ending in ("*.py", "*.lark", "*.json", "*.idx", "*.toml")
            for path in (ROOT / folder).rglob(ending)
        }
        assert wanted
        assert wanted <= names
    assert any(name.endswith("entry_points.txt") for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_wheel_has_nothing_else(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    assert all(top == "indexlang" or top.endswith(".dist-info") for top in tops)


def test_it_works_without_the_repository(unpacked: Path, tmp_path: Path):
    (tmp_path / "good.idx").write_text(PROGRAM)
    (tmp_path / "bad.idx").write_text(WRONG)
    where = run(unpacked, tmp_path, "import indexlang.kernels.machine as m; print(m.__file__)")
    assert Path(where.stdout.strip()).is_relative_to(unpacked)
    good = run(unpacked, tmp_path, "from indexlang.cli.main import main; main(['check', 'good.idx'])")
    assert (good.returncode, good.stdout) == (0, "good.idx: no errors\n"), good.stderr
    bad = run(unpacked, tmp_path, "from indexlang.cli.main import main; main(['check', 'bad.idx'])")
    assert bad.returncode == 1
    assert "error[E0412]" in bad.stderr


def run(package: Path, folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Python code in a new process that finds the unpacked wheel first."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    start = f"import sys; sys.path.insert(0, {str(package)!r}); {code}"
    command = [sys.executable, "-c", start]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)
