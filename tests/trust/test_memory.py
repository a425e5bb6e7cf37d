"""Memory is computed in whole numbers and compared with the limit before any of it is taken."""

import resource
from pathlib import Path

import numpy as np
import pytest
from commandline import indexlang

import indexlang as il
from indexlang import memory

MIB = 1 << 20
CHAIN = "input x[N]\na[i] = x[i] + 1\nb[i] = a[i]*a[i] + sum[j:3] a[(i+j)%N]\nc[i] = b[i] - a[N-1-i]\noutput c\n"


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch):
    def set_to(size: int) -> None:
        monkeypatch.setenv("INDEXLANG_MEMORY", str(size))

    return set_to


def told(*arguments, **named) -> str:
    with pytest.raises(il.DataError) as caught:
        il.compile(*arguments, **named)(np.ones(MIB))
    (found,) = caught.value.diagnostics
    assert found.code == "E0901"
    assert found.hint
    return found.message


def test_what_lives_at_once_is_counted_together(limit) -> None:
    """The input, one tensor of the arena and the output have 8 MiB each; `b` is made inside `c`."""
    limit(25 * MIB)
    assert il.compile(CHAIN, dtype="f64")(np.ones(MIB)).shape == (MIB,)
    limit(23 * MIB)
    assert told(CHAIN, dtype="f64") == "`x` needs 8 MiB, and all that lives at once 24 MiB, but only 23 MiB are allowed"


def test_tensors_that_follow_each_other_share_memory(limit) -> None:
    """Ten steps need no more than two tensors of the arena."""
    steps = "".join(f"a{k + 1}[i] = a{k}[i]*2 + a{k}[N-1-i]\n" for k in range(10))
    limit(33 * MIB)
    text = f"input a0[N]\n{steps}output a10\n"
    assert il.compile(text, dtype="f64")(np.ones(MIB))[0] == 3.0**10


def test_one_tensor_beyond_the_limit_is_named(limit) -> None:
    limit(7 * MIB)
    assert told(CHAIN, dtype="f64").startswith("`x` needs 8 MiB, but only 7 MiB are allowed")


def test_parameters_are_counted_before_they_are_drawn(limit) -> None:
    limit(40 * MIB)
    text = "input x[1]\nparam W[4000,1000] ~ xavier\nparam V[4000,1000] ~ xavier\ny[i] = sum (W[i,j] + V[i,j])*x[0]\n"
    program = il.compile(text, dtype="f64")
    with pytest.raises(il.DataError, match="all that lives at once 61 MiB"):
        _ = program.params["W"]
    assert not program._own.names_of_values
    limit(200 * MIB)
    assert program(np.ones(1)).shape == (4000,)


def test_example_inputs_are_counted_before_they_are_drawn(limit) -> None:
    limit(MIB)
    with pytest.raises(il.DataError, match="E0901"):
        il.compile("input X[1000,1000]\ny = sum X[i,j]\n").example_inputs()


def test_nothing_is_taken_before_it_is_compared() -> None:
    """Tensors of 2^50 bytes in all places: refused, and the process is no larger for it."""
    size = 1 << 47
    texts = (
        f"a[i:{size}] = 2.0*i\n",
        f"input x[{size}]\na = sum x[i]\n",
        f"param W[{size}] ~ xavier\na = sum W[i]\n",
        f"state s[{size}] = 0\na = sum s[i]\ns[i] <- s[i] + 1\n",
        f"a[i:{size}] ~ uniform(0, 1)\nb = sum a[i]\n",
        f"input A[3]\ntensor h[{size}]\nh[3*i] += 1.5*A[i]\n",
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for text in texts:
        program = il.compile(text)
        with pytest.raises(il.DataError) as caught:
            program(*(np.broadcast_to(np.float32(1), [int(m) for m in t.extents]) for t in program.inputs.values()))
        assert caught.value.diagnostics[0].code == "E0901", text
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024


EDGES = (2**31 - 1, 2**31, 2**31 + 1, 2**32, 2**53 + 1, 2**62, 2**63 - 1, 2**63, 2**64, 10**30, "1" + "0" * 5000)
PLACES = (
    "A[i:{}] = 1.5*i\n",
    "A[i:{},j:{}] = 1.5*i*j\n",
    "input X[{}]\nA[i] = 2*X[i]\n",
    "input X[{},{},{}]\nA = sum X[i,j,k]\n",
    "param W[{}] = 0\nA = sum W[i]\n",
    "A = sum[i:{}] 1.5*i\n",
    "A[i:3] = 1.5*(i + {})\n",
    "A[i:3] = {}*i\n",
    "input X[3]\nA[i:3] = X[i*{} else 0]\n",
    "input X[3]\nA[i:3] = X[i - {} else wrap]\n",
    "n = {}\nA[i:n] = 1.5*i\n",
    "for l = 1..{}:\n    A_{{l}}[i:3] = 1.5*i\n",
    "A[i:{} // 2 + 1] = 1\n",
    "input X[5]\nA[i] = X[i % {}]\n",
)


@pytest.mark.parametrize("place", PLACES)
def test_no_size_near_the_edges_is_a_surprise(tmp_path: Path, place: str, limit) -> None:
    """Refused with a message, or right; never a crash, never memory without asking."""
    limit(64 * MIB)
    for edge in EDGES:
        file = tmp_path / "edge.idx"
        file.write_text(place.replace("{}", str(edge)).replace("{{", "{").replace("}}", "}"))
        ended = indexlang("check", str(file))
        assert ended.exit in (0, 1), (edge, ended.err)
        assert "Traceback" not in ended.err
        if ended.exit == 0 and ("input X[" + str(edge)) not in file.read_text() and "sum[i" not in place:
            ended = indexlang("run", str(file))
            assert ended.exit in (0, 1, 3), (edge, ended.err)
            assert "Traceback" not in ended.err


def test_the_limit_is_what_is_stated_or_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INDEXLANG_MEMORY", "12345")
    assert memory.memory_limit() == 12345
    for wrong in ("", "-1", "1e9", "²", "٣", "9" * 5000):
        monkeypatch.setenv("INDEXLANG_MEMORY", wrong)
        assert memory.memory_limit() > 12345
    monkeypatch.delenv("INDEXLANG_MEMORY")
    files = {"/proc/meminfo": "MemTotal: 9 kB\nMemAvailable: 5 kB\n", "/sys/fs/cgroup/memory.max": "max"}
    monkeypatch.setattr(memory, "_lines", lambda path: iter(files.get(path, "").splitlines()))
    assert memory.memory_limit() == 5 * 1024
    files |= {"/sys/fs/cgroup/memory.max": "3000", "/sys/fs/cgroup/memory.current": "1000"}
    assert memory.memory_limit() == 2000
    files.clear()
    assert memory.memory_limit() > 1 << 60
