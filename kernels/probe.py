"""What this machine can do at most: f32 multiply-adds and memory copies a second, measured. Needs llvmlite only.

Every speed that is told is told as a share of these two.
"""

import ctypes
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache

import llvmlite.binding as llvm
import numpy as np

from indexlang.kernels.loader import load
from indexlang.kernels.machine import machine, target_machine

__all__ = ["copy_bandwidth", "f32_peak"]

_SYMBOL = "indexlang_peak"
# Independent sums: enough to fill two fused multiply-add units of four cycles' latency, few enough for 16 registers.
_SUMS = 12
_ROUNDS = 1 << 20
_COPIED = 64 << 20  # bytes a thread, beyond any cache


def f32_peak(threads: int, repeat: int = 15) -> float:
    """Single-precision operations a second (a multiply-add is two) that `threads` threads reach in registers.

    cost    about 10 ms a repetition; the best of them counts, since two threads may begin on one core
    """
    spin = _native_peak()
    work = [lambda: spin(_ROUNDS, ctypes.create_string_buffer(64))] * threads
    operations = 2 * machine().lanes(4) * _SUMS * _ROUNDS * threads
    return operations / min(_seconds(work) for _ in range(repeat))


def copy_bandwidth(threads: int, repeat: int = 5) -> float:
    """Bytes a second that a copy moves, those read and those written, by `threads` threads each with its own arrays."""
    arrays = [(np.ones(_COPIED // 8), np.ones(_COPIED // 8)) for _ in range(threads)]
    work = [lambda source=source, target=target: np.copyto(target, source) for source, target in arrays]
    return 2 * _COPIED * threads / min(_seconds(work) for _ in range(repeat))


def _seconds(work: Sequence[Callable[[], object]]) -> float:
    """Time for all of `work`, each piece on a thread of its own."""
    ready = threading.Barrier(len(work) + 1)

    def run(piece: Callable[[], object]) -> None:
        ready.wait()
        piece()

    threads = [threading.Thread(target=run, args=(piece,)) for piece in work]
    for thread in threads:
        thread.start()
    ready.wait()
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start


@cache
def _native_peak() -> Callable[[int, object], None]:
    code = target_machine().emit_object(llvm.parse_assembly(_peak_ir(machine().lanes(4))))
    return ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_void_p)(load(code, _SYMBOL))


def _peak_ir(lanes: int) -> str:
    """LLVM text of `void peak(int64 rounds, float* sink)`: sums `s = s*0.5 + 1`, which stay near 2."""
    vector, fma = f"<{lanes} x float>", f"@llvm.fma.v{lanes}f32"
    half, one = (f"<{', '.join(f'float {number}' for _ in range(lanes))}>" for number in ("0.5", "1.0"))
    starts = (f"<{', '.join(f'float {k}.0' for _ in range(lanes))}>" for k in range(_SUMS))
    phis = (f"  %s{k} = phi {vector} [ {start}, %entry ], [ %t{k}, %loop ]" for k, start in enumerate(starts))
    adds = (f"  %t{k} = call {vector} {fma}({vector} %s{k}, {vector} {half}, {vector} {one})" for k in range(_SUMS))
    folds = (f"  %u{k} = fadd {vector} %{f'u{k - 1}' if k > 1 else 't0'}, %t{k}" for k in range(1, _SUMS))
    return "\n".join(
        [
            f"declare {vector} {fma}({vector}, {vector}, {vector})",
            f"define void @{_SYMBOL}(i64 %rounds, ptr %sink) {{",
            "entry:",
            "  br label %loop",
            "loop:",
            "  %n = phi i64 [ %rounds, %entry ], [ %left, %loop ]",
            *phis,
            *adds,
            "  %left = sub i64 %n, 1",
            "  %more = icmp sgt i64 %left, 0",
            "  br i1 %more, label %loop, label %done",
            "done:",
            *folds,
            f"  %first = extractelement {vector} %u{_SUMS - 1}, i32 0",
            "  store float %first, ptr %sink",
            "  ret void",
            "}",
        ]
    )
