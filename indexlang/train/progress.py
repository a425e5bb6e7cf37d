"""What a run of training shows: one live line on a terminal, plain lines anywhere else.

epoch 3/10  step 12/57  loss 0.2130  accuracy 0.9375  8,412/s  0:12 left  ▇▅▃▂▂▁
"""

from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import TextIO

from indexlang.interop.streams import encoding, is_dumb, is_terminal, width
from indexlang.text.render import cells, clean
from indexlang.train.events import Begun, Ended, EpochDone, Event, Numbers, Signals, StepDone, Warned, Watcher

BARS = " ▁▂▃▄▅▆▇█"
PLAIN_BARS = " _.-~=+*#"
REDRAWN = 0.1  # seconds between two pictures of the line
SPOKEN = 10.0  # seconds between two lines of an epoch, where no one can redraw
_HISTORY = 24  # losses of the sparkline


def watcher_for(stream: TextIO | None) -> Watcher:
    """What suits a stream: a line that lives on a terminal, else lines that stay."""
    return LiveLine(stream) if is_terminal(stream) and not is_dumb() else PlainLines(stream)


@dataclass
class _State:
    """How far the run is, and how fast it goes. The first step compiles, and says nothing of the others."""

    begun: Begun | None = None
    step: StepDone | None = None
    losses: deque[float] = field(default_factory=lambda: deque[float](maxlen=_HISTORY))
    seconds: float = 0.0
    examples: int = 0
    steps: int = 0

    def take(self, e: StepDone) -> None:
        self.step = e
        self.losses.append(next(iter(e.metrics.values()), 0.0))
        if self.begun is not None and e.step > self.begun.step + 1:
            self.seconds += e.seconds
            self.examples += e.examples
            self.steps += 1

    @property
    def rate(self) -> float | None:
        """Examples a second."""
        return self.examples / self.seconds if self.seconds > 0 else None

    @property
    def left(self) -> float | None:
        """Seconds to the end, if all steps are like those so far."""
        if self.begun is None or self.begun.steps is None or self.step is None or not self.steps:
            return None
        more = (self.begun.epochs - self.step.epoch + 1) * self.begun.steps - self.step.of_epoch
        return max(more, 0) * self.seconds / self.steps

    def parts(self) -> list[str]:
        """What the line says, in the order in which it stands there."""
        return [text for _, text in self.ranked()]

    def ranked(self) -> list[tuple[int, str]]:
        """The parts, each with its rank: where the line is narrow, those of high rank go first."""
        if self.step is None or self.begun is None:
            return []
        out = [(0, f"epoch {self.step.epoch}/{self.begun.epochs}"),
               (4, f"step {self.step.of_epoch}{_of(self.begun.steps)}")]  # fmt: skip
        for n, (name, text) in enumerate(zip(self.step.metrics, _numbers(self.step.metrics), strict=True)):
            out.append((1 if n == 0 else 3 if name == "accuracy" else 6 + n, text))
        if self.rate is not None:
            out.append((5, f"{self.rate:,.0f}/s"))
        if self.left is not None:
            out.append((2, f"{_clock(self.left)} left"))
        return out


class LiveLine:
    """One line that is drawn again; when an epoch ends, what it came to stays above."""

    def __init__(self, stream: TextIO | None) -> None:
        self._out = _Out(stream)
        self._state = _State()
        self._drawn = -1.0

    def on(self, event: Event) -> None:
        """Draw the line again, at most a few times a second; epochs and warnings stay above it."""
        match event:
            case Begun():
                self._state.begun = event
                self._out.redraw(self._out.fitted([(0, "compiling kernels …")]))
            case StepDone():
                self._state.take(event)
                self._draw()
            case EpochDone():
                epochs = self._state.begun.epochs if self._state.begun is not None else event.epoch
                self._out.line(_epoch(event, epochs))
            case Warned(message=message):
                self._out.line(f"warning: {message}")
            case Ended():
                self._out.redraw("")
                self._out.line(_end(event))
            case Signals():
                pass

    def close(self) -> None:
        """A run that ended without a word: what is said next begins on a line of its own."""
        self._out.end()

    def _draw(self) -> None:
        now = monotonic()
        if now - self._drawn >= REDRAWN:
            self._drawn = now
            self._out.redraw(self._out.fitted(self._state.ranked()), self._state.losses)


class PlainLines:
    """A line an epoch, and one now and then where an epoch is long; no control characters."""

    def __init__(self, stream: TextIO | None) -> None:
        self._out = _Out(stream)
        self._state = _State()
        self._spoken = monotonic()

    def on(self, event: Event) -> None:
        """Write a line where an event is worth one."""
        match event:
            case Begun():
                self._state.begun = event
                self._spoken = monotonic()
                what = f"{event.examples:,} examples, " if event.examples is not None else ""
                self._out.line(f"{event.name}: {what}{event.parameters:,} parameters; compiling")
            case StepDone():
                self._state.take(event)
                if monotonic() - self._spoken >= SPOKEN:
                    self._spoken = monotonic()
                    self._out.line("  ".join(self._state.parts()))
            case EpochDone():
                self._spoken = monotonic()
                epochs = self._state.begun.epochs if self._state.begun is not None else event.epoch
                self._out.line(_epoch(event, epochs))
            case Warned(message=message):
                self._out.line(f"warning: {message}")
            case Ended():
                self._out.line(_end(event))
            case Signals():
                pass


class _Out:
    """A stream that may be closed, full or ASCII only: nobody is told when that fails."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._live = False

    @property
    def width(self) -> int:
        return width(self._stream)

    def fitted(self, parts: list[tuple[int, str]]) -> str:
        """What fits on a line, once every character is one that the stream has."""
        return _fitted([(rank, clean(text, encoding(self._stream))) for rank, text in parts], self.width - 1)

    def end(self) -> None:
        """Leave the live line as it is, with the cursor below it."""
        if self._live:
            self._write("\n")
        self._live = False

    def line(self, text: str) -> None:
        self._write(("\r\x1b[K" if self._live else "") + clean(text, encoding(self._stream)) + "\n")
        self._live = False

    def redraw(self, text: str, losses: Iterable[float] = ()) -> None:
        shown = clean(text, encoding(self._stream))
        room = self.width - 1 - cells(shown) - 2
        line = _sparkline(tuple(losses), room, encoding(self._stream))
        self._write("\r\x1b[K" + shown + (f"  {line}" if line else ""))
        self._live = True

    def _write(self, text: str) -> None:
        if self._stream is not None:
            with suppress(OSError, ValueError, AttributeError):
                self._stream.write(text)
                self._stream.flush()


def _sparkline(losses: tuple[float, ...], room: int, coding: str) -> str:
    """The last losses as bars, the largest as high as can be; nothing where there is no room for it."""
    finite = [x for x in losses if x == x and abs(x) != float("inf")][-max(room, 0) :] if room >= 4 else []
    if len(finite) < 2:
        return ""
    bars = BARS if clean(BARS, coding) == BARS else PLAIN_BARS
    low, high = min(finite), max(finite)
    scale = (len(bars) - 2) / (high - low) if high > low else 0.0
    return "".join(bars[1 + round((x - low) * scale)] for x in finite)


def _fitted(parts: list[tuple[int, str]], room: int) -> str:
    """As many parts as fit, by rank, in the order of the line; the first is cut where even that is too long."""
    kept: list[int] = []
    for at in sorted(range(len(parts)), key=lambda n: parts[n][0]):
        if cells("  ".join(parts[n][1] for n in sorted([*kept, at]))) <= room:
            kept.append(at)
        elif not kept:
            return parts[at][1][: max(room, 0)]
    return "  ".join(parts[n][1] for n in sorted(kept))


def _numbers(metrics: Numbers) -> list[str]:
    return [f"{name} {_number(value)}" for name, value in metrics.items()]


def _number(value: float) -> str:
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e4 or value == 0 else f"{value:.3g}"


def _epoch(e: EpochDone, epochs: int) -> str:
    parts = [f"epoch {e.epoch}/{epochs}", *_numbers(e.training)]
    if e.validation:
        parts.append("| val " + "  ".join(_numbers(e.validation)))
    parts.append(f"{e.seconds:.1f} s")
    return "  ".join(parts) + ("  *" if e.is_best else "")


def _end(e: Ended) -> str:
    how = "interrupted after" if e.interrupted else "done:"
    return f"{how} {e.epoch} epoch{'' if e.epoch == 1 else 's'}, {e.step:,} steps, {_clock(e.seconds)}"


def _of(steps: int | None) -> str:
    return "" if steps is None else f"/{steps}"


def _clock(seconds: float) -> str:
    """`0:07`, `12:30`, `3:04:05`."""
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


__all__ = ["LiveLine", "PlainLines", "watcher_for"]
