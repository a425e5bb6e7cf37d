"""Mutated sources for as long as one likes: `python tests/property/fuzz.py --minutes 10 --seed 1 --first 5000`.

Prints what it does; a mutant that breaks the promise is written out, and named by its seed and number.
"""

import argparse
import sys
import time
import traceback
from pathlib import Path
from random import Random

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[2])]

from mutate import Seed, mutant, shipped
from onlymessages import only_messages

SECONDS = 6.0  # of process time, for a mutant of a deep network


def weight(seed: Seed) -> float:
    """Files that are checked quickly are taken more often, so that a run looks at many mutants: short ones, but for networks.

    Not by the clock: a seed and a number name a mutant on every machine.
    """
    return (0.05 if seed.path.parent.name == "models" else 1.0) / (300 + len(seed.raw))


def numbered(seed: int, number: int, seeds: tuple[Seed, ...]) -> tuple[Seed, bytes]:
    """The mutant of this number, and what it was made of."""
    random = Random(f"{seed}/{number}")
    chosen = random.choices(seeds, [weight(s) for s in seeds])[0]
    return chosen, mutant(random, chosen, seeds)


def run(seed: int, numbers: range, minutes: float, folder: Path | None) -> tuple[int, int]:
    """The mutants of these numbers, for so many minutes: how many were looked at, and how many broke the promise."""
    seeds = shipped()
    end = time.monotonic() + 60 * minutes
    broken = 0
    for looked, number in enumerate(numbers):
        if time.monotonic() > end:
            return looked, broken
        chosen, raw = numbered(seed, number, seeds)
        try:
            only_messages(chosen.path, raw, SECONDS)
        except Exception:
            broken += 1
            print(f"seed {seed} number {number}: {chosen.path.name}\n{traceback.format_exc(limit=-3)}", flush=True)
            if folder is not None:
                (folder / f"{seed}-{number}{chosen.path.suffix}").write_bytes(raw)
    return len(numbers), broken


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="the number of the first mutant")
    parser.add_argument("--folder", type=Path, default=None, help="where broken mutants are written")
    given = parser.parse_args()
    started = time.monotonic()
    numbers = range(given.first, given.first + given.count)
    looked, broken = run(given.seed, numbers, given.minutes, given.folder)
    print(
        f"seed {given.seed} from {given.first}: {looked:,} mutants, {broken} broken, {time.monotonic() - started:.0f} s"
    )
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
