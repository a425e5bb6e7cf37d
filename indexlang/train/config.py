"""What a run of training is told: from a TOML file, the command line, or Python, all by the same names."""

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from indexlang.text.diagnostics import DataError, data_error
from indexlang.text.names import did_you_mean

Number = int | float
Options = Mapping[str, Number]

# The learning rate where none is given.
RATES = {"sgd": 0.1, "momentum": 0.02, "nesterov": 0.02, "adam": 1e-3, "adamw": 1e-3, "rmsprop": 1e-3}
ANY_RATE = 1e-2


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of a run.

    data      `digits`, `faces`, or paths; see indexlang.train.data        augment  as `flip,crop:2,noise:0.05`
    val       held out: a share below 1, a number of examples, or data of its own; 0: nothing
    loss      the scalar to be made small; '' for `loss`, or the only scalar
    optimizer  a name, or a file of the user's      options  its constants, as {beta = 0.95}
    lr        the learning rate; None: usual for the optimiser
    schedule  constant, step, cosine, warmup       warm     steps in which the rate rises
    clip      the most that the norm of all gradients may be; None: any
    seed      of first values, random tensors, the order of examples
    constants  of the program, as `-D` sets them
    """

    data: str = ""
    val: float | str = 0.2
    augment: str = ""
    loss: str = ""
    optimizer: str = "adam"
    options: Options = field(default_factory=dict[str, Number])
    lr: float | None = None
    schedule: str = "constant"
    warm: int = 0
    epochs: int = 10
    batch: int = 32
    seed: int = 0
    clip: float | None = None
    weight_decay: float = 0.0
    dtype: str = "f32"
    threads: int | None = None
    watch_gradients: bool = False
    constants: Mapping[str, Number] = field(default_factory=dict[str, Number])

    @property
    def rate(self) -> float:
        """The learning rate."""
        return RATES.get(self.optimizer, ANY_RATE) if self.lr is None else self.lr


NAMES = tuple(f.name for f in fields(Config))
_LEAST = {"epochs": 0, "batch": 1, "warm": 0, "weight_decay": 0, "seed": 0, "threads": 1}
_ABOVE = {"lr": 0, "clip": 0}
_CHOICES = {"dtype": ("f32", "f64")}
_KINDS: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("data", "augment", "loss", "optimizer", "schedule", "dtype"), (str,)),
    **dict.fromkeys(("warm", "epochs", "batch", "seed", "threads"), (int,)),
    **dict.fromkeys(("lr", "clip", "weight_decay"), (int, float)),
    "val": (int, float, str),
    "watch_gradients": (bool,),
    "options": (dict,),
    "constants": (dict,),
}
_WORDS = {str: "a text", int: "a whole number", float: "a number", bool: "true or false", dict: "a table of numbers"}


def changed(config: Config, settings: Mapping[str, Any], place: str) -> Config:
    """The config with other settings. Raises DataError E0821 for unknown names and values that cannot be.

    place  where they come from, for messages: `digits.toml`, `--lr`
    """
    for name, value in settings.items():
        _check(name, value, place)
    return replace(config, **settings)


def read_config(path: Path) -> dict[str, Any]:
    """The settings of a TOML file. Raises DataError E0701, E0821."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as problem:
        said = problem.strerror if isinstance(problem, OSError) else str(problem)
        raise data_error("E0701", path=path, reason=said or "", advice="check the name and the folder") from None
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        advice = 'write lines like `lr = 0.01` and `data = "digits"`'
        raise data_error("E0821", message=f"{path.name} is not TOML: {problem}", advice=advice) from None
    changed(Config(), found, path.name)
    return found


def as_settings(config: Config) -> dict[str, Any]:
    """All settings that have a value, ready to be written as TOML."""
    return {n: v for n, v in asdict(config).items() if v is not None and v != {}}


def _check(name: str, value: Any, place: str) -> None:
    if name not in NAMES:
        advice = did_you_mean(name, NAMES, f"there are {', '.join(NAMES)}")
        raise data_error("E0821", message=f"{place}: there is no setting `{name}`", advice=advice)
    kinds = _KINDS[name]
    is_bool_for_number = isinstance(value, bool) and bool not in kinds
    if not isinstance(value, kinds) or is_bool_for_number:
        wanted = " or ".join(dict.fromkeys(_WORDS[k] for k in kinds))
        raise _wrong(place, name, value, f"it is {wanted}")
    if name in ("options", "constants"):
        _check_table(name, value, place)
    if name in _CHOICES and value not in _CHOICES[name]:
        raise _wrong(place, name, value, f"it is {' or '.join(_CHOICES[name])}")
    if isinstance(value, int | float) and not isinstance(value, bool):
        _check_number(name, value, place)


def _check_table(name: str, table: Any, place: str) -> None:
    for key, number in table.items():
        is_flag = isinstance(number, bool) and name == "options"
        if is_flag or not isinstance(number, int | float):
            raise _wrong(place, f"{name}.{key}", number, "it is a number")


def _check_number(name: str, value: Number, place: str) -> None:
    if value != value or value in (float("inf"), float("-inf")):
        raise _wrong(place, name, value, "it is a finite number")
    if name in _LEAST and value < _LEAST[name]:
        raise _wrong(place, name, value, f"it is at least {_LEAST[name]}")
    if name in _ABOVE and value <= _ABOVE[name]:
        raise _wrong(place, name, value, f"it is more than {_ABOVE[name]}")
    if name == "val" and value < 0:
        raise _wrong(place, name, value, "it is a share of the examples, as 0.2, or their number")


def _wrong(place: str, name: str, value: Any, advice: str) -> DataError:
    return data_error("E0821", message=f"{place}: `{name}` cannot be {value!r}", advice=advice)


__all__ = ["NAMES", "Config", "as_settings", "changed", "read_config"]
