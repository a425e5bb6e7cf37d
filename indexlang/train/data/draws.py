"""Random numbers by name and counter: the same for the same words, whatever else was drawn before."""

import hashlib
from typing import Any

import numpy as np

from indexlang.train.data.dataset import Rows

# SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def key(*words: object) -> int:
    """128 bits for some words, such as a purpose, a seed, an epoch."""
    return int.from_bytes(hashlib.sha256(" ".join(map(str, words)).encode()).digest()[:16], "little")


def philox(*words: object) -> Any:
    """numpy's Philox, whose key is that of the words."""
    return np.random.Philox(key=key(*words))


def shuffled(n: int, *words: object) -> Rows:
    """A permutation of 0 … n-1: the order of n raw 64-bit draws, so the same with every version of numpy."""
    return np.argsort(philox(*words).random_raw(n), kind="stable").astype(np.int64)


def bits(counters: Rows, *words: object) -> Any:
    """64 random bits for each counter [n]: SplitMix64 of the words' key, with the state set by the counter."""
    state = counters.astype(np.uint64) * _GOLDEN + np.uint64(key(*words) & (2**64 - 1))
    state = (state ^ (state >> np.uint64(30))) * _FIRST
    state = (state ^ (state >> np.uint64(27))) * _SECOND
    return state ^ (state >> np.uint64(31))


def below(limit: int, counters: Rows, *words: object) -> Rows:
    """A number of 0 … limit-1 for each counter [n]; limit < 2^31, so that its bias is below 2^-32."""
    return (((bits(counters, *words) >> np.uint64(32)) * np.uint64(limit)) >> np.uint64(32)).astype(np.int64)


class Normals:
    """Normal numbers in f32, a stream for each counter; one generator set anew, which costs a tenth of making one."""

    def __init__(self, *words: object) -> None:
        self._bits = philox(*words)
        self._generator = np.random.Generator(self._bits)
        self._state: Any = self._bits.state
        self._fresh = dict(self._state)

    def fill(self, out: Any, counter: int) -> None:
        """Fill `out` (f32) with the start of the stream of `counter`."""
        self._fresh["state"]["counter"][:] = (0, 0, counter, 0)
        self._bits.state = self._fresh
        self._generator.standard_normal(out.shape, np.float32, out)
