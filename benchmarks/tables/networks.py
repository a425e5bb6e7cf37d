"""Whole networks, inference: examples beside torch's definitions, ONNX Runtime and OpenVINO, with the same weights."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import indexlang as il
from benchmarks import alexnet, family, peers
from benchmarks.case import Setting, agree
from benchmarks.report import Row
from benchmarks.timing import interleaved

LECTURE, LECTURE_SIDE = "lecture AlexNet", 227
CASES = (
    (LECTURE, (1, 16)),
    ("vgg16", (1,)),
    ("resnet34", (1, 16)),
    ("resnet50", (1, 16)),
    ("densenet121", (1, 16)),
    ("mobilenet_v2", (1, 16)),
)


def rows(table: str, setting: Setting, wanted: Callable[[str], bool]) -> Iterator[Row]:
    torch = peers.torch_with(setting)
    if torch is None:
        return
    for name, batches in CASES:
        asked = [b for b in batches if wanted(f"{name}, batch {b}")]
        if asked:
            lecture = name == LECTURE
            net, twin = _lecture(torch, setting) if lecture else family.network(torch, name, setting.threads)
            side = LECTURE_SIDE if lecture else family.SIDE
            for batch in asked:
                yield _row(table, f"{name}, batch {batch}", (net, twin), (batch, side, side, 3), torch, setting)


def _row(
    table: str, case: str, nets: tuple[il.Program, Any], shape: tuple[int, ...], torch: Any, setting: Setting
) -> Row:
    net, twin = nets
    image = np.random.default_rng(0).standard_normal(shape, np.float32)
    found = net(image)
    runs: dict[str, Any] = {}
    for name, layout in peers.formats(torch).items():
        x = peers.tensor(torch, image, layout)
        runs[name] = partial(_quiet, torch, twin, x, layout)
    with TemporaryDirectory() as folder:
        runs |= _onnx(torch, twin, peers.tensor(torch, image, torch.contiguous_format), Path(folder), setting)
    for name, run in runs.items():
        agree(f"{case}, {name}", run(), found, 5e-3)
    times = interleaved({"indexlang": lambda: net(image), **runs}, setting.rounds, 6.0)
    flops = 2 * net.bound(B=shape[0]).summary().macs
    return Row(table, case, times.pop("indexlang"), times, flops=flops)


def _quiet(torch: Any, twin: Any, x: Any, layout: Any) -> Any:
    """A module's weights change their layout only when it differs: once, in the round that is not counted."""
    with torch.no_grad():
        return twin[layout](x).numpy()


def _onnx(torch: Any, twin: Any, x: Any, folder: Path, setting: Setting) -> dict[str, Any]:
    """ONNX Runtime and OpenVINO, both on the file that torch writes."""
    file = folder / "net.onnx"
    try:
        _export(torch, twin[torch.contiguous_format], x, file)
    except Exception as problem:
        setting.skipped["ONNX Runtime, OpenVINO"] = f"torch.onnx: {type(problem).__name__}"
        return {}
    return _onnxruntime(file, x.numpy(), setting) | peers.openvino_run(file, x.numpy(), setting)


def _onnxruntime(file: Path, x: Any, setting: Setting) -> dict[str, Any]:
    runtime = peers.module("onnxruntime", setting)
    if runtime is None:
        return {}
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = setting.threads, 3
    session = runtime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    given = {session.get_inputs()[0].name: x}
    return {"ONNX Runtime": lambda: session.run(None, given)[0]}


def _export(torch: Any, module: Any, x: Any, file: Path) -> None:
    import warnings

    with warnings.catch_warnings(action="ignore"), torch.no_grad():
        torch.onnx.export(module, (x,), str(file), dynamo=False)


def _lecture(torch: Any, setting: Setting) -> tuple[il.Program, Any]:
    """Our text of the lecture, and its twin."""
    net = il.load(alexnet.FILE, threads=setting.threads)

    class Twin(torch.nn.Module):
        def __init__(self, layout: Any) -> None:
            super().__init__()
            self.p = {n: p.detach() for n, p in alexnet.parameters(torch, net, layout).items()}

        def forward(self, x: Any) -> Any:
            return alexnet.scores(torch, self.p, x)

    return net, {layout: Twin(layout) for layout in peers.formats(torch).values()}
