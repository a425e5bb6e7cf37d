"""The words of generated source: all that a kernel may import or call, so that no user's letter shadows one."""

import re

_LANG = (
    r"(pointer|input|output)_(f32|f64|i64|i32|u8|bool)|scratch_(f32|f64)"
    r"|shift|stream|streams_end|turn_(f32|f64)|plus|times|max2|min2|atomic_min"
)
_SCALAR = (
    r"(exp|log|log1p|expm1|sqrt|sin|cos|tanh|erf|pow|floor|ceil|round|sigmoid|silu|gelu|softplus|uniform|quotient)_(f32|f64)"
    r"|relu|sign|absolute|floordiv|mod|to_int"
)
_LANES = r"put|(lanes|strided|reversed|spread|ramp|floats)_(f32|f64|i64)x[1-9]\d?|(joined|repeated)_(f32|f64)x[1-9]\d?x[1-9]\d?"
_MASKS = r"lanes_(lt|le|gt|ge|eq|ne|and|or|not|choose)"
_RUNNING = r"last_lane|running_(sum|prod|max|min)"
_TILE = r"tile_[1-9]\d?x[1-9]\d?_(f32|f64)"

# By module: which names are imported, and under which others.
IMPORTS = {
    "indexlang.kernels.lang": re.compile(_LANG),
    "indexlang.kernels.lanes": re.compile(_LANES),
    "indexlang.kernels.masks": re.compile(_MASKS),
    "indexlang.kernels.running": re.compile(_RUNNING),
    "indexlang.kernels.scalar": re.compile(_SCALAR),
    "indexlang.kernels.contract": re.compile(_TILE),
    "numpy": re.compile(r"float32 as f32|float64 as f64|int64 as i64"),
    "math": re.compile(r"inf|nan"),
}
ARGUMENTS = ("start", "stop", "args")
FRAME = frozenset((*ARGUMENTS, "n", "range", "f32", "f64", "i64", "inf", "nan"))
_IMPORTED = re.compile(f"{_LANG}|{_SCALAR}|{_LANES}|{_MASKS}|{_RUNNING}|{_TILE}", re.ASCII)


def is_word(name: str) -> bool:
    """Whether `name` has a meaning in generated source that a user's letter must not take."""
    return name in FRAME or _IMPORTED.fullmatch(name) is not None
