"""The table of bad programs: what a writer gets wrong, and what the message must say.

A row is a text and a command line. Every one ends with its exit code, its diagnostic and no traceback, within two seconds.
"""
# fmt: off
# ruff: noqa: C408  (a row a line; names of inputs read better unquoted)

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

DEEP = 10_000
HUGE = 10**30


@dataclass(frozen=True, slots=True)
class Bad:
    """One program with a mistake.

    text     the program, as a str or as raw bytes; stored as bad.idx
    code     the code of the diagnostic, or several that would do, as `E0901|E0902`; "" where none is due
    words    what the message must name, in any case of letters
    command  the command line, run in the folder of the program
    exit     0 good, 1 the program has errors, 2 wrong usage, 3 data or a file
    files    further files in that folder: arrays (as .npy), str or bytes
    """

    name: str
    text: str | bytes
    code: str
    words: tuple[str, ...] = ()
    command: str = "check bad.idx"
    exit: int | tuple[int, ...] = 1
    files: Mapping[str, Any] = field(default_factory=dict)


def run(name: str, text: str, code: str, words: tuple[str, ...] = (), flags: str = "", exit: Any = 3, **files: Any) -> Bad:
    """A row that goes wrong when the program is run; files by their stem."""
    return Bad(name, text, code, words, f"run bad.idx {flags}".strip(), exit, {f"{stem}.npy": a for stem, a in files.items()})


DOUBLE = "input X[3]\nA[i] = 2*X[i]"
PICK = "input p[4,3]\ninput label[4] : int\ny[b] = p[b,label[b]]"

TEXTS = (
    Bad("a question mark", "A[i] = X[i] ? 2", "E0103", ("?", ":1:13")),
    Bad("an ampersand", "A[i] = X[i] > 0 & X[i] < 1", "E0103", ("and",)),
    Bad("an open string", 'input X[3] from "cat.npy\nA[i] = X[i]', "E0103"),
    Bad("a number with two points", "A[i] = 1.2.3 * X[i]", "E0105", ("1.2.3",)),
    Bad("a number glued to a name", "A[i] = 2X[i]", "E0105|E0101", ("2X",)),
    Bad("a superscript", "A[i] = X[i]²", "E0105", ("^2",)),
    Bad("a superscript on a number", "A[i] = 3² * X[i]", "E0105"),
    Bad("an Arabic digit", "A[i] = ٣ * X[i]", "E0105"),
    Bad("an underscore in a number", "A[i] = 1_000 * X[i]", "E0105"),
    Bad("a number of 5000 digits", "A[i] = X[i] * " + "7" * 5000, "E0105|E0315"),
    Bad("an extent of 5000 digits", f"A[i:{'7' * 5000}] = 2*i", "E0105|E0315|E0902"),
    Bad("a NUL byte", b"A[i] = X[i]\0 + 1", "E0002", ("0000",)),
    Bad("a byte that is not UTF-8", b"A[i] = X[i]\nC[i] = \xff*X[i]", "E0001"),
    Bad("a lone surrogate in UTF-8", b"A[i] = X[i] # \xed\xa0\x80", "E0001"),
    Bad("UTF-16", "A[i] = X[i]".encode("utf-16"), "E0001|E0002"),
    Bad("a bidirectional control", "A[i] = X[i] # \u202e]i[Y", "E0002", ("202E",)),
    Bad("an invisible space", "A[i] = X[i] +\u200b 1", "E0002", ("200B",)),
    Bad("a soft hyphen in a name", "A[i] = Im\u00adage[i]", "E0002", ("00AD",)),
    Bad("a line separator", "A[i] = X[i]\u2028C[i] = A[i]", "E0002", ("2028",)),
    Bad("a form feed", "A[i] = X[i]\x0cC[i] = A[i]", "E0002"),
    Bad("a byte-order mark in the middle", "A[i] = X[i]\n\ufeffC[i] = A[i]", "E0002", ("FEFF",)),
    Bad("CR alone between lines", "A[i] = X[i]\rC[i] = A[i]", "E0002", ("000D",)),
    Bad("a look-alike letter", "input A[3]\nY[i] = \u0410[i]", "E0201", ("cyrillic", "A")),
    Bad("a look-alike that is a name already", "input X[3]\ninput W[3]\nY[i] = W[i]*\u03a7[i]", "E0201", ("greek",)),
    Bad("a symbol of another world", "A[i] = X[i] ⊕ 1", "E0103", ("⊕",)),
    Bad("a dollar", "A[i] = $X[i]", "E0103", ("$",)),
)

BRACKETS = (
    Bad("never closed", "A[i] = (X[i] + 1", "E0104", ("(", ":1:8")),
    Bad("never closed, then a good line", "A[i] = (X[i] + 1\nC[i] = A[i]", "E0104", (":1:",)),
    Bad("closed twice", "A[i] = X[i]) + 1", "E0104", (")",)),
    Bad("closed by another kind", "A[i] = X[i) + 1", "E0104", ("]",)),
    Bad("a list without its end", "s = sum[i X[i]", "E0104"),
    Bad("round brackets, 10,000 deep", f"A[i] = {'(' * DEEP}X[i]{')' * DEEP}", "E0106"),
    Bad("subscripts, 10,000 deep", f"A[i] = {'X[' * DEEP}i{']' * DEEP}", "E0106"),
    Bad("calls, 10,000 deep", f"A[i] = {'exp(' * DEEP}X[i]{')' * DEEP}", "E0106"),
    Bad("open brackets, 10,000", "(" * DEEP, "E0106|E0104"),
    Bad("minus signs, 10,000", f"A[i] = {'-' * DEEP}X[i]", "E0106"),
    Bad("nots, 10,000", f"A[i] = 1 if {'not ' * DEEP}X[i] > 0 else 0", "E0106"),
    Bad("powers, 10,000", f"A[i] = {'2^' * DEEP}X[i]", "E0106"),
    Bad("ifs, 10,000", f"A[i] = {'1.0 if X[i] > 0 else ' * DEEP}0.5", "E0106"),
    Bad("sums of sums, 10,000", f"A = {'sum ' * DEEP}X[i]", "E0106"),
    Bad("groups, 10,000 deep", f"A[i] = X[{'(' * DEEP}i{')' * DEEP}]", "E0106"),
)

SYNTAX = (
    Bad("two operators", "A[i] = X[i] + * 2", "E0101", (":1:15",)),
    Bad("no right side", "A[i] =", "E0102"),
    Bad("ends with an operator", "A[i] = X[i] +", "E0102"),
    Bad("two equals signs", "A[i] = X[i] = 2", "E0101", ("==",)),
    Bad("a comparison for a definition", "A[i] == X[i]", "E0101|E0102|E0108"),
    Bad("an expression on the left", "X[i] + 1 = A[i]", "E0108"),
    Bad("a number on the left", "3 = A[i]", "E0108"),
    Bad("elif", "k = 2\ninput X[3]\nif k == 1:\n    A = X\nelif k == 2:\n    A = 2*X", "E0101", ("else:", "block")),
    Bad("else if", "k = 2\ninput X[3]\nif k == 1:\n    A = X\nelse if k == 2:\n    A = 2*X", "E0101", ("else:", "block")),
    Bad("a range before and in the left side", "input X[3]\nfor i:3\nA[i:3] = X[i]", "E0310", ("i", ":3:")),
    Bad("a range before of no index", "input X[3]\nfor k:3\nA[i] = X[i]", "E0302", ("k",)),
    Bad("a range before that is too long", "input X[3]\nfor i:4\nA[i] = X[i]", "E0412|E0402", ("i", "4", "3")),
    Bad("features from nowhere cost one message", "input X[B,6,6,4]\nA = Conv(X, width 3)\ny[B,9] = FC(A)", "E0216", ("`A`",)),
    Bad("a block behind tabs", "input X[3]\nfor l in 1..2:\n\tA_{l} = l*X\n\tC_{l} = X", "E0107", ("tab", ":3:2")),
    Bad("a negative place in a table", "c = [1, 2]\ninput X[3]\nA = c[-1]*X", "E0412", ("-1", "2 items")),
    Bad("a next value for an input", "input X[3]\nX[i] <- 2*X[i]\nA = X", "E0215", ("an input", "state X")),
    Bad("a next value for an equation", "input X[3]\nA = X\nA[i] <- 2*X[i]", "E0215", ("computed",)),
    Bad("an indented line", "A[i] = X[i]\n  C[i] = X[i]", "E0107", (":2:",)),
    Bad("a comma missing", "A[i,j] = X[i j]", "E0101", (":1:1",)),
    Bad("a comma too many", "A[i,j] = X[i,,j]", "E0101"),
    Bad("an empty list", "A = sum[] X[i]", "E0101"),
    Bad("a keyword for a name", "if[i] = X[i]", "E0101"),
    Bad("else forgotten", "A[i] = X[i] if X[i] > 0", "E0102|E0101", ("else",)),
    Bad("input without a name", "input [3]\nA[i] = 2*i", "E0101"),
    Bad("two statements on one line", "A[i] = X[i] C[i] = A[i]", "E0101"),
)

NAMES = (
    Bad("another case", "input Image[3]\nA[i] = image[i]", "E0201", ("image", "Image", "did you mean")),
    Bad("a letter too few", "input Weights[3]\nA[i] = Weigts[i]", "E0201", ("did you mean", "`Weights`")),
    Bad("nothing like it", "input X[3]\nA[i] = X[i]*Quux[i]", "E0201", ("Quux",)),
    Bad("a function misspelt", "A[i] = rleu(X[i])", "E0204", ("relu", "did you mean")),
    Bad("a function of no one", "A[i] = wibble(X[i])", "E0204", ("wibble",)),
    Bad("a function of too many", "A[i] = exp(X[i], 2)", "E0205", ("exp", "1")),
    Bad("a function of too few", "A[i] = clip(X[i], 1)", "E0205", ("clip", "3")),
    Bad("defined twice", "A[i] = X[i]\nA[i] = 2*X[i]", "E0202", ("A", ":1:1", ":2:1")),
    Bad("an input defined", "input X[3]\nX[i] = 2*i", "E0202", ("X",)),
    Bad("an input declared twice", "input X[3]\ninput X[4]\nA[i] = X[i]", "E0202", ("X",)),
    Bad("defined and added to", "A[i] = X[i]\nA[i] += X[i]", "E0202", ("A",)),
    Bad("a constant defined twice", "s = 2\ns = 3\nA[i] = s*X[i]", "E0202", ("s",)),
    Bad("a cycle of one", "A[i] = A[i] + 1", "E0203|E0401", ("A",)),
    Bad("a cycle of two", "A[i] = C[i]\nC[i] = A[i] + X[i]", "E0203", ("A", "C")),
    Bad("a cycle of three", "input X[3]\nA[i] = C[i]\nC[i] = D[i]*X[i]\nD[i] = 2*A[i]", "E0203", ("A", "C", "D")),
    Bad("a cycle of constants", "s = t + 1\nt = 2*s\nA[i] = s*X[i]", "E0203", ("s", "t")),
    Bad("no such output", "A[i] = X[i]\noutput C", "E0210", ("C",)),
    Bad("no such output, nearly", "Scores[i] = X[i]\noutput scores", "E0210", ("Scores", "did you mean")),
    Bad("no such dtype", "input X[3] : flaot\nA[i] = X[i]", "E0207", ("flaot", "float")),
    Bad("no such initialiser", "input X[3]\nparam W[3,3] ~ xaver\nA[j] = sum W[i,j]*X[i]", "E0206", ("xavier",)),
    Bad("a constant with subscripts", "s = 2\nA[i] = X[i] * s[i]", "E0209|E0304|E0312", ("s",)),
    Bad("past the end of a table", "c = [1, 2]\nA[i] = X[i] * c[5]", r"E0\d{3}", ("c", "5")),
)

EXPRESSIONS = (
    Bad("too many subscripts", "input X[3]\nA[i,j] = X[i,j]", "E0301", ("X", "1", "2", ":2:")),
    Bad("two ranks of one tensor", "A[i] = X[i] + X[i,i]", "E0301", ("X",)),
    Bad("an index from nowhere", "A[i] = X[i,j]", "E0302", ("j",)),
    Bad("an index outside its sum", "A[i] = (sum[j] X[i,j]) * X[i,j]", "E0302", ("j",)),
    Bad("a diagonal on the left", "tensor A[3,3]\nA[i,i] = X[i]", "E0303", ("+=",)),
    Bad("data on the left", "tensor A[5]\nA[l[i]] = X[i]", "E0303", ("`l[i]` is data", "+=")),
    Bad("halves on the left", "tensor A[5]\nA[i//2] = X[i]", "E0303", ("`i//2` is no sum of indices", "+=")),
    Bad("an index twice in a group", "A[(i,i)] = X[i]", "E0303"),
    Bad("half a subscript", "A[i:3] = X[0.5*i]", "E0304", ("floor",)),
    Bad("a float tensor as subscript", "input X[9]\ninput p[3]\nA[i] = X[p[i]]", "E0304", ("floor",)),
    Bad("a comparison as subscript", "input X[9]\nA[i:9] = X[i > 3]", "E0304"),
    Bad("a remainder in a subscript", "A[i:3] = X[i + 7/2]", "E0305", ("//",)),
    Bad("a remainder in an extent", "N = 7\ninput X[N/2]\nA[i] = X[i]", "E0305", ("7",)),
    Bad("numbers and-ed", "A[i] = X[i] and X[i]", "E0306", ("and",)),
    Bad("not of a number", "A[i] = not X[i]", "E0306", ("not",)),
    Bad("a sum over nothing", "A[i] = sum X[i]", "E0307", ("sum",)),
    Bad("argmax of no index", "A = argmax X[i]", "E0308", ("argmax",)),
    Bad("argmax of two", "A = argmax[i,j] X[i,j]", "E0308", ("argmax",)),
    Bad("a mean of nothing", "input X[0]\nA = mean[i] X[i]", "E0309", ("mean",)),
    Bad("argmax of nothing", "input X[0]\nA = argmax[i] X[i]", "E0309", ("argmax",)),
    Bad("one index twice in a list", "A = sum[i,i] X[i]", "E0310", ("i",)),
    Bad("an index summed that is on the left", "A[i] = sum[i] X[i]", "E0310", ("i",)),
    Bad("an index summed twice", "A = sum[i] sum[i] X[i,i]", "E0310", ("i",)),
    Bad("an index that the term lacks", "A = sum[i,j] X[i]", "E0311|E0401", ("j",)),
    Bad(
        "a loop over a table that no case gives",
        "depth = 3\nif depth == 5:\n    c = [1, 2]\nfor k in 1..2:\n    n = c[k-1]\n    for l in 1..n:\n        A_{k}_{l} = X",
        "E0312",
        ("`n` needs `c`", ":5:5"),
    ),
    Bad("data for an extent", "input X[3]\nn = X[0]\nA[i:n] = X[i]", "E0312|E0304", ("n",)),
    Bad("a constant over zero", "s = 1 // 0\nA[i] = s*X[i]", "E0313"),
    Bad("a remainder by zero", "A[i:3] = X[i % 0]", "E0313"),
    Bad("a constant for an index on the left", "i = 2\nA[i] = X[i]", "E0314", ("i",)),
    Bad("an integer of 20 digits", "A[i] = X[i] * 99999999999999999999", "E0315", ("99999999999999999999",)),
    Bad("a number for a condition", "A[i] = 1 if X[i] else 0", "E0316"),
    Bad("a number and a bool in one if", "A[i] = 1.5 if X[i] > 0 else X[i] < 1", "E0316"),
)

RANGES = (
    Bad("no range", "A[i] = 2*i", "E0401", ("i",)),
    Bad("no range inside a sum", "input a[5]\nc[i] = sum[j] (a[j] if j <= i else 0)", "E0401", ("i", ":2:")),
    Bad("two extents", "input X[3]\ninput Z[4]\nA[i] = X[i] + Z[i]", "E0402", ("3", "4", ":3:10", ":3:17")),
    Bad("inner extents of a product", "input A[3,4]\ninput B[5,6]\nC[i,k] = sum A[i,j]*B[j,k]", "E0402", ("j", "4", "5")),
    Bad("a square that is not", "input A[3,4]\nt = sum A[i,i]", "E0402", ("3", "4")),
    Bad("two unknowns", "input X[9]\nA[i] = sum[j] X[i+j]", "E0403", ("i", "j")),
    Bad("two unknowns on the left", "input X[9]\nA[i,j] = X[i+j]", "E0403", ("i", "j")),
    Bad("bare and affine", "input A[5]\nC[i] = A[i] + A[i+1]", "E0404", ("i:4",)),
    Bad("bare and strided", "input A[6]\nC[i] = A[i] * A[2*i]", "E0404", ("i:3",)),
    Bad("one past the end", "input X[5]\nA[i:5] = X[i+1]", "E0412", ("i", "4", "X", ":2:")),
    Bad("a window larger than its tensor", "input X[2]\nA[i] = sum[d:3] X[i+d]", "E0423", ("i", "axis 0 of `X`", "2 elements", "3 values")),
    Bad("a pool without a place", "input X[2,2,3]\nA = MaxPool(X, width 3, stride 1)", "E0423", ("axis 0 of `L`", "`L` is `X`, of extents [2, 2, 3]")),
    Bad("a pool much too wide", "input X[2,2,3]\nA = MaxPool(X, width 5, stride 1)", "E0417", ("the range of `x` is -2", "`L` is `X`, of extents [2, 2, 3]")),
    Bad("one before the start", "input X[5]\nA[i:5] = X[i-1]", "E0412", ("0", "X")),
    Bad("a window too far", "input X[28]\ninput W[5]\ns = 2\nA[x:13] = sum W[dx]*X[s*x+dx]", "E0412", ("12", "X", "x")),
    Bad("padding forgotten", "input L[8,8]\ninput W[3,3]\nY[x:8,y:8] = sum W[dx,dy]*L[x+dx-1,y+dy-1]", "E0412", ("L",)),
    Bad("a fixed subscript too large", "input X[5]\na = X[5]", "E0412", ("5", "X")),
    Bad("a fixed subscript below zero", "input X[5]\na = X[-1]", "E0412", ("-1", "X")),
    Bad("a written range too long", "input X[5]\nA[i:6] = X[i]", "E0412|E0402", ("5", "6")),
    Bad("a written range in a sum too long", "input X[5]\na = sum[i:6] X[i]", "E0412|E0402", ("5", "6")),
    Bad("a condition that lets one through", "input X[5]\nA[i:9] = X[i] if i <= 5 else 0", "E0412", ("5", "X")),
    Bad("a condition on the wrong side", "input X[5]\nA[i:9] = 0 if i < 5 else X[i]", "E0412", ("X",)),
    Bad("a resize that goes too far", "input X[7]\nA[x:10] = X[floor(x*8/10)]", "E0412", ("X",)),
    Bad("a remainder too large", "input X[4]\nA[x:10] = X[x % 5]", "E0412", ("4", "X")),
    Bad("a reversal one off", "input X[5]\nA[i:5] = X[5-i]", "E0412", ("X",)),
    Bad("written past the end", "input X[5]\ntensor A[4]\nA[i] += X[i]", "E0413|E0402|E0415", ("A", "4", "5")),
    Bad("scattered past the end", "input X[5]\ntensor A[8]\nA[2*i] += X[i]", "E0413", ("A", "8")),
    Bad("a group that does not divide", "input X[7]\nA[g,i:3] = X[(g,i)]", "E0414", ("7", "3")),
    Bad("a group of the wrong size", "input X[12]\ninput W[3,5]\ns = sum W[g,i]*X[(g,i)]", "E0414|E0402|E0412", ("12",)),
    Bad("a split that leaves some out", "J = 2\ninput L[B,7]\nP[b,J] ; Q[b,J] = L[b,J+J]", "E0415", ("Q", "2", "5")),
    Bad("stated otherwise", "input X[5]\ntensor A[4]\nA[i] = X[i]", "E0415|E0402", ("4", "5")),
    Bad("edge of nothing", "input X[0]\nA[i:3] = X[i-1 else edge]", "E0416", ("edge",)),
    Bad("an extent below zero", "A[i:-1] = 2*i", "E0417", ("-1",)),
    Bad("an extent of constants below zero", "n = 3\ninput X[n-5]\nA[i] = X[i]", "E0417", ("-2",)),
    Bad("constant against extent", "I = 4\ninput X[5]\nA[i] = X[i]", "E0418", ("4", "5")),
    Bad("extents of a histogram", "input l[5] : int\nH[l[b]] += 1", "E0420", ("H", "tensor H")),
    Bad("whole tensors of two shapes", "input A[3,4]\ninput B[4,3]\nC = A + B", "E0402|E0301", ("3", "4")),
    Bad("a large extent", f"A[i:{HUGE}] = 1.5*i", "E0902|E0901|E0315"),
    Bad("a large input", f"input X[{HUGE}]\nA[i] = 2*X[i]", "E0902|E0901|E0315"),
    Bad("a product of extents too large", "A[i:1099511627776,j:1099511627776] = 1.5*i", "E0902|E0901", ("A",)),
    Bad("a large offset", "input X[3]\nA[i:3] = X[i + 9223372036854775807]", "E0412|E0902|E0315"),
    Bad("a large stride", "input X[3]\nA[i:3] = X[9223372036854775807*i]", "E0412|E0902|E0315"),
    Bad("a text of five million letters", "# " + "x" * 5_000_000, "E0003"),
    Bad("more than the memory", "A[i:1000000000000] = 1.5*i", "E0901", ("A",), "run bad.idx", (1, 3)),
)

COMMANDS = (
    Bad("no such command", DOUBLE, "", ("frobnicate",), "frobnicate bad.idx", 2),
    Bad("no such flag", DOUBLE, "", ("--frob",), "check --frob bad.idx", 2),
    Bad("no file named", DOUBLE, "", (), "check", 2),
    Bad("no such file", DOUBLE, "E0701", ("missing.idx",), "check missing.idx", 3),
    Bad("no such file to run", DOUBLE, "E0701", ("missing.idx",), "run missing.idx", 3),
    Bad("a folder for a program", DOUBLE, "E0701", (), "check .", 3),
    Bad("no such code", DOUBLE, "", ("E9999",), "explain E9999", (1, 2)),
    Bad("no such dtype of run", DOUBLE, "", ("f16",), "run bad.idx --dtype f16", 2),
    Bad("threads of no number", DOUBLE, "", (), "run bad.idx --threads many", 2),
    Bad("an input without a path", DOUBLE, "", ("X",), "run bad.idx --input X", 2),
    Bad("a constant without a value", DOUBLE, "", ("s",), "run bad.idx -D s", 2),
    Bad("no such stage", DOUBLE, "", ("nonsense",), "show bad.idx --stage nonsense", 2),
    Bad("a constant that is not there", DOUBLE, "E0611", ("zoom",), "check bad.idx -D zoom=3", (1, 2, 3)),
    Bad("a stride that does not fit", "s = 1\ninput X[5]\nA[i:5] = X[s*i]", "E0412", ("X",), "check bad.idx -D s=2"),
    Bad("the program of run is wrong", "A[i] = X[i] + * 2", "E0101", (":1:15",), "run bad.idx"),
    Bad("the program of show is wrong", "A[i] = X[i] + * 2", "E0101", (":1:15",), "show bad.idx"),
    run("no value for an input", DOUBLE, "E0604", ("X", "--input X=")),
    run("no such file of an input", DOUBLE, "E0701", ("nothere.npy",), "--input X=nothere.npy"),
    run("no such input", DOUBLE, "E0605", ("Z",), "--input Z=x.npy --input X=x.npy", (2, 3), x=np.ones(3)),
    run("no such tensor wanted", DOUBLE, "E0605|E0210", ("Q",), "--input X=x.npy --want Q", (1, 2, 3), x=np.ones(3)),
    run("an array of another extent", DOUBLE, "E0601", ("X", "3", "4"), "--input X=x.npy", x=np.ones(4)),
    run("an array of another rank", DOUBLE, "E0602", ("X",), "--input X=x.npy", x=np.ones((3, 3, 3))),
    run("an array of complex numbers", DOUBLE, "E0603|E0704|E0608", (), "--input X=x.npy", x=np.ones(3, complex)),
    run("floats for an int", "input n[3] : int\nA[i] = 2*n[i]", "E0603", ("n",), "--input n=n.npy", n=np.ones(3)),
    run("named extents that differ", "input A[N]\ninput B[N]\nC[i] = A[i]+B[i]", "E0606", ("N", "3", "4"),
        "--input A=a.npy --input B=b.npy", a=np.ones(3), b=np.ones(4)),
    run("a label too large", PICK, "E0607", ("p", "label", "3", "2"), "--input p=p.npy --input label=l.npy",
        p=np.ones((4, 3)), l=np.array([0, 1, 3, 2])),
    run("a label below zero", PICK, "E0607", ("p", "label", "-1"), "--input p=p.npy --input label=l.npy",
        p=np.ones((4, 3)), l=np.array([0, -1, 2, 2])),
    Bad("a text for a picture", "input X[8,8,3]\nA[x,y,c] = X[x,y,c]", "E0702", ("note.png",), "run bad.idx --input X=note.png", 3,
        {"note.png": "not a picture"}),
    Bad("half a picture", "input X[8,8,3]\nA[x,y,c] = X[x,y,c]", "E0702", ("cut.jpg",), "run bad.idx --input X=cut.jpg", 3,
        {"cut.jpg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"}),
    Bad("a text for an array", DOUBLE, "E0704", ("note.npy",), "run bad.idx --input X=note.npy", 3, {"note.npy": "1 2 3"}),
    Bad("an array of objects", DOUBLE, "E0704", ("o.npy",), "run bad.idx --input X=o.npy", 3, {"o.npy": np.array([{}, None], object)}),
    Bad("a path that leaves the folder", 'input X[3] from "../secret.npy"\nA[i] = X[i]', "E0703", ("secret",), "run bad.idx", (1, 3)),
    Bad("an absolute path", 'input X[3] from "/etc/passwd"\nA[i] = X[i]', "E0703", ("passwd",), "run bad.idx", (1, 3)),
    Bad("no such weights", "input X[3] from \"x.npy\"\nparam W[3] = 0\nA[i] = W[i]*X[i]", "E0701", ("w.safetensors",),
        "run bad.idx --weights w.safetensors", 3, {"x.npy": np.ones(3)}),
    Bad("weights that are a text", "input X[3] from \"x.npy\"\nparam W[3] = 0\nA[i] = W[i]*X[i]", "E0609|E0704", ("w.safetensors",),
        "run bad.idx --weights w.safetensors", 3, {"x.npy": np.ones(3), "w.safetensors": "no weights"}),
    Bad("nowhere to write", 'input X[3] from "x.npy"\nA[i] = X[i]', "E0705", ("nofolder",), "run bad.idx --out A=nofolder/a.npy", 3,
        {"x.npy": np.ones(3)}),
    Bad("an output of no known kind", 'input X[3] from "x.npy"\nA[i] = X[i]', "E0705", ("a.doc",), "run bad.idx --out A=a.doc", (2, 3),
        {"x.npy": np.ones(3)}),
)

BAD = (*TEXTS, *BRACKETS, *SYNTAX, *NAMES, *EXPRESSIONS, *RANGES, *COMMANDS)


@dataclass(frozen=True, slots=True)
class BadCall:
    """A good text called with wrong arguments."""

    name: str
    text: str
    arguments: Mapping[str, Any]
    code: str
    words: tuple[str, ...] = ()


MATMUL = "C[i,k] = sum A[i,j]*B[j,k]"
NAMED = "input A[N, M]\ninput B[M]\ny[i] = sum A[i,j]*B[j]"
one = np.ones

CALLS = (
    BadCall("extents that do not meet", MATMUL, dict(A=one((3, 4)), B=one((5, 6))), "E0402|E0606|E0601", ("4", "5")),
    BadCall("an axis too few", MATMUL, dict(A=one((3, 4)), B=one(4)), "E0602|E0301", ("B",)),
    BadCall("an axis too many", NAMED, dict(A=one((3, 4, 5)), B=one(4)), "E0602", ("A",)),
    BadCall("named extents that differ", NAMED, dict(A=one((3, 4)), B=one(5)), "E0606", ("M", "4", "5")),
    BadCall("an extent that is stated", "input A[3]\ny[i] = A[i]", dict(A=one(4)), "E0601", ("A", "3", "4")),
    BadCall("an argument missing", NAMED, dict(A=one((3, 4))), "E0604", ("B",)),
    BadCall("an argument too many", NAMED, dict(A=one((3, 4)), B=one(4), C=one(4)), "E0605", ("C",)),
    BadCall("an argument misspelt", "input Image[N]\ny[i] = Image[i]", dict(image=one(3)), "E0605|E0604", ("Image",)),
    BadCall("complex numbers", NAMED, dict(A=one((3, 4), complex), B=one(4)), "E0603", ("A", "complex")),
    BadCall("strings", NAMED, dict(A=np.full((3, 4), "x"), B=one(4)), "E0603|E0608", ("A",)),
    BadCall("objects", NAMED, dict(A=np.full((3, 4), None), B=one(4)), "E0603|E0608", ("A",)),
    BadCall("a ragged list", NAMED, dict(A=[[1.0], [1.0, 2.0]], B=one(4)), "E0608|E0603", ("A",)),
    BadCall("None", NAMED, dict(A=None, B=one(4)), "E0608|E0603|E0602", ("A",)),
    BadCall("floats for labels", "input p[K]\ninput l[N] : int\ny[i] = p[l[i]]", dict(p=one(3), l=np.array([0.5])), "E0603", ("l",)),
    BadCall("numbers for bools", "input m[N] : bool\ny[i] = not m[i]", dict(m=np.array([0, 2])), "E0603", ("m",)),
    BadCall("300 for a u8", "input m[N] : u8\ny[i] = 2*m[i]", dict(m=np.array([0, 300])), "E0603", ("m",)),
    BadCall("a label too large", "y[b] = p[b,label[b]]", dict(p=one((2, 3)), label=np.array([0, 3])), "E0607", ("p", "label[b]", "3", "1")),
    BadCall("a label below zero", "y[b] = p[b,label[b]]", dict(p=one((2, 3)), label=np.array([0, -1])), "E0607", ("p", "-1")),
    BadCall("the least label of all", "y[b] = p[b,label[b]]", dict(p=one((2, 3)), label=np.array([0, -(2**63)])), "E0607", ("p",)),
    BadCall("a computed subscript too large", "y[i,j:3] = a[j + 2*o[i]]", dict(a=one(5), o=np.array([1, 2])), "E0607", ("a",)),
    BadCall("a float subscript too large", "input A[N]\ninput a\ny[x:8] = A[floor(x*a)]", dict(A=one(5), a=np.float64(0.8)), "E0607", ("A", "5")),
    BadCall("a subscript that is NaN", "input A[N]\ninput a\ny[x:8] = A[floor(x*a)]", dict(A=one(5), a=np.float64(np.nan)), "E0607", ("A",)),
    BadCall("a subscript that is infinite", "y[i] = A[floor(u[i])]", dict(A=one(5), u=np.array([1.0, np.inf])), "E0607", ("A",)),
    BadCall("scattered too far", "tensor H[3]\nH[l[b]] += 1", dict(l=np.array([0, 3])), "E0607", ("H", "3")),
    BadCall("scattered below zero", "tensor H[3]\nH[l[b]] += 1", dict(l=np.array([0, -1])), "E0607", ("H", "-1")),
    BadCall("a mean of nothing", "m = mean a[i]", dict(a=one(0)), "E0309", ("mean",)),
    BadCall("argmax of nothing", "m[i] = argmax[j] a[i,j]", dict(a=one((3, 0))), "E0309", ("argmax",)),
    BadCall("a fixed subscript of nothing", "y = a[0]", dict(a=one(0)), "E0412", ("a",)),
    BadCall("a group that does not divide", "y[i,j:4] = a[(i,j)]", dict(a=one(10)), "E0414", ("10", "4")),
    BadCall("a border of nothing", "y[i:3] = a[i-1 else edge]", dict(a=one(0)), "E0416", ("edge",)),
    BadCall("whole tensors of two shapes", "input A[N]\ninput B[M]\nC = A + B", dict(A=one(3), B=one(4)), "E0402|E0606|E0601", ("3", "4")),
)
