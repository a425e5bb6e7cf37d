"""The command line in this process, with its exit code and both streams: fast enough for a table of commands."""

import contextlib
import io
import sys
from dataclasses import dataclass
from unittest import mock


@dataclass(frozen=True, slots=True)
class Ended:
    exit: int
    out: str
    err: str


def indexlang(*arguments: str) -> Ended:
    """Run `indexlang` with `arguments` as `python -m indexlang` would."""
    from indexlang.cli.main import main

    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    code: object = 0
    with (
        mock.patch.object(sys, "argv", ["indexlang", *arguments]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            code = main()
        except SystemExit as ended:
            code = ended.code
    return Ended(_number(code), _text(out), _text(err))


def _number(code: object) -> int:
    """What the shell would see of `sys.exit(code)`."""
    return code if isinstance(code, int) else 0 if code is None else 1


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()
