"""The table of equations: what indexlang can say, a row each, with the numpy line that says the same.

The rows lie in `tables/`, by subject. Odd ones are the point: extents 0, 1, primes and one off a tile, ranks 0 to 6,
windows that just fit, subscripts that run backwards. Add the row that would have caught your last bug.
"""

from tables import contractions, convolutions, elementwise, programs, reductions, subscripts
from tables.case import Case

CASES: tuple[Case, ...] = (
    *contractions.ROWS,
    *reductions.ROWS,
    *convolutions.ROWS,
    *subscripts.ROWS,
    *elementwise.ROWS,
    *programs.ROWS,
)
