"""Calls of functions, and the extents that follow: forwards, backwards, both ways, contradictory, open.

A row: its name, the statements after the functions below, and what is expected: extents of tensors by name, or the code
of the message with words that must stand in it (places are checked by the words of the notes).
"""

from dataclasses import dataclass, field

FUNCTIONS = """\
def Conv(L[X,Y,I], Φ, width w, pad p = 0, stride s = 1, features J = ?):
    param W[w,w,I,J]
    param B[J]
    R[x:(X+2*p-w)//s+1,y:(Y+2*p-w)//s+1,j] = sum W[dx,dy,i,j]*L[s*x+dx-p,s*y+dy-p,i else 0] - B[j]
    return R
def Conv(W[w,h,I,J], B[J], L[X,Y,I]):
    R[x,y,j] = sum W[dx,dy,i,j]*L[x+dx,y+dy,i] - B[j]
    return R
def MaxPool(L[X,Y,I], width w, stride s = w):
    R[x,y,i] = max[dx:w,dy:w] L[s*x+dx,s*y+dy,i]
    return R
def FC(L[I...], Φ, features J = ?):
    param W[J,I]
    R[j] = sum W[j,i]*L[i]
    return R
def Centre(L[X,Y,I]):
    M[i] = 1/(X*Y) * sum[x,y] L[x,y,i]
    return M
def Softmax(s[K]):
    E[k] = exp(s[k])
    return E / sum[k] E[k]
def Grow(L[X,Y,I], Φ, grow g):
    U = max(Conv(L, Φ, width 3, pad 1, features g), 0)
    return L ; U
def Add(A[I], B[I]) = A + B
def Outer(A[I], B[J]):
    R[i,j] = A[i]*B[j]
    return R
def Double(L[I], Φ, features J = 2*I):
    param W[I,J]
    R[j] = sum W[i,j]*L[i]
    return R
def MSE(A[I...], B[I...]) = 1/I * sum[i] (A[i] - B[i])^2
def leaky(x, slope a = 0.01) = max(x, a*x)
"""


@dataclass(frozen=True)
class Call:
    name: str
    text: str
    extents: dict[str, tuple[int | str, ...]] = field(default_factory=dict)
    code: str = ""
    words: tuple[str, ...] = ()


L0 = "input L0[B,12,12,4]\n"
X = "input X[B,12,12,4]\ninput s[B,10]\ninput t[B,10]\ninput v[7]\ninput u[5]\n"


def flows(name: str, text: str, **extents: tuple[int | str, ...]) -> Call:
    return Call(name, text, {n.replace("__", "."): e for n, e in extents.items()})


def refused(name: str, text: str, code: str, *words: str) -> Call:
    return Call(name, text, {}, code, words)


CALLS = (
    # -- forwards: from the arguments and the constants of the call
    flows("features given", L0 + "L1 = Conv(L0, width 3, features 8)", L1=("B", 10, 10, 8), L1__W=(3, 3, 4, 8)),
    flows("features with an equals sign", L0 + "L1 = Conv(L0, width=3, features=8)", L1=("B", 10, 10, 8)),
    flows("a stride", L0 + "L1 = Conv(L0, width 3, stride 2, features 8)", L1=("B", 5, 5, 8)),
    flows("padding", L0 + "L1 = Conv(L0, width 5, pad 2, features 3)", L1=("B", 12, 12, 3)),
    flows("a pool has no package", L0 + "L1 = MaxPool(L0, width 3, stride 2)", L1=("B", 5, 5, 4)),
    flows("a default that is another constant", L0 + "L1 = MaxPool(L0, width 2)", L1=("B", 6, 6, 4)),
    flows("a constant of the text", "k = 3\n" + L0 + "L1 = MaxPool(L0, width=k+1, stride k)", L1=("B", 3, 3, 4)),
    flows("a default from the head's extents", X + "y = Double(v)", y=(14,), y__W=(7, 14)),
    flows("a reduced tensor", L0 + "m = Centre(L0)", m=("B", 4)),
    flows("two calls inside each other", L0 + "m = Centre(MaxPool(L0, width 2))", m=("B", 4)),
    flows("given tensors", "input W[3,3,4,8]\ninput C[8]\n" + L0 + "L1 = Conv(W, C, L0)", L1=("B", 10, 10, 8)),
    flows("given tensors in capitals",
          "input W[3,3,4,8]\ninput C[8]\n" + L0 + "R[B,X,Y,J] = Conv(W[X,Y,J,J'], C[J'], L0[B,X,Y,J])", R=("B", 10, 10, 8)),
    flows("a matrix of two vectors", X + "m = Outer(v, u)", m=(7, 5)),
    flows("no axis mapped", "input L[12,12,4]\nL1 = Conv(L, width 3, features 8)", L1=(10, 10, 8)),
    flows("two axes mapped", "input L[A,B,12,12,4]\nL1 = Conv(L, width 3, features 8)", L1=("A", "B", 10, 10, 8)),
    flows("one argument mapped, one not", X + "m = Outer(s, u)", m=("B", 10, 5)),
    flows("a mapped index of the caller", X + "p[b,K] = Softmax(s[b,K])", p=("B", 10)),
    flows("a mapped whole", X + "p = Softmax(s)", p=("B", 10)),
    flows("grown twice", L0 + "L1 = Grow(L0, grow 3)\nL2 = Grow(L1, grow 5)", L1=("B", 12, 12, 7), L2=("B", 12, 12, 12),
          L2__W=(3, 3, 7, 5)),
    # -- backwards: from the left side, and from what the result meets
    flows("features from the left side", L0 + "L1[B,10,10,8] = Conv(L0, width 3)", L1__W=(3, 3, 4, 8), L1__B=(8,)),
    flows("through relu", L0 + "L1[B,10,10,8] = ReLU(Conv(L0, width 3))", L1__W=(3, 3, 4, 8)),
    flows("through a sum", L0 + "L1[B,10,10,8] = relu(1 + 2*Conv(L0, Φ, width 3))", Φ__W=(3, 3, 4, 8)),
    flows("from a tensor statement", L0 + "tensor L1[B,10,10,8]\nL1 = Conv(L0, width 3)", L1__W=(3, 3, 4, 8)),
    flows("from a constant in capitals", "J = 8\n" + L0 + "L1[B,10,10,J] = Conv(L0, width 3)", L1__W=(3, 3, 4, 8)),
    flows("only the features stated", L0 + "L1[B,X,Y,8] = Conv(L0, width 3)", L1=("B", 10, 10, 8), L1__W=(3, 3, 4, 8)),
    flows("a residual", L0 + "L1 = L0 + Conv(L0, width 3, pad 1)", L1=("B", 12, 12, 4), L1__W=(3, 3, 4, 4)),
    flows("a residual with the call first", L0 + "L1 = Conv(L0, width 3, pad 1) + L0", L1__W=(3, 3, 4, 4)),
    flows("from another call", L0 + "L1 = Conv(L0, Φ, width 3) + Conv(L0, Ψ, width 3, features 6)", Φ__W=(3, 3, 4, 6)),
    flows("from a parameter that meets the result",
          L0 + "param C[6]\nL1[b,x,y,j] = C[j]*R[b,x,y,j]\nR[B,10,10,6] = Conv(L0, width 3)", R__W=(3, 3, 4, 6)),
    flows("the rest of a joined vector", L0 + "L1[B,12,12,10] = L0 ; Conv(L0, width 3, pad 1)", L1__W=(3, 3, 4, 6)),
    flows("a flattening layer", L0 + "y[B,10] = FC(L0)", y__W=(10, 576)),
    flows("a flattening layer without batch", "input L8[3,3,5]\nL9[16] = FC(L8, Φ9)", Φ9__W=(16, 45)),
    flows("a pack of one axis", X + "y[B,3] = FC(s)", y__W=(3, 10)),
    flows("layers inside each other", L0 + "y[B,10] = Softmax(FC(Centre(L0)))", y=("B", 10)),
    flows("all axes in two packs", X + "loss = MSE(s, t)", loss=()),
    # -- both ways
    flows("a shared package", "input A[B,12,12,4]\n" + L0 + "L1[B,10,10,8] = Conv(L0, Φ, width 3)\nL2[B,10,10,8] = Conv(A, Φ, width 3)",
          Φ__W=(3, 3, 4, 8)),
    flows("a shared package solves the second call", L0 + "L1[B,10,10,8] = Conv(L0, Φ, width 3)\nL2 = Conv(L0, Φ, width 3)",
          L2=("B", 10, 10, 8)),
    flows("a package with its extents", L0 + "L1 = Conv(L0, Φ[3,3,4,8], width 3)", L1=("B", 10, 10, 8)),
    flows("a chain", L0 + "A = Conv(L0, width 1, features 6)\nC[B,12,12,5] = Conv(A, width 1)", C__W=(1, 1, 6, 5)),
    # -- contradictory: both places are told
    refused("other features than stated", L0 + "L1[B,10,10,8] = Conv(L0, width 3, features 6)", "E0415",
            "axis 3 of `L1` is stated as 8, but is 6", "`features` is 6", "`Conv` is called here"),
    refused("another height than follows", L0 + "L1[B,11,10,8] = Conv(L0, width 3)", "E0415", "axis 1 of `L1` is stated as 11, but is 10"),
    refused("another batch than given", "input L[2,12,12,4]\nL1[3,10,10,8] = Conv(L, width 3)", "E0415", "stated as 3, but is 2"),
    refused("arguments that differ", X + "y = Add(v, u)", "E0219", "`I` of `Add` is 7 by one argument and 5 by another", "of `v`", "of `u`"),
    refused("mapped axes that differ", "input A[2,3]\ninput C[4,3]\ny = Add(A, C)", "E0219", "the mapped axis 0"),
    refused("a residual of another width", L0 + "L1 = L0 + Conv(L0, width 3, pad 1, features 6)", "E0402", "4", "6"),
    refused("a residual of another height", L0 + "L1 = L0 + Conv(L0, width 3)", "E0402", "12", "10"),
    refused("a package of two shapes",
            L0 + "L1 = Conv(L0, Φ, width 3, features 8)\nL2 = Conv(L1, Φ, width 3, features 8)", "E0218",
            "`Φ.W` has extent 4 on axis 2 in one call and 8", "is made by this call"),
    refused("a package of other extents", L0 + "L1 = Conv(L0, Φ[3,3,5,8], width 3)", "E0415", "stated as 5, but is 4"),
    refused("a joined vector that is too long", L0 + "L1[B,12,12,3] = L0 ; Conv(L0, width 3, pad 1)", "E0216"),
    refused("joined vectors of another height", L0 + "L1 = L0 ; Conv(L0, width 3, features 2)", "E0402", "12", "10"),
    refused("a filter wider than the picture", L0 + "L1 = Conv(L0, width 20, features 2)", "E0417"),
    refused("given tensors that do not fit", "input W[3,3,5,8]\ninput C[8]\n" + L0 + "L1 = Conv(W, C, L0)", "E0219", "`I` of `Conv` is 5"),
    # -- open
    refused("features from nowhere", L0 + "L1 = Conv(L0, width 3)", "E0216", "`features`"),
    refused("features from nowhere inside", L0 + "L1 = relu(Conv(L0, width 3))", "E0216", "`features`"),
    refused("two open parts of one joined vector",
            L0 + "L1[B,12,12,9] = Conv(L0, Φ, width 1) ; Conv(L0, Ψ, width 1)", "E0216"),
    refused("a pack of unknown length", L0 + "y = FC(L0, features 10)", "E0217", "write the axes of the result"),
    refused("a condition on an open extent",
            L0 + "def F(L[I], features J = ?):\n    if J > 4:\n        y = L\n    else:\n        y = 2*L\n    return y\ny = F(L0)", "E0216"),
    # -- calls that fit no form
    refused("too few arguments", L0 + "L1 = MaxPool(width 3)", "E0205", "1 tensor"),
    refused("too many arguments", L0 + "L1 = MaxPool(L0, L0, width 3)", "E0205", "2 arguments"),
    refused("too few axes", X + "y = Centre(s)", "E0205", "at least 3 axes"),
    refused("an unknown keyword", L0 + "L1 = Conv(L0, widht 3, features 8)", "E0212", "did you mean `width`?"),
    refused("a keyword twice", L0 + "L1 = Conv(L0, width 3, width 5, features 8)", "E0212", "given twice"),
    refused("a constant left out", L0 + "L1 = Conv(L0, features 8)", "E0213", "`Conv` needs `width`"),
    refused("an unknown tensor", L0 + "L1 = Conv(L7, width 3, features 8)", "E0201", "did you mean `L0`?"),
    refused("an unknown function", L0 + "L1 = Cnov(L0, width 3)", "E0204", "did you mean `Conv`?"),
    refused("a number for a tensor", L0 + "L1 = Centre(3)", "E0205", "a number"),
    refused("a function that calls itself", "def F(A[I]) = G(A)\ndef G(A[I]) = F(A)\ninput A[3]\ny = F(A)", "E0214", "`F` → `G` → `F`"),
    refused("a mistake inside", L0 + "def F(L[X,Y,I]):\n    R[x,y,i] = L[x+1,y,i] + L[x,y,i]\n    return R\ny = F(L0)", "E0404",
            "`F` is called here"),
    refused("an unknown name inside", L0 + "def F(L[X,Y,I]) = L + k\ny = F(L0)", "E0201", "`k` is not defined", "`F` is called here"),
    refused("a scalar function with too much", X + "y[b,i] = leaky(s[b,i], 0.1, 0.2)", "E0205"),
    refused("a vector where a number is wanted", X + "y[b,i] = Softmax(s[b,K])*2", "E0421"),
)  # fmt: skip
