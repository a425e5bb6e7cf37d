"""The tables: each is a module with rows, and a row here."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from benchmarks.case import Setting
from benchmarks.report import Row


@dataclass(frozen=True)
class Table:
    """A table by name: what it shows, what is asked of it, and the module of `benchmarks.tables` with its `rows`."""

    name: str
    title: str
    asked: str
    module: str

    def rows(self, setting: Setting, wanted: Callable[[str], bool]) -> Iterator[Row]:
        """Measure the cases whose names are wanted, one by one."""
        module: Any = import_module(f"benchmarks.tables.{self.module}")
        return module.rows(self.name, setting, wanted)


TABLES = (
    Table("convolutions", "convolution layers, forward, with bias and relu", "ratio ≤ 1.05 each, mean ≤ 0.9", "convolutions"),
    Table("gradients", "the same layers, gradient of the input (dX) and of the weights (dW)", "ratio ≤ 1.2 each, mean ≤ 1.0", "gradients"),
    Table("products", "matrix products", "ratio ≤ 1.1 each", "products"),
    Table("memory-bound", "what memory bounds; shares are those of results written into given arrays", "share of copy bandwidth ≥ 80 %", "memory_bound"),
    Table("odd", "equations that no library has", "ratio ≤ 0.3 beside libraries, ≤ 1.0 beside a hand-written loop", "odd"),
    Table("long", "long products", "ratio ≤ 1.1 beside opt_einsum", "long_products"),
    Table("memory", "peak memory over weights and input, beside the largest pair that one equation holds", "ratio ≤ 1.2", "memory"),
    Table("networks", "whole networks, inference", "ratio ≤ 1.0", "networks"),
    Table("training", "a step of training: loss, gradients, momentum", "ratio ≤ 0.9", "training"),
    Table("starts", "from the start of a process, in seconds", "AlexNet ≤ 5, training ≤ 15, one line ≤ 0.5; warm ≤ 1.2", "starts"),
    Table("growth", "batch, threads, equations, beside what is in proportion", "ratio ≤ 1.0; 2 threads ≤ 0.56 of one", "growth"),
)  # fmt: skip
