"""The table of diagnostics: one row a code, with its message, its hint, its story and an example that raises it.

E00xx text   E01xx syntax   E02xx names   E03xx expressions and types   E04xx ranges, extents, bounds
E05xx gradients   E06xx data   E07xx files   E08xx training   E09xx limits   E10xx numbers   E11xx export   W….  warnings
"""
# ruff: noqa: E501  (a table reads better with its texts whole)

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """A row: `message` and `hint` are format strings over the facts given when raised."""

    code: str
    title: str
    message: str
    hint: str
    story: str
    example: str = ""
    severity: str = "error"


_ROWS = (
    # -- text
    Code("E0001", "the text is not UTF-8", "byte {byte} at offset {offset} is not UTF-8 text",
         "save the file as UTF-8",
         "Programs are UTF-8 text. The message names the first byte that cannot be decoded."),
    Code("E0002", "an invisible or control character", "the character {shown} may not stand in a program",
         "delete it, or write its visible twin",
         "Control characters, bidirectional marks and invisible characters can make a text look different from what it says. "
         "They are refused everywhere, comments included.", "A[i] = X[i] +\u200b 1"),
    Code("E0003", "the text is too long", "the text has {size} characters; at most {limit} are read",
         "split the program with `include`", "A program text is bounded so that checking it is bounded too."),
    # -- syntax
    Code("E0101", "unexpected symbol", "{found} cannot stand here", "put {expected} here",
         "The statement is well formed up to the marked place. The hint lists what may follow.", "A[i] = X[i] + * 2"),
    Code("E0102", "the statement ends too early", "the statement ends where {expected} should follow", "finish the statement",
         "A statement ends with its line, except inside brackets and after an operator, `=`, `;` or `,`.", "A[i] ="),
    Code("E0103", "a character without a meaning", "the character {shown} has no meaning in a program", "{advice}",
         "Only letters, digits, brackets and the operators of the language stand in a program.", "A[i] = X[i] ? 2"),
    Code("E0104", "unbalanced bracket", "{message}", "{advice}",
         "Each bracket is closed by one of its own kind before the statement ends.", "A[i] = (X[i] + 1"),
    Code("E0105", "not a number", "`{text}` is not a number", "write digits 0-9, one point, an exponent: 12, 0.5, 1e-3",
         "Numbers are ASCII digits with an optional point and exponent.", "A[i] = 1.2.3 * X[i]"),
    Code("E0106", "nested too deeply", "this is nested more than {limit} deep", "name an intermediate value with an equation of its own",
         "Nesting is bounded so that every text is checked in bounded time and memory."),
    Code("E0107", "an indented line", "the line is indented{how}", "{advice}",
         "Only the lines of a block are indented, with spaces: a tab counts as one column, and is as wide as an editor shows it.", "A[i] = X[i]\n  C[i] = X[i]"),
    Code("E0108", "not a left side", "{what} cannot stand on the left of `{sign}`", "write a tensor with its indices, as in `A[i,j] = …`",
         "An equation defines a tensor: `A[i,j] = …`; a constant is a bare name: `s = 2`.", "X[i] + 1 = A[i]"),
    Code("E0109", "a block is not complete", "`{what}` lacks {wanted}", "see docs/notation.md for the form of blocks",
         "`def`, `for`, `if` and `else` end in a colon and are followed by indented lines; a `def` block ends in `return`.", "for l in 1..3:\nA[i] = X[i]"),
    Code("E0120", "no meaning in a formula", "`{shown}` has no meaning in a formula", "{advice}",
         "Formulas in LaTeX are read as the same notation, sign by sign. What changes only the look is passed over; "
         "what could mean something and is not known is refused. docs/latex.md lists the commands.",
         "$$A[i] = \\sgima(X[i])$$"),
    Code("E0121", "dots leave something out", "`{shown}` leaves something out", "write all the parts",
         "A reader can guess what dots stand for; a compiler had better not.", "$$L[J] = A[J] ; \\cdots ; C[J]$$"),
    Code("E0122", "no equation", "there is no equation in this LaTeX", "write one: `$$C[i,k] = \\sum_j A[i,j] B[j,k]$$`",
         "Formulas without `=` are left out with a warning; here nothing else is left.", "$$\\sigma(x) \\approx 0$$"),
    Code("E0123", "a sum that does not start at 0", "`{index}` starts at another number than 0", "let `{index}` run from 0, as in `\\sum_{{{index}=0}}^{{N-1}}`",
         "Indices run from 0. A sum from 1 to N is a sum from 0 to N-1 with every use of the index one higher.",
         "$$s = \\sum_{i=1}^{3} x[i]$$"),
    Code("E0124", "layout of LaTeX", "this is LaTeX; only the notation is laid out", "`indexlang show FILE --latex` sets a program anew",
         "`indexlang fmt` lays out programs in the notation. Formulas in LaTeX stay as they are."),
    # -- names
    Code("E0201", "unknown name", "`{name}` is not defined", "{advice}",
         "A text that declares any `input` or `param` declares all of them; every other tensor is defined by an "
         "equation. Names are case-sensitive and compared after Unicode NFC, so letters that look alike but come "
         "from different scripts are different names. The hint offers the nearest name there is.",
         "input X[3]\nA[i] = x[i]"),
    Code("E0202", "defined twice", "`{name}` is defined twice", "give one of the two another name, or use `+=` to add a term",
         "A tensor is defined by one equation. `+=` adds terms.", "A[i] = X[i]\nA[i] = 2*X[i]"),
    Code("E0203", "a cycle", "`{name}` is defined through itself: {path}", "break the cycle with another name",
         "The order of equations does not matter, but each tensor must be computable from others.", "A[i] = C[i]\nC[i] = A[i] + X[i]"),
    Code("E0204", "unknown function", "there is no function `{name}`", "{advice}",
         "Functions are the built-in ones.", "A[i] = rleu(X[i])"),
    Code("E0205", "wrong number of arguments", "`{name}` takes {wanted}, not {given}", "{advice}",
         "The message says how many arguments the function takes.", "A[i] = exp(X[i], 2)"),
    Code("E0206", "unknown initialiser or distribution", "`{name}` is not a known way to draw numbers", "{advice}",
         "A parameter starts from `xavier`, `he`, `uniform(a,b)`, `normal(m,s)`, `orthogonal`, or from `= number`.",
         "input X[3]\nparam W[3,3] ~ xaver\nA[j] = sum W[i,j]*X[i]"),
    Code("E0207", "unknown dtype", "there is no dtype `{name}`", "{advice}",
         "Dtypes are float (the program's own), f32, f64, int, i32, u8, bool.", "input X[3] : flot\nA[i] = X[i]"),
    Code("E0208", "the name is ambiguous", "`{name}` could be the tensor or the extent", "write `{name}[…]` for the tensor, or rename it",
         "Extents and tensors are separate name spaces; a bare name that could be either needs brackets."),
    Code("E0209", "not a tensor", "`{name}` is {what}, not a tensor", "{advice}", "Only tensors are read with subscripts.", "s = 2\nA[i] = X[i] * s[i]"),
    Code("E0210", "an output that is not there", "`{name}` cannot be returned: no equation defines it", "{advice}",
         "`output` names tensors of the program.", "A[i] = X[i]\noutput C"),
    Code("E0211", "no form of the function fits", "`{name}` cannot be called so: {message}", "call it as one of the forms below",
         "A function may have several forms, told apart by the number and the axes of the tensors they take. The notes list them, each with "
         "why it does not fit.", "def F(A[I], C[I]) = A + C\ndef F(A[I,J]) = A\ninput X[3]\nY = F(X, X, X)"),
    Code("E0212", "a keyword that does not fit", "the keyword `{keyword}` of `{name}` {problem}", "{advice}",
         "A call names a function's constants by the words of its head, in any order, each once.",
         "def F(A[I], scale s = 2) = s*A\ninput X[3]\nY = F(X, scle 3)"),
    Code("E0213", "a constant is missing", "`{name}` needs `{keyword}`", "add `{keyword} n` to the call",
         "A constant without a default must be given by the call.", "def F(A[I], scale s) = s*A\ninput X[3]\nY = F(X)"),
    Code("E0214", "a function that calls itself", "`{name}` calls itself: {path}", "repeat with `for l in 1..n:` instead",
         "A call is replaced by the function's equations, so a function that calls itself would never end.",
         "def F(A[I]) = F(A) + 1\ninput X[3]\nY = F(X)"),
    Code("E0215", "no next value here", "`{name}` is {what}, so it has no next value", "{advice}",
         "`m[j] <- …` gives the next value of a `state` or a `param`.", "input X[3]\nX[i] <- 2*X[i]\nY[i] = X[i]"),
    Code("E0216", "an extent stays open", "`{name}` of `{function}` does not follow from anything", "give it in the call, or state the extents on the left side",
         "A constant with `= ?` in a function's head is found from the extents of the left side, or of tensors it is added to. Here nothing says it.",
         "def F(A[I], features J = ?):\n  param W[I,J]\n  R[j] = sum W[i,j]*A[i]\n  return R\ninput X[3]\nY = F(X)"),
    Code("E0217", "how much a pack takes is not known", "`{tensor}` has {rank} axes, and how many of them are the pack of `{pack}` is not known",
         "write the axes of the result on the left side, as in `y[B,10] = {name}(…)`",
         "A pack `I...` takes one or more axes as one. How many axes are left in front of it follows from the number of axes of the left side.",
         "def F(A[I...], features J = ?):\n  param W[I,J]\n  R[j] = sum W[i,j]*A[i]\n  return R\ninput X[3,4]\nY = F(X, features 2)"),
    Code("E0218", "a package does not fit", "`{name}` {message}", "{advice}",
         "Calls that pass the same package share its parameters, which must have the same extents in all of them.",
         "def F(A[I], Φ):\n  param W[I]\n  return A*W\ninput X[3]\ninput Z[4]\nY = F(X, Φ)\nV = F(Z, Φ)"),
    Code("E0219", "arguments disagree", "`{name}` of `{function}` is {first} by one argument and {second} by another", "give arguments whose extents agree",
         "One name in a function's head is one extent.", "def F(A[I], C[I]) = A + C\ninput X[3]\ninput Z[4]\nY = F(X, Z)"),
    Code("E0220", "a file that cannot be included", "`{path}` cannot be included: {reason}", "{advice}",
         "`include` reads another file of the program's own folder (or below it), and each file once."),
    # -- expressions
    Code("E0301", "wrong number of subscripts", "`{tensor}` has {wanted}, but {given} given", "{advice}",
         "Every access to a tensor names all its axes, and all accesses agree on how many there are. To repeat a "
         "value along an axis, leave the index out of the access: `A[i,j] = X[i]` needs no broadcasting.", "A[i] = X[i] + X[i,i]"),
    Code("E0302", "an index without a place", "the index `{index}` is neither on the left side nor bound by a reduction", "{advice}",
         "Every index of an expression is on the left side, or is summed (or otherwise reduced) over. Either the "
         "result should have that axis too, and the index belongs on the left, or the values should be combined: "
         "`sum[j] …`, `max[j] …`. A reduction binds its index only up to the next `+` or `-` outside brackets.", "A[i] = X[i,j]"),
    Code("E0303", "the left side is not one-to-one", "{message}", "{advice}",
         "With `=` each element is given exactly one value, so the subscripts on the left are different indices, "
         "or groups of different indices. A repeated index, an affine form or a subscript that is data may name an "
         "element twice or never: `+=` takes those, adds up what meets, and leaves 0 where nothing lands.",
         "tensor A[3,3]\nA[i,i] = X[i]"),
    Code("E0304", "a subscript that is not an integer", "the subscript is a {dtype}, not an integer", "round it with floor(…)",
         "Subscripts are integers: indices, constants, and int-valued tensors.", "A[i] = X[0.5*i]"),
    Code("E0305", "the division leaves a remainder", "{left} / {right} leaves a remainder", "use // or floor(…) to round down",
         "`/` on constants must divide when an integer is needed.", "n = 7\ninput X[n/2]\nA[i] = X[i]"),
    Code("E0306", "operands of the wrong kind", "`{op}` does not take {given}", "{advice}",
         "Arithmetic is for numbers, and/or/not for bools.", "A[i] = X[i] and X[i]"),
    Code("E0307", "a reduction over nothing", "`{op}` has no index to run over", "{advice}",
         "`sum term` without a list runs over the indices of the term that are neither on the left side nor bound "
         "around it; here there is none. Perhaps the index should not be on the left side, or the sum is not "
         "needed.", "A[i] = sum X[i]"),
    Code("E0308", "one index is wanted", "`{op}` takes exactly one index in brackets", "write `{op}[i] …`",
         "argmax and argmin give the value of one index.", "A = argmax[i,j] X[i,j]"),
    Code("E0309", "an empty range", "`{op}` over `{index}`, which takes no value", "give `{index}` at least one value",
         "mean, argmax and argmin have no value over an empty range.", "A = mean[i:0] 2*i"),
    Code("E0310", "an index bound twice", "the index `{index}` is bound twice", "rename one of the two",
         "Each index of a reduction's list occurs once and is not bound around it.", "A = sum[i,i] X[i]"),
    Code("E0311", "an unused index", "the index `{index}` is not used under `{op}`", "drop it from the list, or write `{index}:n` to repeat the term n times",
         "A reduction over an index that its term does not use repeats the same term.", "A = sum[i,j] X[i]"),
    Code("E0312", "not a constant", "{what} is not known when the program is compiled", "{advice}",
         "Extents, ranges and initial values are made of numbers, constants and extents.", "input X[3]\nn = X[0]\nA[i:n] = X[i]"),
    Code("E0313", "division by zero", "this divides by zero", "change the constant", "A constant expression divides by zero.", "s = 1 // 0\nA[i] = s*X[i]"),
    Code("E0314", "the name means two things", "`{name}` is an index on the left side and a constant", "rename the constant or the index",
         "A lower-case name in a subscript is an index unless it is a constant; on the left side it must not be both.", "i = 2\nA[i] = X[i]"),
    Code("E0315", "a number too large", "{value} does not fit in 64 bits", "use a float: write it with a point or an exponent",
         "Integers are 64 bits wide.", "A[i] = X[i] * 99999999999999999999"),
    Code("E0316", "bool and number", "`if` and comparisons: {message}", "{advice}", "Conditions are bools; both branches are of one kind.", "A[i] = 1 if X[i] else 0"),
    # -- ranges, extents, bounds
    Code("E0401", "no range", "the range of `{index}` does not follow from anything", "write it: `{index}:n`, with n the number of values",
         "An index gets its range from, in this order: a range that is written (`i:10`, in a reduction or on the "
         "left), a bare subscript (`X[i]`), an affine subscript that has no other unknown index (`X[2*i+1]`), or "
         "the extents of the left side, when `tensor` states them. A subscript that is data, or has `else`, says "
         "nothing about how far an index runs.",
         "A[i] = 2*i"),
    Code("E0402", "two extents for one index", "`{index}` runs over {first} values here, but over {second} there", "{advice}",
         "A bare subscript says that its index runs over the whole axis, so two bare uses need axes of the same "
         "extent. Nothing is cut to the shorter one in silence. If the shorter range is meant, write it: a range "
         "that is written is only checked against each access.", "input X[3]\ninput Z[4]\nA[i] = X[i] + Z[i]"),
    Code("E0403", "two unknowns in one subscript", "`{subscript}` has two indices of unknown range: {indices}", "write one of them out, as in `{first}:n`",
         "An affine subscript gives the range of one index when all its others are known: the index runs as far as "
         "the access stays inside. With two unknown ones there are many answers, so one is to be written out.", "input X[9]\nA[i] = sum[j] X[i+j]"),
    Code("E0404", "a bare and an affine use disagree", "`{index}` runs over {declared} values, but only {allowed} stay inside `{tensor}`",
         "write the range: `{index}:{allowed}`",
         "A bare subscript says that the index runs over the whole axis; the other access would then leave its "
         "own. Differences and windows read fewer places than there are elements, and only you can say whether the "
         "range should be shorter or the border filled: write `i:n` for the first, `X[i+1 else 0]` for the second.", "input X[5]\nA[i] = X[i] + X[i+1]"),
    Code("E0412", "a read outside its tensor", "`{subscript}` leaves axis {axis} of `{tensor}`: {witness}", "{advice}",
         "Every access is proved to stay inside its tensor before anything runs, from the ranges of its indices "
         "and the conditions of the `if … else` around it. Where that fails, the message names values of the "
         "indices that leave the axis, and the hint the largest range that would fit. Reads outside can also be "
         "given a value: `X[i+1 else 0]`, or the nearest, periodic or mirrored element with `else edge`, `wrap`, "
         "`mirror`, `reflect`.",
         "input X[5]\nA[i:5] = X[i+1]"),
    Code("E0413", "a write outside its tensor", "`{subscript}` leaves axis {axis} of `{tensor}`: {witness}", "{advice}",
         "The subscripts on the left side of `+=` must stay inside the stated extents of the tensor, for every "
         "value of the indices. State larger extents, or write a smaller range.", "input X[5]\ntensor A[5]\nA[i+1] += X[i]"),
    Code("E0414", "the group does not fit", "{message}", "{advice}",
         "A group `(x,y,i)` is one axis, row-major: its extents multiply to that of the axis. In an access, one of "
         "them may be left to be found by division, which must leave no remainder.",
         "input X[7]\nA[g,i] = X[(g,i:3)]\n"),
    Code("E0415", "stated and found extents differ", "axis {axis} of `{tensor}` is stated as {stated}, but is {found}", "change the statement or the equation",
         "`tensor` states extents; they are checked where they follow anyway.", "input X[5]\ntensor A[4]\nA[i] = X[i]"),
    Code("E0416", "a border rule needs elements", "`{rule}` needs at least {least} on axis {axis} of `{tensor}`, which has {extent}", "use `else 0`",
         "edge, wrap, mirror and reflect repeat elements of the axis; there must be some.", "input X[0]\nA[i:3] = X[i-1 else edge]"),
    Code("E0417", "a negative extent", "{what} is {value}", "make it 0 or more", "Extents are never negative.", "A[i:-1] = 2*i"),
    Code("E0418", "a constant and an index disagree", "`{index}` runs over {found} values, but the constant `{constant}` is {stated}",
         "rename the constant or the index",
         "A constant bearing the capital of an index is its extent: with `I = 4`, every `i` runs over 4 values. "
         "Here the index is found to run over another number.", "I = 4\ninput X[5]\nA[i] = X[i]"),
    Code("E0420", "extents missing", "the extents of `{tensor}` do not follow from its equations", "state them: `tensor {tensor}[…]`",
         "A tensor that is added up with `+=` under computed subscripts could have any extents that hold them. "
         "State them: `tensor H[10]`.", "input l[5] : int\nH[l[b]] += 1"),
    Code("E0421", "vectors do not match", "{message}", "{advice}",
         "A capital, or a tensor's bare name, leaves axes unspecified: both sides of the equation then hold vectors or tensors of one shape; "
         "`A ; B` joins them along their last axis.", "input A[3]\ninput C[3,4]\nD = A + C"),
    Code("E0422", "parts that do not make up the tensor", "{message}", "write `x+c` for each axis, with ranges that leave no element out",
         "A tensor whose extents are stated may have several `=` equations, each for a box of it. Together they give every element once.",
         "input X[3]\ntensor A[5]\nA[i:3] = X[i]\nA[4+i:1] = X[i]"),
    Code("E0423", "a window that fits nowhere", "`{subscript}` fits nowhere into axis {axis} of `{tensor}`, which has {count}, so `{index}` takes no value",
         "give it more elements, make the window smaller, or add padding",
         "How far an index runs follows from the extents: a window of 3 slides over 5 elements in 3 ways, over 2 in none. The tensor would be "
         "empty, and what is computed from it later no number: a maximum of nothing is -inf, a mean of nothing NaN. So this is told where it "
         "begins. A range that you write as a number may be 0, and an axis that is given with no elements makes tensors of no elements.",
         "input X[2]\nA[i] = sum[d:3] X[i+d]"),
    # -- gradients
    Code("E0501", "a gradient through whole numbers", "`{name}` holds {dtype} values: it has no gradient", "differentiate with respect to a tensor of floats",
         "A derivative says how a float changes with another float. Ints and bools do not change a little at a time, so there is no "
         "gradient of them, or with respect to them. A gradient that merely passes by an int (through a subscript, `floor`, a comparison) "
         "is zero there, and needs nothing from you.",
         "input k[3] : int\nloss = sum[i] 0.5*k[i]\nG = d(loss)/d(k)"),
    Code("E0502", "the gradient of a tensor", "`{name}` has extents [{extents}], but a gradient is of a scalar", "make a scalar of it, as in `loss = sum {name}`",
         "A gradient has one number for each element of what it is taken with respect to. A tensor of results has one such gradient for "
         "each of its elements: write the element, as in `d(Y[i])/d(X[j])` for a Jacobian, or add them up first. "
         "In Python, `net.grad(name, seeds=True)` takes the weights of that sum as one more input.",
         "Y[i] = X[i]^2\nG = d(Y)/d(X)"),
    Code("E0503", "the gradient of an unknown tensor", "there is no tensor `{name}` to take a gradient of, or with respect to", "{advice}",
         "`d(loss)/d(W)` names two tensors of the program: inputs, parameters, states, or what equations define.",
         "input X[3]\nloss = sum X[i]^2\nG = d(los)/d(X)"),
    Code("E0504", "no derivative", "{message}", "{advice}",
         "Where no derivative is known, nothing is guessed: zero would be a wrong gradient that nobody notices.",
         "def d(x) = 2*x\nG[i] = d(X[i])/d(X[i])"),
    # -- data
    Code("E0601", "wrong extents", "`{tensor}` wants {wanted}, but {given} came", "{advice}", "An argument has other extents than its declaration."),
    Code("E0602", "wrong number of axes", "`{tensor}` has {wanted}, but the array given has {given}", "{advice}", "An argument has another number of axes than its declaration."),
    Code("E0603", "wrong dtype", "`{tensor}` wants {wanted}, but {given} came", "{advice}", "An argument's dtype cannot stand for the declared one without loss."),
    Code("E0604", "an input is missing", "no value for input `{tensor}`", "{advice}", "Every input needs a value."),
    Code("E0605", "an unknown argument", "there is no {kind} `{name}`", "{advice}", "Arguments are the program's inputs."),
    Code("E0606", "two extents for one name", "`{name}` is {first} in {first_place}, but {second} in {second_place}", "give arguments that agree",
         "A named extent, such as the B of `input X[B,3]`, has one value in a call: all arguments that have it "
         "agree."),
    Code("E0607", "a subscript out of range", "`{subscript}` is {value} at {position}, outside axis {axis} of `{tensor}`, which has {extent}", "{advice}",
         "Subscripts that are data cannot be proved to stay inside when the program is compiled. They are checked "
         "when it runs, before the equation reads anything; the message names the first that leaves its axis. "
         "Negative subscripts do not count from the end."),
    Code("E0608", "not an array", "`{tensor}`: {message}", "{advice}", "An argument must be something numpy can view."),
    Code("E0609", "weights do not fit", "{message}", "{advice}", "Weights are matched by name, extents and dtype."),
    Code("E0610", "a named extent has no value", "the extent `{name}` has no value", "{advice}", "Named extents get their values from arguments or `-D NAME=VALUE`."),
    Code("E0611", "an unknown constant", "there is no constant or extent `{name}` to set", "{advice}", "`-D NAME=VALUE` sets a constant or a named extent of the program."),
    # -- files
    Code("E0701", "a file cannot be read", "cannot read {path}: {reason}", "{advice}", "The file is missing, is a folder, or may not be read."),
    Code("E0702", "not a picture", "{path} is not a picture that can be decoded", "give a PNG or JPEG file", "Pictures are decoded with pillow."),
    Code("E0703", "a path outside the folder", "{path} leaves the program's folder", "copy the file beside the program", "A program reads only files of its own folder."),
    Code("E0704", "not an array file", "{path}: {reason}", "give a .npy or .npz file of numbers", "Array files are read without unpickling anything."),
    Code("E0705", "a file cannot be written", "cannot write {path}: {reason}", "choose another place", "The result was not saved."),
    Code("E0706", "weights that ask for Python objects", "{path} asks for `{name}`; nothing was run",
         "save the tensors alone, `torch.save(net.state_dict(), path)`, or as .safetensors",
         "A file of `torch.save` is a pickle: a small program that can call any function of Python when it is loaded. Here it is read "
         "for its dictionaries and tensors only. Any other name that it asks for is refused before anything is called: whole models, "
         "optimizers and settings among the weights, and code that somebody hid in it."),
    Code("E0707", "names of classes that do not fit", "{message}", "{advice}",
         "`--labels` gives a name to each score: a text file with one name a line, or a list of texts in JSON, in the order "
         "of the scores."),
    # -- training
    Code("E0801", "no such data", "there is no data `{name}`", "{advice}",
         "Data of training is named by a word that is known (digits, faces), or by the path of a file or a folder."),
    Code("E0802", "an optional package is missing", "{what} needs the package {package}", "pip install 'indexlang[{extra}]'",
         "indexlang itself needs few packages. Others are installed by the name of what they are for: `data` (scikit-learn has the digits, "
         "scikit-image the faces), `plot` (matplotlib), `onnx`, `tb` (TensorBoard's files)."),
    Code("E0803", "a table that cannot be read", "{place}: {message}", "{advice}",
         "A table is text in UTF-8: a line of column names, then a line for each example, its cells divided by commas. "
         "Cells are numbers in ASCII; a cell is never guessed or left out."),
    Code("E0804", "no column for an input", "no column of {data} is for the input `{input}`: {message}", "{advice}",
         "Each input of the program takes a column of the data: the one of its name, else of its name in other capitals, "
         "else the only one whose dtype and extents fit."),
    Code("E0805", "a column of wrong extents", "`{input}` wants {wanted}, but {given}", "{advice}",
         "An example of the column must have the extents of the input, but for axes of extent 1; or one of the two is a "
         "vector of as many numbers, row-major."),
    Code("E0806", "a column of a wrong dtype", "`{input}` wants {wanted}, but {given}", "{advice}",
         "Ints become floats where floats are wanted, with the same values: bytes of pictures stay 0 to 255. Floats never become ints."),
    Code("E0807", "an input without a batch", "`{input}{extents}` cannot take batches: {message}", "{advice}",
         "The examples of a batch lie along the first axis of every input. Its extent is a name, the same for all inputs, "
         "because the last batch of an epoch may be smaller."),
    Code("E0808", "data without examples", "{data} {message}", "{advice}",
         "Data is one or more columns, with an element for each example along their first axis."),
    Code("E0809", "a number that is not finite", "{place}: `{column}` is {value}{position}", "remove the example, or put a number in its place",
         "Training on NaN or infinity gives parameters of NaN. All data is looked through before the first step."),
    Code("E0810", "a label out of range", "{place}: `{input}` is {value}, but the classes are {allowed}", "{advice}",
         "Labels of K classes are 0 to K-1."),
    Code("E0811", "not a folder of pictures by class", "{path}: {message}", "{advice}",
         "Pictures are laid out as folder/class/picture.png: one folder a class, whose name is that of the class."),
    Code("E0812", "data that ends after one epoch", "{data} can be gone through only once, and epoch {epoch} needs it again",
         "give a list of batches, or a function that returns them anew",
         "An iterator is used up when its end is reached. A list, or a function without arguments that returns an iterable, gives every epoch its batches."),
    Code("E0813", "not a batch", "batch {number} of {data} is {what}, not a mapping of arrays", "give a dict of arrays by the names of the inputs",
         "An iterable gives one batch after the other, each a dict with an array for every input."),
    Code("E0814", "an augmentation that is not known", "`{word}`: {message}", "{advice}",
         "Augmentations are `flip`, `crop:PIXELS` and `noise:DEVIATION`, divided by commas."),
    Code("E0815", "data that cannot be divided", "{data} cannot be divided so: {message}", "{advice}",
         "Validation takes a share of the examples (between 0 and 1) or a number of them, and leaves at least one for training."),
    Code("E0816", "not data", "{what} is no data of training", "give a dict of arrays by name, the name of a file, or batches: a list of dicts",
         "Data is a mapping of arrays, a word or path for what lies on the disk, or an iterable of batches."),
    Code("E0820", "an unknown part of training", "there is no {kind} `{name}`", "{advice}",
         "Optimisers and schedules are functions in `indexlang/train/optim.idx`, or in a file of your own."),
    Code("E0821", "a wrong setting", "{message}", "{advice}",
         "The settings of a run come from a TOML file, from flags, or from the arguments of `fit`; `indexlang train --print-config` shows all."),
    Code("E0822", "another run", "{path}: {message}", "go on with the program and settings it was begun with, or begin a new run",
         "A checkpoint belongs to one program with one set of settings: only so does a run that goes on end as one that was never stopped."),
    Code("E0823", "not an optimiser", "an optimiser cannot ask for `{name}`", "ask for {known}, and for a package last if it has states",
         "An optimiser is `def NAME(W[I...], g[I...], …)`: a parameter, its gradient, numbers of the step by their names, and a package for what it remembers."),
    Code("E0824", "a run lies there", "{path} holds a run already", "go on with it: --resume, or choose another folder with --save",
         "A run is never written over another one."),
    Code("E0840", "not a run of training", "{path} is no run of training: {reason}", "{advice}",
         "A run is the folder that `indexlang train` wrote, by default in `runs/`. What was measured stands in its `metrics.jsonl`."),
    Code("E0841", "nothing to draw", "the run {run} {message}", "{advice}",
         "A picture needs what the run has kept: curves need measured steps or epochs, filters and features need weights, signals need `--watch-gradients`."),
    Code("E0842", "a tensor that is no picture", "{message}", "{advice}",
         "Filters are drawn from parameters with four axes, `W[dx,dy,i,j]`; features from tensors `[b,x,y,j]`, or `[b,x,y]` for one channel."),
    Code("E0843", "no such example", "there is no example {number} of {data}: {message}", "{advice}", "Examples are counted from 0, in the order of the data."),
    # -- limits
    Code("E0901", "too large", "`{tensor}` needs {needed}, {limit_text}", "use smaller extents, or raise INDEXLANG_MEMORY",
         "Sizes are computed and compared with the memory limit before anything is allocated. The limit is what "
         "the machine has free, or what the environment variable INDEXLANG_MEMORY says."),
    Code("E0902", "an extent too large", "{what} is {value}, more than 2^63", "use smaller extents", "Extents and sizes are below 2^63.",
         "A[i:10000000000000000000000] = 1.5*i"),
    Code("E0903", "too many statements", "the program has more than {limit} statements", "use fewer turns, or an index in place of numbered names",
         "`for` repeats its block; the whole program is bounded, so that checking it is.", "for l in 1..1000000000:\n    L_{l}[i] = X[i]"),
    Code("E0904", "too many calls", "functions call each other more than {limit} times", "name what is used twice: `A = F(L)`, then `A + A`",
         "Every call becomes equations of its own, so functions that call others twice grow beyond all bounds."),
    Code("E0905", "too many of a kind", "there are more than {limit} {what}", "{advice}",
         "Tensors have at most 64 axes, as arrays have; joined vectors and chains of comparisons are bounded, and so are the words of a text: checking is fast, or refused at once."),
    # -- numbers
    Code("E1001", "a number was lost in training", "step {step}: `{element}` is {value}, and {how}", "{advice}",
         "A loss that is NaN or infinite ends the run. The message names the first tensor, in the order of computing, that has such an element."),
    # -- export
    Code("E1101", "not for ONNX", "`{name}` cannot be written as ONNX: {message}", "{advice}",
         "Export goes from the equations: each becomes operators of ONNX that compute the same. What ONNX has nothing for is refused at "
         "its equation: random tensors, next values of states and parameters, places that depend on extents without a value."),
    # -- warnings
    Code("W0101", "a formula that is no equation", "this is no equation and is left out: {reason}", "write `name[indices] = …` if it is to be computed",
         "A text in LaTeX may show formulas that define nothing: a name by itself, a condition, an approximation. "
         "They are passed over.", "$$L[b,x]$$ $$A[i] = 2 X[i]$$", severity="warning"),
    Code("W0102", "a slip with a bracket", "{message}", "correct the bracket in the LaTeX",
         "Two slips are seen so often on slides that they are taken: one bracket too many at the end of a formula, "
         "and `A(i]` for `A[i]`. Every other bracket must match.", "$$A[i] = 2 \\cdot X[i])$$", severity="warning"),
    Code("W0103", "several right sides", "only the first right side defines the tensor; this one is left out", "give each right side a formula of its own to compute it",
         "A chain `A = B = C` says that all are equal. The first right side is computed; whether the others agree is not checked.",
         "$$A[i] = 2 \\cdot X[i] = X[i] + X[i]$$", severity="warning"),
    Code("W0301", "a sum over a term that does not vary", "no index of `{op}` occurs in {term}", "take it out of the {op}, or put brackets where the {op} should end",
         "A term that uses none of the indices is repeated once for each of their values: it comes out multiplied "
         "by their number. Often a bracket is missing. `sum W*L - B` ends before the minus; `sum (W*L - B)` does "
         "not, and subtracts B many times.", severity="warning"),
    Code("W0501", "a gradient that is zero", "`{of}` does not depend on `{name}`: its gradient is zero everywhere", "leave `{name}` out, or check that `{of}` reads it",
         "No chain of equations leads from the one tensor to the other, or only through `stop`, `floor`, comparisons and subscripts, which pass "
         "no gradient on.", "input X[3]\ninput Y[3]\nloss = sum X[i]^2\nG = d(loss)/d(Y)", severity="warning"),
    Code("W0701", "weights that are not finite", "`{tensor}` was read with {count} of {size} values NaN or infinite", "check the file with `indexlang weights show`",
         "Training that went wrong leaves NaN behind, and what is computed from it is NaN. The weights are taken as they are: "
         "nothing hides such values, so they are seen in the results.", severity="warning"),
)  # fmt: skip

CODES: dict[str, Code] = {row.code: row for row in _ROWS}
