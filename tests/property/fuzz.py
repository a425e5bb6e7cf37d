"""Mutated sources for as long as one likes: `python tests/property/fuzz.py --minutes 10 --seed 1`.

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
from onlymessages import findings, only_messages

SECONDS = 6.0  # of process time, for a mutant of a deep network


def weights(seeds: tuple[Seed, ...]) -> list[float]:
    """Files that are checked quickly are taken more often, so that a run looks at many mutants."""
    out: list[float] = []
    for seed in seeds:
        started = time.process_time()
        findings(seed.path, seed.raw)
        out.append(1 / (0.002 + time.process_time() - started))
    return out


def run(seed: int, count: int, minutes: float, folder: Path | None) -> tuple[int, int]:
    """At most `count` mutants and `minutes`: how many were looked at, and how many broke the promise."""
    seeds = shipped()
    chances = weights(seeds)
    end = time.monotonic() + 60 * minutes
    broken = 0
    for number in range(count):
        if time.monotonic() > end:
            return number, broken
        random = Random(f"{seed}/{number}")
        chosen = random.choices(seeds, chances)[0]
        raw = mutant(random, chosen, seeds)
        try:
            only_messages(chosen.path, raw, SECONDS)
        except Exception:
            broken += 1
            print(f"seed {seed} number {number}: {chosen.path.name}\n{traceback.format_exc(limit=-3)}", flush=True)
            if folder is not None:
                (folder / f"{seed}-{number}{chosen.path.suffix}").write_bytes(raw)
    return count, broken


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=None, help="where broken mutants are written")
    given = parser.parse_args()
    started = time.monotonic()
    looked, broken = run(given.seed, given.count, given.minutes, given.folder)
    print(f"seed {given.seed}: {looked:,} mutants, {broken} broken, {time.monotonic() - started:.0f} s")
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
