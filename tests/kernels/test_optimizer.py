"""Object code is the same whether llvmlite's lock is held or not, and on whichever thread it is made."""

import threading

import pytest

from indexlang.kernels import optimizer

TEXT = """
define internal float @twice(float %x) {
  %y = fadd float %x, %x
  ret float %y
}
define void @worker(i64 %start, i64 %stop, ptr %args) {
  %x = load float, ptr %args
  %y = call float @twice(float %x)
  store float %y, ptr %args
  ret void
}
"""


def made() -> bytes:
    module = optimizer.parsed(TEXT)
    optimizer.optimize(module, "worker")
    return optimizer.emitted(module)


def test_with_and_without_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    assert optimizer._unlocked("LLVMPY_RunNewModulePassManager")
    assert optimizer._unlocked("LLVMPY_TargetMachineEmitToMemory")
    free = made()
    monkeypatch.setattr(optimizer, "_unlocked", lambda _: None)
    assert made() == free


def test_on_several_threads() -> None:
    wanted, found = made(), list[bytes]()
    threads = [threading.Thread(target=lambda: found.append(made())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [wanted] * 4
