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
