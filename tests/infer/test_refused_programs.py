"""What the index analysis refuses, one row for each of its messages that the table of bad programs leaves out."""

import pytest

import indexlang as il

# name: the program, the code, the line and column of the carets, a word of the message
ROWS = {
    "a tensor without its index": ("input X[3]\nY[i] = 2*X + i", "E0301", (2, 10), "1 axis"),
    "a bool outside of numbers": ("input X[3]\nY[i:5] = X[i-1 else 1 > 0]", "E0316", (2, 10), "another kind"),
    "a float outside of ints": ("input X[3] : int\nY[i:5] = X[i-1 else 0.5]", "E0304", (2, 21), "float"),
    "two subscripts of a table": ("T = [1, 2, 3]\nY[i:2] = T[i,0]*i", "E0301", (2, 10), "1 axis"),
    "an item behind a table": ("input X[3]\nfor l in 0..2:\n    T = [2, 3]\n    Y_{l}[i] = T[l]*X[i]", "E0412", (4, 16), "2 items"),
    "a pack in an access": ("input X[3]\nY[i] = X[i...]", "E0101", (2, 10), "..."),
    "a range in an access": ("input X[3]\nY[i] = X[i:2]", "E0101", (2, 10), ":"),
    "an axis in capitals": ("input X[3,4]\nY[i] = X[i,J]", "E0421", (2, 12), "`J`"),
    "a group in a group": ("input X[12]\nY[i:2,j:2,k:3] = X[((i,j),k)]", "E0101", (2, 21), "a group"),
    "a sum behind in a group": ("input X[12]\nY[i:2,j:2,k:3] = X[(i,j+k)]", "E0414", (2, 23), "extent"),
    "a call whose axes are not left": ("input s[4,5]\np[b,k] = Softmax(s[b,K])", "E0421", (2, 10), "`Softmax`"),
    "a join without an axis": ("input x\ninput y\nz = x ; y", "E0421", (3, 5), "joins vectors"),
    "a join inside, without an axis": ("input x[3]\ninput y[4]\nY[i:7] = 2*(x[i] ; y[i])", "E0421", (3, 13), "joins vectors"),
    "parts in another order": ("input A[3]\ninput C[4]\nY[J2+J1] = A[J1] ; C[J2]", "E0421", (3, 3), "J2+J1"),
    "a joined extent that is stated": ("input x[3]\ninput y[4]\nY[8] = x ; y", "E0415", (3, 1), "8, but is 7"),
    "a number among the parts": ("input X[7]\nA[3] ; 2 = X", "E0108", (2, 8), "left of `=`"),
    "parts without extents": ("input X[7]\nA[J] ; C[4] = X", "E0421", (2, 3), "`A`"),
    "a split of a product": ("input X[7]\nA[3] ; C[4] = 2*X", "E0421", (2, 1), "capitals"),
    "two pieces that overlap": ("input X[3]\nY[i:3] = X[i]\nY[i+2] = X[i]", "E0202", (3, 1), "`Y`"),
    "a piece that runs backwards": ("input X[3]\nY[2*i+1] = X[i]\nY[5-i:3] = X[i]", "E0202", (3, 1), "`Y`"),
    "a left side below 0": ("input X[3]\nY[i-1] = X[i]", "E0413", (2, 3), "-1"),
    "a left side that meets itself": ("input X[3,3]\nY[i+j] = X[i,j]", "E0303", (2, 3), "more than one value"),
    "a number on the left": ("input X[3]\nY[0] = X[1]", "E0108", (2, 3), "a number"),
    "an index twice on the left": ("input X[3,3]\nY[i,i:2] = X[i,i]", "E0310", (2, 5), "bound twice"),
    "a range for two indices": ("input X[5,5]\nY[i+j:3] += X[i,j]", "E0101", (2, 7), "a range"),
    "a sum in a group on the left": ("input X[6]\nY[(i+1,j)] = X[i]*X[j]", "E0414", (2, 4), "indices only"),
    "too few subscripts on the left": ("input X[3]\ntensor Y[3,4]\nY[i] = X[i]", "E0301", (3, 1), "2 axes"),
    "a range of 2^63": ("input X[3]\nY[i:9223372036854775808] = X[0]", "E0902", (2, 5), "2^63"),
    "a float range": ("input X[3]\nY[i:2.5] = X[i]", "E0304", (2, 5), "float"),
    "floats for ints": ("input X[3]\ntensor Y[3] : int\nY[i] = X[i]", "E0306", (3, 8), "a float"),
    "numbers for bools": ("input X[3]\ntensor Y[3] : bool\nY[i] = X[i]", "E0306", (3, 8), "bools"),
    "bools for numbers": ("input X[3]\ntensor Y[3]\nY[i] = X[i] > 0", "E0306", (3, 8), "numbers"),
    "an order of bools": ("input X[3]\nY[i] = (X[i] > 0) < (X[i] > 1)", "E0306", (2, 8), "bool and bool"),
    "a bool and a number": ("input X[3]\nY[i] = (X[i] > 0) == X[i]", "E0306", (2, 8), "bool and number"),
    "any of numbers": ("input X[3]\nY = any[i] X[i]", "E0306", (2, 12), "`any`"),
    "two next values": ("state S[3] = 0\nS[i] <- S[i] + 1\nS[i] <- S[i] + 2\nY[i] = S[i]", "E0202", (3, 1), "`S`"),
    "nothing to compute": ("s = 2", "E0210", (1, 1), "no equation"),
    "a constant of 64 bits": ("s = 9223372036854775807 + 1\ninput X[3]\nY[i] = s*X[i]", "E0315", (1, 5), "64 bits"),
    "an int of 64 bits": ("Y[i:3] = 9223372036854775807*(i+2)", "E0315", (1, 10), "36893488147419103228"),
    "a reduction over a constant": ("s = 2\ninput X[3]\nY = sum[s] X[s]", "E0314", (3, 9), "`s`"),
    "a condition that is a number": ("input X[3]\nif 2:\n    Y[i] = X[i]\nelse:\n    Y[i] = 2*X[i]", "E0316", (2, 4), "a bool"),
    "a loop to a float": ("input X[3]\nfor l in 0..2.5:\n    Y_{l}[i] = X[i]", "E0304", (2, 13), "a float"),
    "an unknown way to draw": ("Noise[3] ~ gausian(0,1)\nY[i] = Noise[i]", "E0206", (1, 12), "gausian"),
    "too few numbers to draw with": ("Noise[3] ~ normal(0)\nY[i] = Noise[i]", "E0205", (1, 12), "2 numbers"),
    "too few numbers to start with": ("param W[3] ~ uniform(1)\nY[i] = W[i]", "E0205", (1, 14), "2 numbers"),
    "numbers for xavier": ("param W[3,3] ~ xavier(1)\nY[i] = W[i,0]", "E0205", (1, 16), "no numbers"),
    "a parameter of ints": ("param W[3] : int\nY[i] = W[i]", "E0207", (1, 1), "int"),
    "an axis that is a group": ("input X[(2,3)]\nY[i] = X[i]", "E0101", (1, 9), "this"),
    "a keyword of a function": ("input X[3]\nY[i] = relu(X[i], slope 2)", "E0212", (2, 19), "`relu`"),
    "a tensor that is called": ("input X[3]\nA[i] = X[i]\nY[i] = A(i)", "E0204", (3, 8), "`A`"),
    "too few arguments": ("def f(x, y) = x + y\ninput X[3]\nY[i] = f(X[i])", "E0205", (3, 8), "2 arguments, not 1"),
    "an unknown keyword": ("def f(x, scale s = 2) = x*s\ninput X[3]\nY[i] = f(X[i], size 3)", "E0212", (3, 16), "not known"),
    "a keyword twice": ("def f(x, scale s = 2) = x*s\ninput X[3]\nY[i] = f(X[i], 3, scale 4)", "E0212", (3, 19), "twice"),
    "a keyword that is needed": ("def f(x, scale s) = x*s\ninput X[3]\nY[i] = f(X[i])", "E0213", (3, 8), "`scale`"),
    "a number for a tensor": ("def F(x[I], y[I]):\n    z[i] = x[i] + y[i]\n    return z\ninput X[3]\nY = F(X, 3)", "E0205", (5, 10), "y[I]"),
    "two forms that fit": ("def F(x[I]) = x\ndef F(x[J]) = 2*x\ninput X[3]\nY = F(X)", "E0211", (4, 5), "two forms"),
    "an input in a function": ("def F(x[I]):\n    input Z[3]\n    y = x\n    return y\ninput X[3]\nY = F(X)", "E0101", (2, 5), "this"),
    "a derivative for each row": (
        "def G(x[I]):\n    e = sum[i] x[i]^2\n    g[i] = d(e)/d(x[i])\n    return g\ninput X[4,3]\nY = G(X)",
        "E0504", (3, 12), "each element of an axis"),
    "too many subscripts below": ("input x[3]\nE = sum x[i]^2\nY[i] = d(E)/d(x[i,i])", "E0301", (3, 15), "2 subscripts"),
    "too many subscripts above": ("input x[3]\nL[i] = x[i]^2\nY[i] = d(L[i,i])/d(x[i])", "E0301", (3, 10), "2 subscripts"),
    "no indices below": ("input x[3]\nL[i] = x[i]^2\nY[i] = d(L[i])/d(x)", "E0504", (3, 18), "its indices"),
    "data that is always outside": ("input X[3]\ninput p[2] : int\nY[i] = X[p[i]*0 + 5]", "E0412", (3, 10), "5"),
    "a corner of a large box": ("input X[300,300]\nY[i:300,j:300] = X[i, j+i]", "E0412", (2, 23), "300"),
    "the smaller of two": ("input X[3]\nY[i:5] = X[min(i,3)]", "E0412", (2, 12), "i=3 gives 3"),
    "a distance": ("input X[3]\nY[i:5] = X[abs(i-3)]", "E0412", (2, 12), "i=0 gives 3"),
    "the positive part": ("input X[3]\nY[i:5] = X[relu(i-1)]", "E0412", (2, 12), "i=4 gives 3"),
    "a sign": ("input X[3]\nY[i:5] = X[sign(i)+2]", "E0412", (2, 12), "i=1 gives 3"),
    "inside by both conditions": ("input X[3]\nY[i:5] = X[i] if i < 4 and i > 0 else 0", "E0412", (2, 12), "i=3 gives 3"),
    "inside by one of two conditions": ("input X[3]\nY[i:5] = X[i] if i < 2 or i > 3 else 0", "E0412", (2, 12), "i=4 gives 4"),
    "a choice of subscripts": ("input X[3]\nY[i:5] = X[i*i if i < 3 else 2]", "E0412", (2, 12), "i=2 gives 4"),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_a_program_is_refused_where_it_is_wrong(name: str) -> None:
    text, code, place, word = ROWS[name]
    first = il.check(text)[0]
    assert (first.code, (first.line, first.column)) == (code, place)
    assert word in first.message
    assert first.hint


def test_calls_of_calls_are_bounded() -> None:
    """200 functions, each calling the one before, are too deep; 14 that call it twice are too many calls."""
    deep = "def F0(x[I]) = x\n" + "".join(f"def F{n}(x[I]) = F{n - 1}(x)\n" for n in range(1, 200))
    wide = "def F0(x[I]) = x\n" + "".join(f"def F{n}(x[I]) = F{n - 1}(F{n - 1}(x))\n" for n in range(1, 15))
    assert [d.code for d in il.check(deep + "input X[3]\nY = F199(X)")] == ["E0106"]
    assert [d.code for d in il.check(wide + "input X[3]\nY = F14(X)")] == ["E0904"]
