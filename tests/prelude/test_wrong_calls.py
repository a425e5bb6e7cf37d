"""Wrong calls of layers: the code, what the message says, and what is underlined in the caller's text."""

import pytest

from indexlang.api import check

HEAD = "input L[2,8,7,4]\ninput v[5]\ninput l[2] : int\n"

WRONG = (
    ("R = Conv(L, features 2)", "E0216", "`width` of `R` does not follow from anything", "R = Conv(L, features 2)"),
    ("R = Conv(L, width 3)", "E0216", "`features` of `R` does not follow", "R = Conv(L, width 3)"),
    ("R = Conv(L)", "E0216", "`features`, `width` of `R`", "R = Conv(L)"),
    ("R = Conv(L, width 3, feature 2)", "E0212", "the keyword `feature` of `Conv` is not known", "feature"),
    ("R = Conv(L, width 3, width 2, features 3)", "E0212", "is given twice", "width"),
    ("R = Conv(v, width 3, features 2)", "E0211", "no form fits", "Conv(v, width 3, features 2)"),
    ("R = Conv(L, v, width 3)", "E0211", "no form fits", "Conv(L, v, width 3)"),
    ("R = Conv(L2, width 3, features 2)", "E0201", "`L2` is not defined", "L2"),
    ("R = Conv(L, width 9, features 2)", "E0417", "the range of `y` is -1", None),
    ("R = Conv(L, width 3, features 2, groups 3)", "E0305", "4 / 3 leaves a remainder", None),
    ("R = Conv(L, width 3, features 5, groups 2)", "E0305", "5 / 2 leaves a remainder", None),
    ("R = Conv(L, width 3, features 6, groups 4)", "E0305", "3 / 2 leaves a remainder", None),
    ("R = Conv(L, width 3, features 2, groups 0)", "E0313", "divides by zero", None),
    ("R = Conv(L, width 1.5, features 2)", "E0304", "is a float, not an integer", None),
    ("R[2,7,7,5] = Conv(L, width 3)", "E0415", "axis 1 of `R` is stated as 7, but is 6", "R[2,7,7,5]"),
    ("A[2,6,5,2] = Conv(L, Φ, width 3)\nR[2,7,6,2] = Conv(L, Φ, width 2)", "E0218", "`Φ.W` has extent 3 on axis 0 in one call and 2 in", "Conv(L, Φ, width 2)"),
    ("R = Conv(Φ[3,3,5,2], L)", "E0415", "axis 2 of `Φ.W` is stated as 5, but is 4", "5"),
    ("param W[3,3,5,2]\nR = Conv(W, L)", "E0219", "`I` of `Conv` is 5 by one argument and 4 by another", "L"),
    ("R = MaxPool(L)", "E0213", "`MaxPool` needs `width`", "MaxPool(L)"),
    ("R = MaxPool(v, width 2)", "E0205", "takes at least 3 axes for `L[X,Y,I]`, not 1 axis", "v"),
    ("R = MaxPool(L, Φ, width 2)", "E0201", "`Φ` is not defined", "Φ"),
    ("R = MaxPool(L, width 2, stride 0)", "E0313", "divides by zero", None),
    ("R = FC(L)", "E0217", "how many of them are the pack of `L[I...]` is not known", "FC(L)"),
    ("R[2,3] = FC(L, features 4)", "E0415", "axis 1 of `R` is stated as 3, but is 4", "R[2,3]"),
    ("R = CrossEntropy(L, l)", "E0219", "`B` of `CrossEntropy`", "l"),
    ("R = CrossEntropy(v, 1.5)", "E0304", "is a float, not an integer", None),
    ("R = Embed(l, features 2)", "E0216", "`words` of `R`", "R = Embed(l, features 2)"),
    ("R = Embed(v, words 3, features 2)", "E0304", "is a float, not an integer", None),
    ("R = GroupNorm(L)", "E0213", "`GroupNorm` needs `groups`", "GroupNorm(L)"),
    ("R = GroupNorm(L, groups 3)", "E0414", "which 3 does not divide", None),
    ("R = ChannelShuffle(L, groups 3)", "E0414", "which 3 does not divide", None),
    ("R = Attention(L, heads 3)", "E0305", "4 / 3 leaves a remainder", None),
    ("R = MSE(L, v)", "E0219", "`I` of `MSE` is 448 by one argument and 5 by another", "v"),
    ("R = Upsample(L)", "E0216", "`columns`, `rows` of `R`", "R = Upsample(L)"),
    ("R = BatchNorm(v)", "E0211", "no form fits", "BatchNorm(v)"),
    ("R = Softmax(1)", "E0205", "takes a tensor for `s[K]`, not a number", "1"),
    ("R = MaxPol(L, width 2)", "E0204", "there is no function `MaxPol`", "MaxPol"),
)  # fmt: skip


@pytest.mark.parametrize(("call", "code", "message", "place"), WRONG, ids=[row[0] for row in WRONG])
def test_a_wrong_call_is_told(call: str, code: str, message: str, place: str | None) -> None:
    """`place` None: the mistake shows inside the layer, and the call is its cause."""
    told = check(HEAD + call)
    assert told[0].code == code
    assert message in told[0].message
    if place is not None:
        assert told[0].span.text == place
        return
    assert told[0].span.source.name == "prelude.idx"
    assert any("is called here" in note.text for note in told[0].notes)


def test_the_constants_of_the_call_are_among_the_causes() -> None:
    told = check(HEAD + "R = Conv(L, width 3, features 2, groups 3)")
    assert [n.text for n in told[0].notes][-2:] == ["`groups` is 3", "`Conv` is called here"]


def test_a_state_cannot_follow_a_mapped_axis() -> None:
    text = "input L[3,2,4,8,7,5]\nR = BatchNorm(L)"
    assert [d.code for d in check(text)] == []
    assert [d.code for d in check(text, constants={"training": True})] == ["E0218"]


def test_two_next_values_for_one_package() -> None:
    text = "input L[2,8,7,4]\nA = BatchNorm(L, Φ)\nR = BatchNorm(A, Φ)"
    assert [d.code for d in check(text, constants={"training": True})] == ["E0218"]
