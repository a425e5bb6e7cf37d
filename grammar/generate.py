"""Write the tables of the parser from the grammars: `python grammar/generate.py` (`--check` only compares).

Only this needs lark: building the tables takes a tenth of a second, reading them two milliseconds.
"""

import json
import sys
from pathlib import Path
from typing import Any

from lark import Lark
from lark.grammar import Rule
from lark.parsers.lalr_analysis import Shift

END = "$END"
HERE = Path(__file__).resolve().parent
GRAMMARS = {"indexlang.json": ("indexlang.lark",), "latex.json": ("indexlang.lark", "latex.lark")}


def tables(name: str) -> str:
    """The text of a table: rules, and for each state what to shift (s), reduce (r) and go to (g)."""
    grammar = "".join((HERE / part).read_text(encoding="utf-8") for part in GRAMMARS[name])
    built: Any = Lark(grammar, parser="lalr", lexer="basic", maybe_placeholders=True, start="start", regex=False)
    found = built.parser.parser._parse_table
    order = _order(found.states, found.start_states["start"])
    used = sorted({a for row in found.states.values() for _, a in row.values() if isinstance(a, Rule)}, key=_key)
    rules = [_rule(r) for r in used]
    number = {r: n for n, r in enumerate(used)}
    end = {END: (Shift, found.start_states["start"])}  # all is read: the table has no row for it
    states = [_state(found.states[s] or end, order, number) for s in order]
    rows = (("rules", rules), ("states", states))
    parts = [f"{json.dumps(title)}: [\n{_lines(items)}\n]" for title, items in rows]
    return "{" + ",\n".join(parts) + "}\n"


def _lines(items: list[Any]) -> str:
    return ",\n".join(json.dumps(i, separators=(",", ":")) for i in items)


def _order(states: dict[int, dict[str, Any]], start: int) -> dict[int, int]:
    """The numbers of the states in the order in which they are met from the start: lark's differ from run to run."""
    order = {start: 0}
    waiting = [start]
    for state in waiting:
        for _, (action, to) in sorted(states[state].items()):
            if action is Shift and to not in order:
                order[to] = len(order)
                waiting.append(to)
    return order


def _key(rule: Rule) -> tuple[str, ...]:
    return (rule.origin.name, *(s.name for s in rule.expansion), rule.alias or "")


def _rule(rule: Rule) -> list[Any]:
    """[what it makes, how many parts, the method that makes it, whether a single part stands for itself, the parts].

    parts  null: all, as they are; else places, with -1 for what is left out and [place] for a repetition
    """
    is_single = rule.options.expand1 and not rule.alias
    assert rule.expansion, "a rule without parts: the parser has no step for it"
    return [rule.origin.name, len(rule.expansion), rule.alias or rule.origin.name, int(is_single), _parts(rule)]


def _parts(rule: Rule) -> list[Any] | None:
    places = iter(range(len(rule.expansion)))
    empty = rule.options.empty_indices or (False,) * len(rule.expansion)
    parts = [-1 if is_empty else next(places) for is_empty in empty]
    found = [[p] if p >= 0 and rule.expansion[p].name.startswith("_") else p for p in parts]
    return None if found == list(range(len(rule.expansion))) else found


def _state(row: dict[str, Any], order: dict[int, int], number: dict[Rule, int]) -> dict[str, Any]:
    shifts: dict[str, int] = {}
    goes: dict[str, int] = {}
    reduces: dict[str, list[str]] = {}
    for symbol, (action, to) in sorted(row.items()):
        if action is Shift:
            (shifts if symbol.isupper() else goes)[symbol] = order[to]
        else:
            reduces.setdefault(str(number[to]), []).append(symbol)
    return {"s": shifts, "r": {rule: " ".join(symbols) for rule, symbols in reduces.items()}, "g": goes}


if __name__ == "__main__":
    for file in GRAMMARS:
        if "--check" not in sys.argv:
            (HERE / file).write_text(tables(file), encoding="utf-8")
        elif (HERE / file).read_text(encoding="utf-8") != tables(file):
            sys.exit(f"{file} is not up to date: python grammar/generate.py")
