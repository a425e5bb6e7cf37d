"""Programs of every kernel shape, in the extents where tails and tiles begin and end."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class Shape:
    """A text with extents by capital letters, what to try for each, and inputs that are subscripts: up to where."""

    name: str
    text: str
    extents: dict[str, tuple[int, ...]]
    below: dict[str, str] | None = None
    schedule: str = ""  # the beginning of a schedule that must occur

    def texts(self) -> Iterator[tuple[str, str, dict[str, int]]]:
        """Title, text and extents of each member."""
        for values in product(*self.extents.values()):
            chosen = dict(zip(self.extents, values, strict=True))
            told = ",".join(f"{n}={v}" for n, v in chosen.items())
            yield f"{self.name} {told}", self.text, chosen


_TAILS = (1, 2, 7, 16, 17, 33)
_FEW = (1, 5, 17)
_PRODUCT = {"I": (1, 2, 13, 15, 29), "J": (1, 7, 18), "K": (1, 2, 15, 17, 33)}


def _product(left: str, right: str, result: str = "C[i,k]") -> str:
    a, b = left.upper().replace("[", "").replace("]", ""), right.upper().replace("[", "").replace("]", "")
    return f"input A[{a}]\ninput M[{b}]\n{result} = sum A{left}*M{right}\noutput C\n"


SHAPES = (
    # contractions in tiles: every layout of operands and result
    Shape("product", _product("[I,J]".lower(), "[J,K]".lower()), _PRODUCT, schedule="tile"),
    Shape("left operand turned", _product("[j,i]", "[j,k]"), {"I": (1, 13, 29), "J": (1, 7, 18), "K": (1, 17, 33)}),
    Shape("right operand turned", _product("[i,j]", "[k,j]"), {"I": (1, 13, 29), "J": (1, 7, 18), "K": (1, 17, 33)}),
    Shape("both turned", _product("[j,i]", "[k,j]"), {"I": (1, 13), "J": (7, 18), "K": (1, 17)}),
    Shape("result turned", _product("[i,j]", "[j,k]", "C[k,i]"), {"I": (1, 13, 17), "J": (7,), "K": (1, 17)}),
    Shape("a batch of products", _product("[b,i,j]", "[b,j,k]", "C[b,i,k]"), {"B": (1, 3), "I": (2, 15), "J": (5,), "K": (3, 17)}),
    Shape("a vector times a matrix", "input A[J]\ninput M[J,K]\nC[k] = sum A[j]*M[j,k]\noutput C\n", {"J": (1, 7, 130), "K": _TAILS}),
    Shape("a matrix times a vector", "input M[I,J]\ninput A[J]\nC[i] = sum M[i,j]*A[j]\noutput C\n", {"I": (1, 7, 33), "J": _TAILS}),
    Shape("an inner product", "input A[J]\ninput M[J]\nC = sum A[j]*M[j]\noutput C\n", {"J": (1, 2, 17, 1000)}),
    Shape("a long sum in rounds", _product("[i,j]", "[j,k]"), {"I": (60, 61), "J": (601, 700), "K": (15, 33)}),
    Shape("a long sum, left turned", _product("[j,i]", "[j,k]"), {"I": (61,), "J": (601,), "K": (15, 130)}),
    Shape("a long sum, right turned", _product("[i,j]", "[k,j]"), {"I": (61,), "J": (601,), "K": (15, 33)}),
    Shape("a wide result", _product("[i,j]", "[j,k]"), {"I": (57, 70), "J": (3, 20), "K": (600, 777)}),
    Shape("a long sum, a small result", _product("[i,j]", "[j,k]"), {"I": (2, 3), "J": (20011,), "K": (1, 5)}),
    Shape("a product with a bias", "input A[I,J]\ninput M[J,K]\ninput D[K]\nC[i,k] = relu(sum A[i,j]*M[j,k] - D[k])\noutput C\n",
          {"I": (1, 15), "J": (7,), "K": (1, 17)}),
    Shape("a sum in two products", "input A[I,J]\ninput M[J,K]\ntensor C[I,K]\nC[i,k] += sum A[i,j]*M[j,k]\nC[i,k] += sum A[i,j]*M[j,k]\noutput C\n",
          {"I": (1, 15), "J": (7,), "K": (1, 17)}),
    Shape("a product of ints", "input A[I,J] : int\ninput M[J,K] : int\nC[i,k] = sum A[i,j]*M[j,k]\noutput C\n", {"I": (1, 13), "J": (7,), "K": (1, 17)},
          {"A": "9", "M": "9"}),
    # convolutions
    Shape("a convolution", "input L[B,H,H,I]\ninput W[3,3,I,J]\nC[b,x,y,j] = sum W[dx,dy,i,j]*L[b,x+dx,y+dy,i]\noutput C\n",
          {"B": (1, 2), "H": (3, 4, 17), "I": (1, 3), "J": (1, 17)}, schedule="tile"),
    Shape("a convolution with stride", "input L[B,H,H,I]\ninput W[3,2,I,J]\nC[b,x,y,j] = sum W[dx,dy,i,j]*L[b,2*x+dx,3*y+dy,i]\noutput C\n",
          {"B": (1,), "H": (3, 8, 19), "I": (3,), "J": (5, 16)}),
    Shape("a padded convolution", "input L[B,H,H,I]\ninput W[3,3,I,J]\nC[b,x:H,y:H,j] = sum W[dx,dy,i,j]*L[b,x+dx-1,y+dy-1,i else 0]\noutput C\n",
          {"B": (2,), "H": (1, 5, 16), "I": (3,), "J": (17,)}),
    Shape("a convolution of channels first", "input L[B,I,H,H]\ninput W[J,I,3,3]\nC[b,j,x,y] = sum W[j,i,dx,dy]*L[b,i,x+dx,y+dy]\noutput C\n",
          {"B": (1,), "H": (4, 17), "I": (3,), "J": (2, 17)}),
    Shape("windows by fewer products", "input L[B,H,7,I]\nparam W[3,3,I,J] ~ xavier\nparam D[J] = 0\n"
          "C[b,x:H,y:7,j] = relu((sum W[dx,dy,i,j]*L[b,x+dx-1,y+dy-1,i else 0]) - D[j])\noutput C\n",
          {"B": (1, 2), "H": (1, 4, 9), "I": (3, 17), "J": (9, 33)}, schedule="windows"),
    Shape("one window, inside", "input L[H,I]\nparam W[K,I,J] ~ xavier\nC[x,j] = sum[k:K,i] W[k,i,j]*L[x+k,i]\noutput C\n",
          {"H": (7, 12), "I": (3, 16), "J": (9, 33), "K": (2, 5)}, schedule="windows"),
    Shape("parameters packed once", "input L[B,I]\nparam W[J,I] ~ xavier\nparam D[J] = 0\nC[b,j] = sum W[j,i]*L[b,i] - D[j]\noutput C\n",
          {"B": (1, 15), "I": (7, 33), "J": (1, 17)}),
    Shape("fully connected over a flattened tensor", "input P[B,X,X,I]\ninput Q[J,X*X*I]\nC[b,j] = sum Q[j,(x,y,i)]*P[b,x,y,i]\noutput C\n",
          {"B": (1, 3), "X": (2,), "I": (3,), "J": (5, 17)}),
    # register blocks, in the small
    Shape("a filter for each column", "input L[H,V,J]\ninput W[3,3,J]\nC[x:H,y:V,j] = sum W[dx,dy,j]*L[x+dx-1,y+dy-1,j else 0]\noutput C\n",
          {"H": (1, 7), "V": (2, 9), "J": (8, 17, 100)}, schedule="block"),
    Shape("a filter for each column, with stride", "input L[2*H,2*V,J]\ninput W[3,3,J]\nC[x:H,y:V,j] = sum W[dx,dy,j]*L[2*x+dx-1,2*y+dy-1,j else 0]\noutput C",
          {"H": (1, 7), "V": (2, 9), "J": (8, 65)}, schedule="block"),
    Shape("filters of groups", "input L[H,V,16]\ninput W[8,3,3,2,J]\nC[x:H,y:V,(g,j)] = sum W[g,dx,dy,i,j]*L[x+dx-1,y+dy-1,(g,i) else 0]\noutput C\n",
          {"H": (1, 7), "V": (3, 9, 15), "J": (2, 4)}, schedule="block"),
    Shape("filters of groups, with stride", "input L[2*H,2*V,8]\ninput W[4,3,3,2,4]\n"
          "C[x:H,y:V,(g,j)] = sum W[g,dx,dy,i,j]*L[2*x+dx-1,2*y+dy-1,(g,i) else 0]\noutput C\n",
          {"H": (1, 7), "V": (3, 9)}, schedule="block"),
    Shape("a maximum of sums", "input A[I,J]\ninput M[J,K]\nC[i,k] = max[j] (A[i,j] + M[j,k])\noutput C\n",
          {"I": (2, 13), "J": (3,), "K": (8, 17, 65, 130)}, schedule="block"),
    Shape("a window along columns", "input A[X,Y]\ninput W[3,3]\nC[x:X,y:Y] = sum W[dx,dy]*A[x+dx-1,y+dy-1 else 0]\noutput C\n",
          {"X": (2, 9), "Y": (17, 40, 70)}, schedule="block"),
    # running sums, along rows and beside columns
    Shape("a running sum of rows", "input A[X,Y]\nC[x,y:Y] = sum[z] (A[x,z] if z <= y else 0)\noutput C\n", {"X": (1, 4, 17), "Y": (8, 65)}),
    Shape("a running sum backwards", "input A[X,Y]\nC[x:X,y] = 2*(sum[z] (A[z,y] if z > x else 0))\noutput C\n", {"X": (8, 65), "Y": (1, 16, 33)}),
    # sums that a condition keeps inside: they are computed ahead of it
    Shape("a product under a condition", "input A[I,J]\ninput M[J,K]\nC[i:I,k] = (sum[j] A[i-1,j]*M[j,k]) if i > 0 else 0\noutput C\n",
          {"I": (1, 15), "J": (7, 40), "K": (1, 17)}),
    Shape("a maximum under a condition", "input A[I,J]\nC[i:I] = (max[j] A[i+1,j]) if i + 1 < I else 0\noutput C\n", {"I": (1, 15), "J": (7, 40)}),
    # inner and rows
    Shape("element by element", "input A[X]\nC[x] = 2*A[x] - 1\noutput C\n", {"X": _TAILS}, schedule="inner"),
    Shape("a row and a column", "input A[X]\ninput D[Y]\nC[x,y] = A[x]*D[y] + A[x]\noutput C\n", {"X": _FEW, "Y": _TAILS}),
    Shape("a sum along rows", "input A[X,Y]\nC[x] = sum A[x,y]\noutput C\n", {"X": _FEW, "Y": _TAILS}),
    Shape("a sum along columns", "input A[X,Y]\nC[y] = sum A[x,y]\noutput C\n", {"X": (1, 7, 9, 65), "Y": (1, 2, 17, 513)}, schedule="rows"),
    Shape("the greatest of columns", "input A[X,Y]\nC[y] = max[x] A[x,y]\noutput C\n", {"X": (1, 9), "Y": (1, 17, 513)}),
    Shape("where the greatest is", "input A[X,Y]\nC[x] = argmax[y] A[x,y]\noutput C\n", {"X": _FEW, "Y": (1, 2, 17)}),
    Shape("a softmax", "input A[X,Y]\nC[x,y] = exp(A[x,y]) / sum[z] exp(A[x,z])\noutput C\n", {"X": (1, 3), "Y": _TAILS}),
    Shape("a long sum of one tensor", "input A[X]\nC = sum A[x]\noutput C\n", {"X": (1, 17, 5000, 70001)}),
    Shape("pooling", "input A[H,V,J]\nC[x,y,j] = max[dx:2,dy:2] A[2*x+dx,2*y+dy,j]\noutput C\n", {"H": (2, 7), "V": (2, 9), "J": (1, 17)}),
    Shape("backwards", "input A[X]\nC[x:X] = A[X-1-x]\noutput C\n", {"X": _TAILS}),
    Shape("a diagonal", "input A[X,X]\nC[x] = A[x,x]\noutput C\n", {"X": _FEW}),
    Shape("every third", "input A[3*X]\nC[x:X] = A[3*x+2]\noutput C\n", {"X": _FEW}),
    *(Shape(f"a border, {rule}", f"input A[X,Y]\nC[x:X,y:Y] = A[x-1,y+2 else {rule}] + A[x+1,y-2 else {rule}]\noutput C\n",
            {"X": (1, 7), "Y": (3, 17)}) for rule in ("0", "edge", "wrap", "mirror", "reflect")),
    Shape("differences", "input A[X]\nC[x:X-1] = A[x+1] - A[x]\noutput C\n", {"X": (2, 17, 18, 34)}),
    Shape("repeated", "input A[X]\nC[x:3*X] = A[x//3]\noutput C\n", {"X": _FEW}),
    Shape("residues", "input A[H]\nC[x:6*H] = A[(x//2)%H] + x%3\noutput C\n", {"H": _FEW}),
    Shape("a copy into a box", "input A[X,Y]\nD[x:X+2,y:Y+2] = A[x-1,y-1 else 0]\nC[x,y] = sum[dx:3,dy:3] D[x+dx,y+dy]\noutput C\n", {"X": _FEW, "Y": (1, 17)}),
    # transposes
    Shape("a transpose", "input A[X,Y]\nC[y,x] = A[x,y]\noutput C\n", {"X": (1, 31, 33, 256, 301), "Y": (1, 2, 31, 33, 65)}),
    Shape("axes turned around", "input A[X,Y,Z]\nC[z,y,x] = A[x,y,z]\noutput C\n", {"X": (1, 33), "Y": (2, 3), "Z": (1, 31, 33)}),
    Shape("a transpose of a function", "input A[X,Y]\nC[y,x] = exp(A[x,y])\noutput C\n", {"X": (33,), "Y": (1, 31, 65)}),
    # data-dependent places
    Shape("a gather", "input E[V,J]\ninput t[T] : int\nC[n,j] = E[t[n],j]\noutput C\n", {"V": (1, 5), "T": _FEW, "J": (1, 17)}, {"t": "V"}, "check"),
    Shape("a gather of a gather", "input E[V]\ninput t[T] : int\ninput u[U] : int\nC[n] = E[t[u[n]]]\noutput C\n", {"V": (1, 5), "T": _FEW, "U": _FEW},
          {"t": "V", "u": "T"}),
    Shape("a histogram", "input t[T] : int\ntensor C[V]\nC[t[n]] += 1\noutput C\n", {"V": (1, 5), "T": (1, 17, 100)}, {"t": "V"}),
    Shape("a scatter of rows", "input t[T] : int\ninput D[T,J]\ntensor C[V,J]\nC[t[n],j] += D[n,j]\noutput C\n", {"V": (1, 5), "T": (1, 17), "J": (1, 17, 33)},
          {"t": "V"}, "scatter"),
    Shape("a scatter in ranges", "input t[T] : int\ninput D[T]\ntensor C[V]\nC[t[n]] += D[n]\noutput C\n", {"V": (5003,), "T": (4099,)}, {"t": "V"}),
    Shape("a scatter of tables", "input t[T] : int\ninput D[T,J]\ntensor C[V,J]\nC[t[n],j] += D[n,j]\noutput C\n",
          {"V": (9001,), "T": (4099,), "J": (1, 3)}, {"t": "V"}),
    Shape("windows added up", "input D[H]\ninput M[3]\ntensor C[H+2]\nC[x+dx] += D[x]*M[dx]\noutput C\n", {"H": _FEW}),
    Shape("strides added up", "input D[H,V]\ninput M[3]\ntensor C[2*H+1,V]\nC[2*x+dx,v] += D[x,v]*M[dx]\noutput C\n", {"H": _FEW, "V": (1, 17)}),
    # vector mathematics in its tails
    *(Shape(f"{f} in its tails", f"input A[X]\nC[x] = {f}(A[x]*A[x] + 0.5)\noutput C\n", {"X": (1, 2, 3, 7, 8, 9, 15, 17, 31, 33)})
      for f in ("exp", "log", "tanh", "erf", "sqrt", "sigmoid", "gelu", "sin")),
    Shape("random numbers", "input A[X]\nC[x:X] ~ uniform(0, 1)\noutput C\n", {"X": _FEW}),
    Shape("nothing at all", "input A[X,Y]\nC[x] = sum A[x,y]\noutput C\n", {"X": (0, 3), "Y": (0, 3)}),
    Shape("bytes and bools", "input A[X] : u8\nC[x] = A[x] > 100\nD[x] = A[x] * 2\noutput C, D\n", {"X": _TAILS}, {"A": "256"}),
)  # fmt: skip
