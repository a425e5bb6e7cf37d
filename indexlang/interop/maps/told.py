"""What is said of a file and a program: that they fit, and how; or why they do not."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from indexlang.interop.maps.fit import Extents, Fit
from indexlang.interop.maps.rules import OWN
from indexlang.interop.weights.archive import shown
from indexlang.text.diagnostics import DataError, Diagnostic, data_error
from indexlang.text.names import nearest, plural

FEW = 3
MOST_COMPARED = 500


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was read from a file: by which map, how many tensors, what was left out, and what seems wrong with them.

    left_out  names of the file that the program has no use for, by kind
    waiting   states that the file does not have: they keep their values
    resize    to how many pixels the shorter side of a picture is scaled for such weights, where the map knows it
    """

    path: Path
    map: str
    tensors: int
    left_out: Mapping[str, int]
    waiting: tuple[str, ...]
    warnings: tuple[Diagnostic, ...]
    resize: int | None = None

    def __str__(self) -> str:
        how = "by name" if self.map == OWN.name else f"by the map {self.map}"
        said = [f"{plural(self.tensors, 'tensor')} {how}"]
        said += [f"{count} {kind} left out" for kind, count in self.left_out.items()]
        said += [f"{plural(len(self.waiting), 'state')} not in the file"] if self.waiting else []
        return "; ".join(said)


def loaded(path: Path, fit: Fit, warnings: Iterable[Diagnostic]) -> Loaded:
    """What is told of a file that fitted."""
    left = {text.replace("{*}", "").strip("."): count for text, count in fit.left.items()}
    return Loaded(path, fit.map.name, len(fit.pairs), left, fit.waiting, tuple(warnings), fit.map.resize)


def unfit(path: Path, fit: Fit) -> DataError:
    """E0609: how far the best map goes, and what is left over on both sides."""
    wanted = fit.known + len(fit.lacking)
    how = "by name" if fit.map is OWN or not fit.known else f"by the map {fit.map.name}"
    message = f"{path.name} does not fit: {len(fit.pairs)} of {plural(wanted, 'tensor')} found their values {how}"
    because = [*_lacking(fit), *_over(fit), *_misfits(fit)]
    return data_error("E0609", message=message, because=because, advice=_advice(fit))


def _lacking(fit: Fit) -> list[str]:
    names = [
        f"`{ours}`" + (f" (`{shown(theirs)}`)" if theirs not in (None, ours) else "") for ours, theirs in fit.lacking
    ]
    return [f"the file lacks {_few(names)}"] if names else []


def _over(fit: Fit) -> list[str]:
    names = [f"`{shown(name)}`" for name in fit.over]
    return [f"the program does not know {_few(names)}"] if names else []


def _misfits(fit: Fit) -> list[str]:
    said = [
        f"`{m.ours}` wants {_extents(m.wanted)}, but `{shown(m.theirs)}` has {_extents(m.given)}"
        for m in fit.misfits[:FEW]
    ]
    more = len(fit.misfits) - len(said)
    return [*said, f"{plural(more, 'more tensor')} of other extents"] if more else said


def _few(names: Sequence[str]) -> str:
    more = len(names) - FEW
    return ", ".join(names[:FEW]) + (f" and {more} more" if more > 0 else "")


def _extents(extents: Extents) -> str:
    return f"[{', '.join(map(str, extents))}]"


def _advice(fit: Fit) -> str:
    for ours, theirs in fit.lacking[:FEW]:
        like = nearest(theirs or ours, fit.over[:MOST_COMPARED])
        if like:
            return f"is `{shown(like)}` the program's `{ours}`?"
    if fit.misfits and not fit.lacking and not fit.over:
        return "give the program the extents that the file was made for (-D, or the constants of the text)"
    return "`indexlang weights show FILE` lists what a file holds; `save` writes the weights of this program"
