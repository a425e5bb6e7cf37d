"""The LALR parser: a table of states, made from the grammar by `grammar/generate.py`, and a stack.

A name or a number is an expression by a dozen rules that change nothing (`?sum: term`). Where a run of them leads
from a state is looked up, so that an atom costs as many steps as there are rules that make something.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from indexlang.syntax.lexer import Token
from indexlang.text.source import NOWHERE

END = "$END"
_LAST = Token(END, "", NOWHERE)
_MOST_TOLD = 1000


class Unexpected(Exception):
    """A token that fits nowhere; `END` where the tokens end too early. `accepted` are the kinds that would fit."""

    def __init__(self, token: Token, accepted: set[str]) -> None:
        super().__init__(token, accepted)
        self.token = token
        self.accepted = accepted


@dataclass(frozen=True, slots=True)
class _Rule:
    """What it makes, of how many parts, and how. `is_idle`: it changes nothing."""

    origin: str
    length: int
    build: Callable[[list[Any]], Any]
    is_idle: bool


class Parser:
    """A parser of token sequences, which hands what it recognises to the methods of `tree`."""

    def __init__(self, table: dict[str, Any], tree: Any) -> None:
        self._rules = [_rule(row, tree) for row in table["rules"]]
        self._actions = [_actions(state) for state in table["states"]]
        self._goes: list[dict[str, int]] = [state["g"] for state in table["states"]]
        self._leads: dict[tuple[int, int, str], int] = {}  # below, state, kind of the next token → after idle rules
        self._told: dict[tuple[int, ...], set[str]] = {}

    def parse(self, tokens: Iterable[Token]) -> Any:
        """What the tokens make. Raises Unexpected, and what the tree raises. Linear in the tokens."""
        states, values = [0], list[Any]()
        rows, goes, rules, leads = self._actions, self._goes, self._rules, self._leads
        for token in (*tokens, _LAST):
            kind = token.kind
            while True:
                state = states[-1]
                action = rows[state].get(kind)
                if action is None:
                    raise Unexpected(token, self._accepted(tuple(states)))
                if action >= 0:
                    states.append(action)
                    values.append(token)
                    break
                rule = rules[~action]
                if rule.is_idle:
                    key = states[-2], state, kind
                    lead = leads.get(key)
                    states[-1] = self._lead(*key) if lead is None else lead
                    continue
                size = rule.length
                value = rule.build(values[-size:])
                del states[-size:], values[-size:]
                states.append(goes[states[-1]][rule.origin])
                values.append(value)
        return values[0]

    def _lead(self, below: int, state: int, kind: str) -> int:
        """Where idle rules lead before a token."""
        start = state
        while (action := self._actions[state].get(kind, 0)) < 0 and self._rules[~action].is_idle:
            state = self._goes[below][self._rules[~action].origin]
        self._leads[below, start, kind] = state
        return state

    def _accepted(self, states: tuple[int, ...]) -> set[str]:
        """The kinds of tokens that could stand next. The same mistake again costs nothing."""
        found = self._told.get(states)
        if found is None:
            found = {kind for kind in self._actions[states[-1]] if self._is_accepted(kind, states)}
            if len(self._told) < _MOST_TOLD:
                self._told[states] = found
        return found

    def _is_accepted(self, kind: str, states: tuple[int, ...]) -> bool:
        """Whether a token can be taken, after all rules that end before it."""
        depth = len(states)  # of what is left of the stack; `above` is what rules have put on it
        above: list[int] = []
        while True:
            action = self._actions[above[-1] if above else states[depth - 1]].get(kind)
            if action is None or action >= 0:
                return action is not None
            rule = self._rules[~action]
            kept = max(len(above) - rule.length, 0)
            depth -= rule.length - (len(above) - kept)
            del above[kept:]
            above.append(self._goes[above[-1] if above else states[depth - 1]][rule.origin])


def parser(name: str, tree: Any) -> Parser:
    """The parser of a grammar, by the name of its table."""
    return Parser(json.loads(files("indexlang.grammar").joinpath(name).read_text(encoding="utf-8")), tree)


def _actions(state: dict[str, Any]) -> dict[str, int]:
    """By kind of token: the state to go to, or the rule to apply, as its complement."""
    reduces = {kind: ~int(rule) for rule, kinds in state["r"].items() for kind in kinds.split(" ")}
    return {**state["s"], **reduces}


def _rule(row: list[Any], tree: Any) -> _Rule:
    origin, length, name, is_single, parts = row
    is_idle = bool(is_single) and length == 1 and parts is None
    if name.startswith("_"):  # the repetition of some parts, which those around take up
        return _Rule(origin, length, _taken(parts, lambda found: found), False)
    make: Any = getattr(tree, name, None)
    if make is None:
        return _Rule(origin, length, _alone, is_idle)
    return _Rule(origin, length, _taken(parts, lambda found: make(*found)), is_idle)


def _alone(parts: list[Any]) -> Any:
    (part,) = parts
    return part


def _taken(parts: list[Any] | None, make: Callable[[list[Any]], Any]) -> Callable[[list[Any]], Any]:
    """`make` of the parts that a rule takes: -1 stands for one that is left out, [place] for a repetition."""
    if parts is None:
        return make

    starts = isinstance(parts[0], list)  # a repetition goes on: its list is nobody else's

    def taken(found: list[Any]) -> Any:
        out: list[Any] = found[0] if starts else []
        for place in parts[starts:]:
            if isinstance(place, list):
                out += found[place[0]]
            else:
                out.append(None if place < 0 else found[place])
        return make(out)

    return taken
