"""The best order of pairs for a sum of products: all of them for a few factors, the cheapest next pair for many.

before   y[i] = sum[j,k,l] A[i,j]*B[j,k]*C[k,l]*v[l]
after    T[k] = sum[l] C[k,l]*v[l];  U[j] = sum[k] B[j,k]*T[k];  y[i] = sum[j] A[i,j]*U[j]
"""

from collections.abc import Iterable, Iterator

from indexlang.ir.expr import Expr, free_indices
from indexlang.passes.pair_parts import Part, Parts

EXACT = 8  # factors for which all orders are looked at
_FREE = 5  # factors for which pairs without a common index are looked at too


class Order:
    """The search: `kept` are the indices of the result, `conditions` hold back the indices that they have to the end."""

    def __init__(self, parts: Parts, factors: list[Part], kept: frozenset[str], conditions: tuple[Expr, ...]):
        self.parts = parts
        self.factors = factors
        self.kept = kept
        self.conditions = conditions
        self.held = frozenset(n for c in conditions for n in free_indices(c))
        self.whole = (1 << len(factors)) - 1
        self.summed = frozenset(parts.bounds) - kept

    def best(self) -> Iterator[Part]:
        """The whole sum, in a few good ways: which one is best, the reader decides."""
        if len(self.factors) == 1:
            return self.parts.sums(self.factors[0], None, self._gone(1, self.kept | self.summed), self.conditions)
        return self._exact() if len(self.factors) <= EXACT else self._greedy()

    def _exact(self) -> Iterator[Part]:
        best: dict[int, Part] = {}
        for mask in range(1, self.whole):
            found = self._made(mask, best)
            if found is not None:
                best[mask] = found
        for a, b in _halves(self.whole):
            if a in best and b in best:
                yield from self._joined(self.whole, best[a], best[b])

    def _made(self, mask: int, best: dict[int, Part]) -> Part | None:
        if mask & (mask - 1) == 0:
            return self._alone(mask.bit_length() - 1)
        pairs = [(best[a], best[b]) for a, b in _halves(mask) if a in best and b in best]
        common = [(a, b) for a, b in pairs if a.indices & b.indices]
        if not common and len(self.factors) > _FREE:
            return None
        return _cheapest(
            p for a, b in (pairs if len(self.factors) <= _FREE else common) for p in self._joined(mask, a, b)
        )

    def _alone(self, k: int) -> Part:
        """One factor, with what only it depends on summed."""
        factor = self.factors[k]
        gone = self._gone(1 << k, factor.indices)
        found = _cheapest(self.parts.sums(factor, None, gone)) if gone else factor
        assert found is not None
        return found

    def _joined(self, mask: int, a: Part, b: Part) -> Iterator[Part]:
        is_last = mask == self.whole
        used = a.indices | b.indices
        gone = self._gone(mask, used | self.held if is_last else used)
        if gone:
            yield from self.parts.sums(a, b, gone, self.conditions if is_last else ())
        else:
            yield self.parts.beside(a, b)

    def _gone(self, mask: int, used: frozenset[str]) -> frozenset[str]:
        """The indices that nothing outside of these factors needs."""
        outside = {n for k, f in enumerate(self.factors) if not mask >> k & 1 for n in f.indices}
        if mask != self.whole:
            outside |= self.held
        return (used & self.summed) - outside

    def _greedy(self) -> Iterator[Part]:
        now = {1 << k: self._alone(k) for k in range(len(self.factors))}
        while len(now) > 2:
            pairs = [(p, q) for p in now for q in now if p < q]
            pairs = [(p, q) for p, q in pairs if now[p].indices & now[q].indices] or pairs
            tried = [(p, q, self._cheapest_pair(p | q, now[p], now[q])) for p, q in pairs]
            p, q, made = min(tried, key=lambda t: t[2].cost - now[t[0]].cost - now[t[1]].cost)
            del now[p], now[q]
            now[p | q] = made
        (p, a), (q, b) = now.items()
        yield from self._joined(p | q, a, b)

    def _cheapest_pair(self, mask: int, a: Part, b: Part) -> Part:
        """A pair with the cost of what it leaves behind: else products that grow look cheap."""
        found = _cheapest(map(self.parts.stored, self._joined(mask, a, b)))
        assert found is not None
        return found


def _halves(mask: int) -> Iterator[tuple[int, int]]:
    """Every way to see a set as two, once; the first factor is in the first half."""
    first = mask & -mask
    a = (mask - 1) & mask
    while a:
        if a & first:
            yield a, mask ^ a
        a = (a - 1) & mask


def _cheapest(parts: Iterable[Part]) -> Part | None:
    return min(parts, key=lambda p: p.cost, default=None)
