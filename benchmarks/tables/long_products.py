"""Products of three and four factors: the order matters more than the loops. Peers: opt_einsum on torch's and numpy's products."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from benchmarks.case import Case, Setting, measured
from benchmarks.report import Row


def _product(formula: str) -> Callable[..., Any]:
    """The best order of pairs, by opt_einsum where it is installed (torch has it in its own einsum), else numpy's."""

    def call(*factors: Any) -> Any:
        try:
            from opt_einsum import contract
        except ImportError:
            import numpy as np

            return np.einsum(formula, *map(np.asarray, factors), optimize=True)
        return contract(formula, *factors)

    return call


def _case(name: str, text: str, inputs: str, formula: str, flops: Callable[..., int], **sizes: int) -> Case:
    call = _product(formula)
    small = {letter: 4 + at for at, letter in enumerate(sizes)}
    return Case(name, text, inputs, sizes, small, {"torch": call, "numpy": call}, flops=flops)


CASES = (
    _case("three factors, a vector last", "Y[i] = sum[j,k] A[i,j]*B[j,k]*V[k]", "A[N,N] B[N,N] V[N]", "ij,jk,k->i",
          lambda N: 4 * N * N, N=2048),
    _case("four factors, a vector last", "Y[i] = sum[j,k,l] A[i,j]*B[j,k]*C[k,l]*V[l]", "A[N,N] B[N,N] C[N,N] V[N]",
          "ij,jk,kl,l->i", lambda N: 6 * N * N, N=2048),
    _case("three matrices, a narrow middle", "Y[i,l] = sum[j,k] A[i,j]*B[j,k]*C[k,l]", "A[N,K] B[K,N] C[N,M]", "ij,jk,kl->il",
          lambda N, K, M: 4 * N * K * M, N=1024, K=32, M=512),
    _case("four matrices", "Y[i,m] = sum[j,k,l] A[i,j]*B[j,k]*C[k,l]*D[l,m]", "A[N,M] B[M,N] C[N,M] D[M,N]", "ij,jk,kl,lm->im",
          lambda N, M: 4 * N * M * M + 2 * N * N * M, N=1024, M=128),
)  # fmt: skip


def rows(table: str, setting: Setting, wanted: Callable[[str], bool]) -> Iterator[Row]:
    return map(partial(measured, table, setting=setting), filter(lambda case: wanted(case.name), CASES))
