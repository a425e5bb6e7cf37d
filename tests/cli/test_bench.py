"""`indexlang bench`: every step's time belongs to an equation. Numbers are not looked at, only what they are of."""

import json
from pathlib import Path

import pytest
from commandline import indexlang

NET = "input X[B, 8, 8, 3]\nparam W[3, 3, 3, 4]\nY[b,x,y,j] = sum W[dx,dy,i,j]*X[b,x+dx,y+dy,i]\ns[b] = max[x,y,j] Y[b,x,y,j]\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.idx").write_text(NET, encoding="utf-8")


def test_a_table_of_equations_with_a_total() -> None:
    ended = indexlang("bench", "net.idx", "-D", "B=2", "--rounds", "2", "--threads", "1")
    assert ended.exit == 0, ended.err
    names = [line.split()[0] for line in ended.out.splitlines() if line]
    assert names[0] == "equation"
    assert {"Y", "s", "total", "The"} <= set(names)
    assert "preparing" not in ended.out


def test_json_has_the_same() -> None:
    told = json.loads(indexlang("bench", "net.idx", "-D", "B=2", "--rounds", "1", "--json").out)
    rows = {row["name"]: row for row in told["equations"]}
    assert rows["Y"]["multiply_adds"] == 2 * 6 * 6 * 4 * 27
    assert rows["Y"]["bytes"] == 4 * (2 * 6 * 6 * 4 + 2 * 8 * 8 * 3 + 3 * 3 * 3 * 4)
    assert {row["bound"] for row in rows.values()} <= {"compute", "memory", "overhead"}
    assert told["total"]["milliseconds"] == pytest.approx(sum(row["milliseconds"] for row in rows.values()))


def test_a_file_that_is_not_there() -> None:
    assert indexlang("bench", "none.idx").exit == 3
