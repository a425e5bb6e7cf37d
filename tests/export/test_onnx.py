"""Export to ONNX: onnxruntime computes what we compute; what ONNX cannot say is refused at its equation."""

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import CASES
from commandline import indexlang
from exported import assert_same, run_onnx
from tables.case import Case

import indexlang as il
from indexlang.text.diagnostics import Diagnostic

EXAMPLES = Path(__file__).parents[2] / "examples"
# What onnxruntime does otherwise: its largest of NaN is another number, and it refuses places in a tensor of no elements.
OTHERWISE = ("NaN goes through max", "zeros around nothing")


def sizes_of(net: il.Program, inputs: dict[str, np.ndarray]) -> dict[str, int]:
    pairs = [(e, n) for name, info in net.inputs.items() for e, n in zip(info.extents, inputs[name].shape, strict=True)]
    return {e: n for e, n in pairs if isinstance(e, str) and e in net.size_names}


def told(net: il.Program, folder: Path) -> Diagnostic | None:
    """Why a program is refused, if it is."""
    try:
        net.export(folder / "first.onnx")
    except il.ProgramError as refused:
        return refused.diagnostics[0]
    return None


@pytest.mark.parametrize("row", [c for c in CASES if "million" not in c.name], ids=lambda c: c.name)
def test_a_case(row: Case, tmp_path: Path) -> None:
    """With named extents as names where ONNX can say it, else with their values."""
    pytest.importorskip("onnx")
    if row.name in OTHERWISE:
        pytest.skip("onnxruntime does otherwise")
    net, inputs = il.compile(row.text, dtype="f32"), row.draw()
    refused = told(net, tmp_path)
    if refused is not None:
        assert refused.code == "E1101"
        assert "-D" in refused.hint
        net = net.bound(**sizes_of(net, inputs))
    assert_same(net, inputs, tmp_path, loose=10)


def test_layers(tmp_path: Path) -> None:
    """Every layer of the prelude, with every option."""
    pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from prelude.test_twins import arguments, filled
    from prelude.twins import TWINS

    for row in TWINS:
        if not row.training:
            net = il.compile(row.program, dtype="f32")
            filled(net)
            assert_same(net, arguments(row), tmp_path, loose=10)


@pytest.mark.parametrize("name", ["05-fully-connected", "06-im2col", "07-dilation", "10-hypercolumns", "11-grouping",
                                  "16-inception", "22-spatial-batch-normalization", "24-residual", "28-densenet"])  # fmt: skip
def test_slides(name: str, tmp_path: Path) -> None:
    """Their results are rounding errors, or counts; what is compared is that they stay so small."""
    net = il.load(EXAMPLES / "lecture" / f"{name}.idx")
    for found in run_onnx(net, {}, tmp_path).values():
        assert found.dtype.kind == "i" or np.abs(found).max() < 1e-4


SMALL_ALEXNET = """
input X[B, 31, 31, 3]
param W1[5, 5, 3, 8]
param B1[8]
param W2[3, 3, 8, 12]
param W3[4, 4, 12, 10]
L1[b,x,y,j] = relu(sum W1[dx,dy,i,j]*X[b,2*x+dx,2*y+dy,i] - B1[j])
L2[b,x,y,i] = max[dx:3,dy:3] L1[b,2*x+dx,2*y+dy,i]
L3[b,x:6,y:6,j] = relu(sum W2[dx,dy,i,j]*L2[b,x+dx-1,y+dy-1,i else 0])
L4[b,x,y,i] = max[dx:3,dy:3] L3[b,x+dx,y+dy,i]
s[b,k] = sum W3[x,y,i,k]*L4[b,x,y,i]
p = Softmax(s)
output p
"""
LSTM = """
input X[B, T, 3]
param Wi[3, 4, 5]
param Wh[5, 4, 5]
H_0[b:B,j:5] = 0.0*(b+j)
C_0[b:B,j:5] = 0.0*(b+j)
for t in 1..4:
    Z_{t}[b,g,j] = (sum Wi[i,g,j]*X[b,t-1,i]) + (sum Wh[k,g,j]*H_{t-1}[b,k])
    C_{t}[b,j] = sigmoid(Z_{t}[b,0,j])*C_{t-1}[b,j] + sigmoid(Z_{t}[b,1,j])*tanh(Z_{t}[b,2,j])
    H_{t}[b,j] = sigmoid(Z_{t}[b,3,j])*tanh(C_{t}[b,j])
output H_4
"""
ATTENTION = """
input X[B, N, 8]
param WQ[8, 2, 4]
param WK[8, 2, 4]
param WV[8, 2, 4]
Q[b,h,n,d] = sum WQ[i,h,d]*X[b,n,i]
K[b,h,n,d] = sum WK[i,h,d]*X[b,n,i]
V[b,h,n,d] = sum WV[i,h,d]*X[b,n,i]
A[b,h,n,m] = (sum[d] Q[b,h,n,d]*K[b,h,m,d])/2 if m <= n else -inf
P[b,h,n,M] = Softmax(A[b,h,n,M])
Y[b,n,h,d] = sum[m] P[b,h,n,m]*V[b,h,m,d]
output Y
"""
LOSS = "input s[B, 7]\ninput label[B] : int\nloss = CrossEntropy(s, label)"
PAIRS = [("alexnet", SMALL_ALEXNET, {"B": 2}), ("lstm", LSTM.replace("T, 3", "4, 3"), {"B": 3}),
         ("attention", ATTENTION, {"B": 2, "N": 6})]  # fmt: skip


@pytest.mark.parametrize(("text", "sizes"), [pytest.param(t, s, id=n) for n, t, s in PAIRS])
def test_networks(text: str, sizes: dict[str, int], tmp_path: Path) -> None:
    net = il.compile(text)
    assert net.size_names, "the batch is a name in the ONNX file too"
    assert_same(net, net.bound(**sizes).example_inputs(1), tmp_path)


def test_cross_entropy_with_labels(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    inputs = {"s": rng.standard_normal((5, 7)), "label": rng.integers(0, 7, 5)}
    assert_same(il.compile(LOSS), inputs, tmp_path)


@pytest.mark.parametrize("opset", [18, 21])
@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_versions_and_types(opset: int, dtype: str, tmp_path: Path) -> None:
    net = il.compile(SMALL_ALEXNET, dtype=dtype)
    assert_same(net, net.bound(B=1).example_inputs(0), tmp_path, opset=opset)


# -- the shape of the graph


def model_of(net: il.Program, folder: Path) -> Any:
    onnx = pytest.importorskip("onnx")
    net.export(folder / "m.onnx")
    return onnx.load(str(folder / "m.onnx"))


def test_layers_become_operators_without_transpositions_between_them(tmp_path: Path) -> None:
    """Images turn once at the beginning; the weights of each layer once."""
    model = model_of(il.compile(SMALL_ALEXNET), tmp_path)
    count = Counter(n.op_type for n in model.graph.node)
    assert (count["Conv"], count["MaxPool"], count["MatMul"]) == (2, 2, 1)
    images = [n for n in model.graph.node if n.op_type == "Transpose" and not n.input[0].startswith("W")]
    assert [n.input[0] for n in images] == ["X"]
    assert {i.name for i in model.graph.initializer} >= {"W1", "B1", "W2", "W3"}
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "B"


@pytest.mark.parametrize(("text", "wanted"), [
    ("input X[B,8,4]\nY[b,x:8,j] = sum[dx:3] W[dx,j]*X[b,x+dx-1,j else 0]\nparam W[3,4]", "Conv"),
    ("input X[B,8,8,4]\nY = Conv(X, width 3, groups 2, features 6)", "Conv"),
    ("input X[B,8,8,4]\nY = AvgPool(X, width 2)", "AveragePool"),
    ("input X[B,8]\ninput Z[B,8]\nY = X ; Z", "Concat"),
    ("input X[B,8]\nY[b,x:9] = X[b,x-1 else 0]", "Pad"),
    ("input X[B,8]\nY[b,x] = X[b,2*x+1]", "Slice"),
    ("input X[B,8]\nY[b,x:16] = X[b,x//2]", "Gather"),
    ("input X[B,8]\nY[b] = max[x] X[b,x]", "ReduceMax"),
    ("input X[B,8]\nk[b] = argmax[x] X[b,x]", "ArgMax"),
    ("input X[B,8]\nY[b,x] = X[b,x] if x < 3 else 0", "Where"),
    ("input X[B,4,6]\nY[b,(x,y)] = X[b,x,y]", "Reshape"),
])  # fmt: skip
def test_what_an_equation_becomes(text: str, wanted: str, tmp_path: Path) -> None:
    assert wanted in {n.op_type for n in model_of(il.compile(text), tmp_path).graph.node}


# -- refusals


def code_of(net: il.Program, folder: Path, opset: int = 21) -> tuple[str, str]:
    pytest.importorskip("onnx")
    with pytest.raises(il.IndexlangError) as told:
        net.export(folder / "x.onnx", opset)
    assert not (folder / "x.onnx").exists()
    d = told.value.diagnostics[0]
    return d.code, d.message


@pytest.mark.parametrize(("text", "part"), [
    ("input X[B,3]\nN[B,3] ~ normal(0,1)\nY[b,i] = X[b,i] + N[b,i]", "random numbers"),
    ("input X[B,3]\nstate m[3] = 0\nm[i] <- 0.9*m[i]\nY[b,i] = X[b,i] - m[i]", "next value"),
    ("input k[B] : int\ntensor H[9]\nH[k[b]] += 1", "extents are not known"),
    ("input X[N,N]\ny[i] = X[i,i]", "two subscripts"),
    ("input X[N]\nY[(i,j:2)] = X[i]\nZ[(j:2,i)] = X[i]*j", "left side mixes"),
])  # fmt: skip
def test_what_cannot_be_said(text: str, part: str, tmp_path: Path) -> None:
    code, message = code_of(il.compile(text, training=True), tmp_path)
    assert code == "E1101"
    assert part in message


def test_versions_that_there_are_not(tmp_path: Path) -> None:
    net = il.compile("Y[i] = 2*X[i]")
    assert [code_of(net, tmp_path, n)[0] for n in (17, 9999)] == ["E0605", "E0605"]


def test_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx.checker", None)
    with pytest.raises(il.DataError) as told:
        il.compile("Y[i] = 2*X[i]").export(tmp_path / "x.onnx")
    assert told.value.diagnostics[0].code == "E0802"


def test_the_command(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    (tmp_path / "net.idx").write_text(SMALL_ALEXNET, encoding="utf-8")
    target = tmp_path / "net.onnx"
    ended = indexlang("export", str(tmp_path / "net.idx"), "-o", str(target), "-D", "B=2")
    assert ended.exit == 0, ended.err
    assert "parameters are random" in ended.err
    assert target.stat().st_size > 1000
    ended = indexlang("export", str(tmp_path / "net.idx"), "-o", str(tmp_path / "no" / "net.onnx"))
    assert ended.exit == 3
    assert "E0705" in ended.err


@pytest.mark.soak
def test_alexnet(tmp_path: Path) -> None:
    net = il.load(EXAMPLES / "alexnet.idx")
    assert_same(net, net.bound(B=2).example_inputs(1), tmp_path)
