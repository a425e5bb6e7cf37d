"""What calls of layers come to: the equations, their tensors, and whether the tile kernel can compute them."""

import pytest

import indexlang as il
from indexlang.passes.contraction import contraction
from indexlang.syntax.prelude import prelude_forms, prelude_names

IMAGE = "input L[2,8,8,4]\n"


def shown(text: str, training: bool = False) -> list[str]:
    """The typed program without its declarations."""
    lines = str(il.compile(IMAGE + text, training=training)).splitlines()
    heads = ("input", "param", "state", "tensor", "output")
    return [line for line in lines if line and not line.startswith(heads)]


FORMS = (
    (
        "R = Conv(L, width 3, features 5)",
        ["R[b:2,x:6,y:6,j:5] = sum[dx:3,dy:3,i:4](R.W[dx,dy,i,j]*L[b,x+dx,y+dy,i]) - R.B[j]"],
    ),
    (
        "R = Conv(L, width 3, features 5, pad 1, stride 2, bias 0)",
        ["R[b:2,x:4,y:4,j:5] = sum[dx:3,dy:3,i:4](R.W[dx,dy,i,j]*L[b,2*x+dx-1,2*y+dy-1,i else 0])"],
    ),
    (
        "R = Conv(L, width 3, features 4, groups 4, bias 0, dilate 2)",
        ["R[b:2,x:4,y:4,j:4] = sum[dx:3,dy:3](R.W[dx,dy,j]*L[b,x+2*dx,y+2*dy,j])"],
    ),
    (
        "R = Conv(L, width 1, features 6, groups 2)",
        ["R[b:2,x:8,y:8,(g:2,j:3)] = sum[dx:1,dy:1,i:2](R.W[dx,dy,g,i,j]*L[b,x+dx,y+dy,g*2+i]) - R.B[g*3+j]"],
    ),
    ("R = MaxPool(L, width 2)", ["R[b:2,x:4,y:4,i:4] = max[dx:2,dy:2](L[b,2*x+dx,2*y+dy,i])"]),
    ("R = Dropout(L)", ["R[b:2,c:8,d:8,d':4] = L[b,c,d,d']"]),
    (
        "R = ConvTranspose(L, width 3, features 5, bias 0)",
        ["R[b:2,x:10,y:10,j:5] = sum[dx:3,dy:3,i:4](R.W[dx,dy,i,j]*L[b,x-dx,y-dy,i else 0])"],
    ),
)


@pytest.mark.parametrize(("text", "wanted"), FORMS, ids=[text for text, _ in FORMS])
def test_a_call_is_the_equation_that_one_would_write(text: str, wanted: list[str]) -> None:
    assert shown(text) == wanted


CONTRACTIONS = (
    ("R = Conv(L, width 3, features 5)", "R"),
    ("R = Conv(L, width 3, features 5, pad 1, stride 2)", "R"),
    ("R = Conv(L, width 3, features 5, pad 1, dilate 2, bias 0)", "R"),
    ("R = ConvTranspose(L, width 3, features 5, pad 1, bias 0)", "R"),
    ("R = ConvTranspose(L, width 3, features 5, stride 2)", "R.S"),
    ("R[2,7] = FC(L)", "R"),
    ("R = Attention(L, heads 2)", "R.Attention.q"),
    ("R = Attention(L)", "R.Attention.A.a"),
    ("R = Attention(L, causal 1)", "R.Attention.A.a"),
)


@pytest.mark.parametrize(("text", "name"), CONTRACTIONS)
def test_sums_of_products_reach_the_tile_kernel(text: str, name: str) -> None:
    net = il.compile(IMAGE + text)
    program = net._typed  # pyright: ignore[reportPrivateUsage]
    found = [e for e in program.equations if e.target == name]
    assert [contraction(e, program) is not None for e in found] == [True]


PARAMETERS = (
    ("R = Conv(L, width 3, features 5)", {"R.W": (3, 3, 4, 5), "R.B": (5,)}),
    ("R = Conv(L, Φ1, width 3, features 5, bias 0)", {"Φ1.W": (3, 3, 4, 5)}),
    ("R = Conv(L, width_x 1, width_y 3, features 6, groups 2)", {"R.W": (1, 3, 2, 2, 3), "R.B": (6,)}),
    ("R = Conv(L, width 3, features 8, groups 4)", {"R.W": (3, 3, 8), "R.B": (8,)}),
    ("R = ConvTranspose(L, width 3, features 5)", {"R.W": (3, 3, 4, 5), "R.B": (5,)}),
    ("R[2,7] = FC(L)", {"R.W": (7, 256), "R.B": (7,)}),
    ("R = BatchNorm(L)", {"R.gamma": (4,), "R.beta": (4,)}),
    ("R = LayerNorm(L)", {"R.gamma": (4,), "R.beta": (4,)}),
    ("R = GroupNorm(L, groups 2)", {"R.gamma": (4,), "R.beta": (4,)}),
    ("R = Attention(L, heads 2)", {"R.Q": (4, 2, 2), "R.K": (4, 2, 2), "R.V": (4, 2, 2), "R.O": (2, 2, 4)}),
    ("R = relu(Conv(Conv(L, width 1, features 2, bias 0), Φ, width 1, features 2))", {"R.Conv.W": (1, 1, 4, 2), "Φ.W": (1, 1, 2, 2), "Φ.B": (2,)}),
)  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), PARAMETERS, ids=[text for text, _ in PARAMETERS])
def test_parameters_by_name_and_extents(text: str, wanted: dict[str, tuple[int, ...]]) -> None:
    net = il.compile(IMAGE + text)
    assert {name: array.shape for name, array in net.params.items()} == wanted


def test_the_lectures_alexnet_as_it_stands() -> None:
    text = """
input Input[227, 227, 3]
L1[55,55,96]  = ReLU(CONV(Input, Φ1, width 11, pad 0, stride 4))
L2[27,27,96]  = MaxPool(L1, width 3, stride 2)
L3[27,27,256] = ReLU(CONV(L2, Φ3, width 5, pad 2, stride 1))
L4[13,13,256] = MaxPool(L3, width 3, stride 2)
L5[13,13,384] = ReLU(CONV(L4, Φ5, width 3, pad 1, stride 1))
L6[13,13,384] = ReLU(CONV(L5, Φ6, width 3, pad 1, stride 1))
L7[13,13,256] = ReLU(CONV(L6, Φ7, width 3, pad 1, stride 1))
L8[6,6,256]   = MaxPool(L7, width 3, stride 2)
L9[4096]      = ReLU(FC(L8, Φ9))
L10[4096]     = ReLU(FC(L9, Φ10))
s[1000]       = ReLU(FC(L10, Φs))
"""
    net = il.compile(text)
    elements = {name: info.extents for name, info in net.tensors.items() if name.startswith("Φ")}
    total = 0
    for extents in elements.values():
        count = 1
        for n in extents:
            count *= int(str(n))
        total += count
    assert total == 62_378_344
    assert list(net.outputs) == ["s"]


def test_every_case_of_a_name_means_the_layer() -> None:
    for name in ("Conv", "CONV", "conv"):
        assert shown(f"R = {name}(L, width 1, features 2, bias 0)")


def test_only_called_layers_are_parsed() -> None:
    """A text that calls none costs nothing; every layer of the file parses by itself."""
    assert all(prelude_forms(name) for name in prelude_names())


@pytest.mark.parametrize("text", ["R = BatchNorm(L)", "R = Conv(L, width 3, groups 2, features 4)", "R = Attention(L)"])
def test_what_is_shown_compiles_to_the_same(text: str) -> None:
    first = str(il.compile(IMAGE + text))
    assert str(il.compile(first)) == first
