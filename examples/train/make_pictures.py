"""Draws pictures of shapes and textures, a folder for each class: data to try pictures_alexnet.idx with.

    python make_pictures.py pictures --each 40 --side 227 --seed 0

writes pictures/circle/000.png and so on. The same arguments write the same pictures. Needs numpy and pillow.
"""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Plane = NDArray[np.float64]  # [side, side]
Drawing = Callable[[Plane, Plane, np.random.Generator], Plane]


def circle(x: Plane, y: Plane, rng: np.random.Generator) -> Plane:
    """A disc: 1 inside and 0 outside."""
    p, q, r = _place(rng)
    return ((x - p) ** 2 + (y - q) ** 2 < r**2).astype(np.float64)


def square(x: Plane, y: Plane, rng: np.random.Generator) -> Plane:
    """A square that stands at an angle."""
    p, q, r = _place(rng)
    u, v = _turned(x - p, y - q, rng.uniform(0, np.pi / 2))
    return (np.maximum(np.abs(u), np.abs(v)) < 0.8 * r).astype(np.float64)


def stripes(x: Plane, y: Plane, rng: np.random.Generator) -> Plane:
    """Waves in one direction."""
    u, _ = _turned(x, y, rng.uniform(0, np.pi))
    return 0.5 + 0.5 * np.sin(rng.uniform(25, 60) * u + rng.uniform(0, 6))


def checks(x: Plane, y: Plane, rng: np.random.Generator) -> Plane:
    """A chessboard that stands at an angle."""
    u, v = _turned(x, y, rng.uniform(0, np.pi / 2))
    width = rng.uniform(0.06, 0.15)
    return (np.floor(u / width) + np.floor(v / width)) % 2


CLASSES: Mapping[str, Drawing] = {f.__name__: f for f in (checks, circle, square, stripes)}


def picture(draw: Drawing, side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """One picture [side, side, 3]: a drawing between two colours that are far apart, and noise."""
    x, y = np.meshgrid(np.arange(side) / side, np.arange(side) / side, indexing="ij")
    mixed = draw(x, y, rng)[..., np.newaxis]
    back = rng.uniform(0, 0.35, 3)
    front = rng.uniform(0.65, 1, 3)
    if rng.random() < 0.5:
        back, front = front, back
    found = back + (front - back) * mixed + rng.normal(0, 0.05, (side, side, 3))
    return np.round(255 * np.clip(found, 0, 1)).astype(np.uint8)


def write(folder: Path, each: int, side: int, seed: int) -> int:
    """Write `each` pictures of every class below `folder`; returns how many there are."""
    for k, (name, draw) in enumerate(CLASSES.items()):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for n in range(each):
            rng = np.random.default_rng((seed, k, n))
            Image.fromarray(picture(draw, side, rng)).save(folder / name / f"{n:03}.png")
    return each * len(CLASSES)


def _place(rng: np.random.Generator) -> tuple[float, float, float]:
    """A middle and a radius, such that the shape is inside the picture."""
    r = rng.uniform(0.15, 0.3)
    p, q = rng.uniform(r + 0.05, 0.95 - r, 2)
    return float(p), float(q), float(r)


def _turned(x: Plane, y: Plane, angle: float) -> tuple[Plane, Plane]:
    return x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw pictures of shapes and textures, a folder for each class.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--each", type=int, default=40, help="pictures of each class (40)")
    parser.add_argument("--side", type=int, default=227, help="rows and columns (227)")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    written = write(given.folder, given.each, given.side, given.seed)
    print(f"{written} pictures of {len(CLASSES)} classes in {given.folder}")


if __name__ == "__main__":
    main()
