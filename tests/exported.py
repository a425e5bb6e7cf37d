"""Programs through ONNX: exported, run by onnxruntime, and compared with ourselves."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import indexlang as il

_NUMPY = {"f32": np.float32, "f64": np.float64, "int": np.int64, "i32": np.int32, "u8": np.uint8, "bool": np.bool_}

Arrays = Mapping[str, np.ndarray]


def run_onnx(net: il.Program, inputs: Arrays, folder: Path, opset: int = 21) -> dict[str, np.ndarray]:
    """What onnxruntime makes of a program; skips where it is not installed."""
    pytest.importorskip("onnx")
    ort = pytest.importorskip("onnxruntime")
    ort.set_default_logger_severity(3)
    path = folder / "net.onnx"
    net.export(path, opset)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    known = {i.name for i in session.get_inputs()}
    found = session.run(list(net.outputs), {n: a for n, a in inputs.items() if n in known})
    return dict(zip(net.outputs, found, strict=True))


def assert_same(net: il.Program, inputs: Arrays, folder: Path, loose: float = 1.0, opset: int = 21) -> None:
    """Both give the same: floats to 1e-5 of the largest value, ints and bools exactly."""
    given: dict[str, Any] = {n: np.asarray(a).astype(_NUMPY[net.inputs[n].dtype]) for n, a in inputs.items()}
    found = run_onnx(net, given, folder, opset)
    names = list(net.outputs)
    wanted: Any = net(want=names, **given)
    for name, got in found.items():
        want = np.asarray(wanted[name] if len(names) > 1 else wanted)
        assert got.dtype == want.dtype, name
        assert got.shape == want.shape, name
        largest = np.abs(want[np.isfinite(want)]).max(initial=0.0) if want.dtype.kind == "f" else 0.0
        rtol = 1e-5 * loose if want.dtype.kind == "f" else 0.0
        np.testing.assert_allclose(got, want, rtol=rtol, atol=rtol * float(largest), err_msg=name)
