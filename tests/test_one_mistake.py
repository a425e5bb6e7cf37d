"""One mistake, one message; and what a message quotes is whole."""

import pytest

from indexlang.checking import check

DECLARED = {
    "a distribution": ("input X[3]\nparam W[3] ~ foo\n", "E0206"),
    "the type of a param": ("input X[3]\nparam W[3] : flot\n", "E0207"),
    "the type of an input": ("input X[3]\ninput W[3] : flot\n", "E0207"),
    "the type of a tensor": ("input X[3]\ntensor W[3] : flot\nW[i] = X[i]\n", "E0207"),
    "the type of a state": ("input X[3]\nstate W[3] : flot = 0\nW[i] <- X[i]\n", "E0207"),
}
USES = {
    "an element": "A[i] = W[i]*X[i]\n",
    "the whole": "A = W + X\n",
    "a sum": "A = sum W*X\n",
    "an argument": "A = Softmax(W)\n",
    "an argument of a function of the text": "def F(L[I]) = sum L*L\nA = F(W)\n",
    "a derivative": "L = sum W*X\nA = d(L)/d(W)\n",
    "an output": "A[i] = X[i]\noutput A, W\n",
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("declared", DECLARED)
def test_a_mistake_in_a_declaration_is_told_alone(declared: str, use: str) -> None:
    text, code = DECLARED[declared]
    assert [d.code for d in check(text + USES[use])] == [code]


# statements that define two tensors at once, or would, and what to do instead
LISTS = (
    ("param W, V", "on a line of its own"),
    ("input W[3], V[3]", "on a line of its own"),
    ("param W[3] ~ normal(0, 1), V[3] ~ xavier", "on a line of its own"),
    ("state W[3] = 0, V[3] = 0", "on a line of its own"),
    ("param W[3] V[3]", ""),
    ("param W V", ""),
    ("params W[3], V[3]", "`param`"),
    ("Input W[3], V[3]", "`input`"),
    ("W, V = 3", "an equation of its own"),
    ("W[i], V[i] = X[i], X[i]", "an equation of its own"),
)


@pytest.mark.parametrize(("statement", "advice"), LISTS)
def test_a_list_of_tensors_is_one_mistake(statement: str, advice: str) -> None:
    (found,) = check(f"input X[3]\n{statement}\nA[i] = W[i]*X[i]\nC[i] = V[i]*X[i]\n")
    assert found.code in ("E0101", "E0102")
    assert advice in found.hint


@pytest.mark.parametrize("statement", ["param W[3] ~ xavier, 4", "W[i], V[i] = Q[i]", "param W[Q], : Q"])
def test_a_list_hides_no_other_mistake(statement: str) -> None:
    found = check(f"input X[3]\n{statement}\nA[i] = Q[i]*X[i]\nC[i] = xavier*X[i]\n")
    assert [(d.code, d.span.line) for d in found] == [("E0101", 2), ("E0201", 3), ("E0201", 4)]


# blocks with a mistake in their first line, in a line, or in how far lines are indented; the text ends in a use
BLOCKS = (
    ("for l in 1..:\n    param W[3]\n    A[i] = W[i]", "A[i]*W[i]", "E0101"),
    ("for l in 1..:\n    A_{l}[i] = X[i]", "A_2[i]", "E0101"),
    ("for l in 1..3\n    A_{l}[i] = X[i]", "A_2[i]", "E0102"),
    ("for l in 1..3:\n    A_{l}[i] = X[i]*+2", "A_2[i]", "E0101"),
    ("for l in 1..3:\n    param W_{l}[3] : flot\n    A_{l}[i] = W_{l}[i]", "A_2[i]*W_1[i]", "E0207"),
    ("for l in 1..3:\nA_{l}[i] = l*X[i]", "A_2[i]", "E0109"),
    ("for l in 1..2:\n    for m in 1..2\n        A_{l}_{m}[i] = X[i]", "A_1_2[i]", "E0102"),
    ("if 1 == :\n    param W[3]\nelse:\n    state W[3] = 0", "W[i]", "E0101"),
    ("if 1 == 1:\nparam W[3]", "W[i]", "E0109"),
    ("else:\n    A[i] = X[i]", "A[i]", "E0109"),
    ("  param W[3]\n  A[i] = X[i]", "W[i]*A[i]", "E0107"),
    ("  for l in 1..2:\n    A_{l}[i] = X[i]", "A_1[i]", "E0107"),
    ("  def F(a) = a", "F(X[i])", "E0107"),
    ("def F(L):\nH = L\nreturn H", "F(X[i])", "E0109"),
    ("def F(L)\n    H = L\n    return H", "F(X[i])", "E0102"),
    ("def F(L):\n    H = L", "F(X[i])", "E0109"),
    ("def F(L):\n    for l in 1..2:\n    H = L\n    return H", "F(X[i])", "E0109"),
    ("P[i:1], Q = X[i]", "Q[i]", "E0101"),
)


@pytest.mark.parametrize(("block", "use", "code"), BLOCKS)
def test_a_mistake_in_a_block_is_told_alone(block: str, use: str, code: str) -> None:
    assert [d.code for d in check(f"input X[3]\n{block}\nC[i] = {use}\n")] == [code]


@pytest.mark.parametrize("block", ["for l in 1..:\n    A_{l}[i] = X[i]", "  A[i] = X[i]", "def F(L):\nH = L\nreturn H"])
def test_a_block_with_a_mistake_hides_no_other(block: str) -> None:
    found = check(f"input X[3]\n{block}\nC[i] = Q[i]*X[i]\nD = B_1\n")
    assert [d.code for d in found][1:] == ["E0201", "E0201"]


def test_a_second_function_after_one_without_its_block_is_read() -> None:
    found = check("input X[3]\ndef F(L):\ndef G(L) = 2*L\nC = G(X)\nD = F(X)\nQ[i] = Y[i]\n")
    assert [d.code for d in found] == ["E0109", "E0201"]


@pytest.mark.parametrize(
    ("body", "quoted"),
    [
        ("Q[(x//2)%5]", "(x//2)%5"),
        ("Q[5*(x//2)]", "5*(x//2)"),
        ("Q[(x + 1)]", "(x + 1)"),
        ("Q[(x)+1]", "x)+1"),  # a single name keeps its own place
    ],
)
def test_brackets_are_quoted_with_what_they_hold(body: str, quoted: str) -> None:
    found = check(f"input Q[4]\nA[x:12] = {body}\n")
    assert [d.code for d in found] == ["E0412"]
    assert found[0].span.text == quoted


def test_two_places_of_a_tensor_are_not_two_definitions() -> None:
    (found,) = check("input X[3]\nV[0,i] = X[i]\nV[1,i] = 2*X[i]\nZ[i] = V[0,i] + V[1,i]\n")
    assert (found.code, "n+0:1" in found.hint) == ("E0108", True)
