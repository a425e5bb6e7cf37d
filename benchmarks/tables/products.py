"""Matrix products: square, tall, batched, transposed on either side, and with a vector."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from benchmarks.case import Case, Setting, measured
from benchmarks.report import Row

PLAIN = "C[i,k] = sum[j] A[i,j]*B[j,k]"


def _product(a: Any, b: Any) -> Any:
    return a @ b


def _square(n: int) -> Case:
    return Case(f"{n} square", PLAIN, "A[N,N] B[N,N]", {"N": n}, {"N": 17}, {"torch": _product, "numpy": _product})


def _case(name: str, text: str, inputs: str, peer: Callable[..., Any] = _product, **sizes: int) -> Case:
    small = {letter: 3 + 2 * at for at, letter in enumerate(sizes)}
    return Case(name, text, inputs, sizes, small, {"torch": peer, "numpy": peer})


CASES = (
    _square(256),
    _square(512),
    _square(1024),
    _square(2048),
    _square(4096),
    _case("tall, 16384x64 by 64", PLAIN, "A[N,K] B[K,M]", N=16384, K=64, M=64),
    _case("flat, 64 by 64x16384", PLAIN, "A[N,K] B[K,M]", N=64, K=64, M=16384),
    _case("deep, 64x16384 by 64", PLAIN, "A[N,K] B[K,M]", N=64, K=16384, M=64),
    _case("16 of 256", "C[n,i,k] = sum[j] A[n,i,j]*B[n,j,k]", "A[T,N,N] B[T,N,N]", T=16, N=256),
    _case("128 of 64", "C[n,i,k] = sum[j] A[n,i,j]*B[n,j,k]", "A[T,N,N] B[T,N,N]", T=128, N=64),
    _case("1024, left transposed", "C[i,k] = sum[j] A[j,i]*B[j,k]", "A[N,N] B[N,N]", lambda a, b: a.T @ b, N=1024),
    _case("1024, right transposed", "C[i,k] = sum[j] A[i,j]*B[k,j]", "A[N,N] B[N,N]", lambda a, b: a @ b.T, N=1024),
    _case("1024, both transposed", "C[i,k] = sum[j] A[j,i]*B[k,j]", "A[N,N] B[N,N]", lambda a, b: a.T @ b.T, N=1024),
    _case("1000x999 by 1001", PLAIN, "A[N,K] B[K,M]", N=1000, K=999, M=1001),
    _case("connected, batch 1", PLAIN, "A[N,K] B[K,M]", N=1, K=4096, M=4096),
    _case("connected, batch 16", PLAIN, "A[N,K] B[K,M]", N=16, K=4096, M=4096),
    _case("matrix by vector", "C[i] = sum[j] A[i,j]*V[j]", "A[N,K] V[K]", N=4096, K=4096),
)


def rows(table: str, setting: Setting, wanted: Callable[[str], bool]) -> Iterator[Row]:
    return map(partial(measured, table, setting=setting), filter(lambda case: wanted(case.name), CASES))
