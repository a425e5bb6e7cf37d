"""Vanishing and exploding signals, measured: `python examples/lecture/vanishing/study.py` draws signals.png and accuracy.png.

Every case is `deep.idx` with other constants, on the 8×8 digits. For each: the gradients of all layers before anything is
learnt, at depth 20, and the accuracy on held-out digits after some epochs, at depths from 2 to 60.
"""

import argparse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import indexlang as il
from indexlang.train.events import EpochDone, Event, Signals

HERE = Path(__file__).parent
DEPTHS = (2, 5, 10, 20, 40, 60)
DEPTH = 20  # of the picture of signals
EPOCHS = 10
GUESSING = 0.1


@dataclass(frozen=True, slots=True)
class Case:
    """A network of the study: its constants in deep.idx, and how it is drawn."""

    name: str
    constants: dict[str, float] = field(default_factory=dict)
    colour: str = "black"
    line: str = "-"


CASES = (
    Case("sigmoid, normal(0, 0.01)", {"sigmoidal": 1, "spread": 0.01}, "#CC79A7", ":"),
    Case("sigmoid, Xavier", {"sigmoidal": 1}, "#CC79A7"),
    Case("relu, normal(0, 0.01)", {"spread": 0.01}, "#D55E00", ":"),
    Case("relu, normal(0, 0.5)", {"spread": 0.5}, "#D55E00", "--"),
    Case("relu, He", {}, "#D55E00"),
    Case("relu, He, batch norm", {"normed": 1}, "#0072B2"),
    Case("relu, He, residual", {"residual": 1}, "#009E73", "--"),
    Case("relu, He, batch norm, residual", {"normed": 1, "residual": 1}, "#009E73"),
)


@dataclass
class Run:
    """What was seen of a run. `lost`: its numbers left what a float can hold."""

    signals: list[Signals] = field(default_factory=list)
    accuracy: float = GUESSING
    lost: bool = False

    def on(self, event: Event) -> None:
        match event:
            case Signals():
                self.signals.append(event)
            case EpochDone():
                self.accuracy = event.validation["accuracy"]
            case _:
                pass

    @property
    def gradients(self) -> list[float]:
        """The size of the gradient at each layer, at the first step; the scores behind the last layer are left out."""
        return [s.gradient for s in self.signals[0].layers if s.name.startswith("L_")] if self.signals else []


def trained(case: Case, depth: int, epochs: int) -> Run:
    """A run of a case."""
    constants: dict[str, Any] = {**case.constants, "depth": depth}
    net, run = il.load(HERE / "deep.idx", constants=constants).init(seed=0), Run()
    try:
        net.fit("digits", val=360, optimizer="momentum", lr=0.01, epochs=epochs, watch_gradients=True, watchers=(run,))
    except il.NumericalError:
        run.accuracy, run.lost = GUESSING, True
    return run


Runs = dict[tuple[str, int], Run]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--epochs", type=int, default=EPOCHS)
    epochs = options.parse_args().epochs
    found = {(c.name, d): trained(c, d, epochs) for c in CASES for d in DEPTHS}
    print(table(found))
    draw_signals(found)
    draw_accuracy(found)


def table(found: Runs) -> str:
    """Accuracy by case and depth, and how much smaller the gradient of the first layer is than that of the last."""
    lines = ["| network | " + " | ".join(f"depth {d}" for d in DEPTHS) + f" | first/last gradient, depth {DEPTH} |"]
    lines.append("|---" * (len(DEPTHS) + 2) + "|")
    for c in CASES:
        cells = [("lost" if found[c.name, d].lost else f"{found[c.name, d].accuracy:.1%}") for d in DEPTHS]
        g = found[c.name, DEPTH].gradients
        ratio = f"{g[0] / g[-1]:.1g}" if g and g[-1] else ""
        lines.append(f"| {c.name} | " + " | ".join(cells) + f" | {ratio} |")
    return "\n".join(lines)


def draw_signals(found: Runs) -> None:
    """The gradient of each layer at the first step."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.6), layout="constrained")
    axes: Any = figure.add_subplot()
    for c in CASES:
        g = found[c.name, DEPTH].gradients
        if g:
            axes.semilogy(range(1, len(g) + 1), g, c.line, color=c.colour, label=c.name, marker=".")
    axes.set(xlabel="layer, from the input", ylabel="gradient (root mean square)", xlim=(0.5, DEPTH + 0.5),
             title=f"Gradients before anything is learnt, {DEPTH} layers of 64")  # fmt: skip
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper", fontsize=8)
    figure.savefig(HERE / "signals.png", dpi=110)


def draw_accuracy(found: Runs) -> None:
    """What can be learnt at each depth."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.6), layout="constrained")
    axes: Any = figure.add_subplot()
    for c in CASES:
        values = [found[c.name, d].accuracy for d in DEPTHS]
        axes.plot(DEPTHS, values, c.line, color=c.colour, label=c.name, marker="o", markersize=4)
    axes.axhline(0.1, color="grey", linewidth=0.8)
    axes.text(DEPTHS[-1], 0.115, "guessing", ha="right", fontsize=8, color="grey")
    axes.set(xlabel="depth", ylabel="accuracy on held-out digits", xscale="log", ylim=(0, 1.02),
             title=f"Accuracy after {EPOCHS} epochs")  # fmt: skip
    axes.set_xticks(DEPTHS, [str(d) for d in DEPTHS])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper", fontsize=8)
    figure.savefig(HERE / "accuracy.png", dpi=110)


if __name__ == "__main__":
    main()
