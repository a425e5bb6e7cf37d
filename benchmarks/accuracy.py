"""What the networks of examples/train reach: `python -m benchmarks.accuracy [NAME…] [--seeds 5]`.

Every run is `indexlang train` in a process of its own; the first of each network starts with an empty cache.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

FOLDER = Path(__file__).parents[1] / "examples" / "train"


def run(file: Path, seed: int, folder: Path, cache: Path, more: list[str]) -> tuple[float, float, float]:
    """Accuracy of the last and of the best epoch, and seconds of the whole process."""
    begun = perf_counter()
    command = [sys.executable, "-m", "indexlang", "train", str(file), "--seed", str(seed), "--save", str(folder), *more]
    environment = {**os.environ, "INDEXLANG_CACHE": str(cache)}
    subprocess.run(command, check=True, capture_output=True, env=environment)
    seconds = perf_counter() - begun
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    epochs = [told for told in map(json.loads, lines) if told["kind"] == "epoch"]
    found = [e["validation"]["accuracy"] for e in epochs]
    return found[-1], max(found), seconds


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("names", nargs="*", help="of networks; without any, all but pictures_alexnet")
    options.add_argument("--seeds", type=int, default=5)
    asked = options.parse_args()
    names = asked.names or [f.stem for f in sorted(FOLDER.glob("*.idx")) if f.stem != "pictures_alexnet"]
    print("network           last epoch: mean (least)   best epoch: mean   first run, s   next runs, s")
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            cache = Path(folder) / "cache"
            found = [run(FOLDER / f"{name}.idx", s, Path(folder) / f"{s}", cache, []) for s in range(asked.seeds)]
        last, best, seconds = zip(*found, strict=True)
        later = sum(seconds[1:]) / max(len(seconds) - 1, 1)
        print(f"{name:16}  {sum(last) / len(last):16.2%} ({min(last):.2%})  {sum(best) / len(best):16.2%}"
              f"  {seconds[0]:12.1f}  {later:12.1f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
