"""The graph as an ONNX model. The library `onnx` is an optional package: it is imported when a model is made."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from indexlang.export.equations import written
from indexlang.export.graph import TYPES
from indexlang.interop.disk import written_aside
from indexlang.interop.packages import optional
from indexlang.ir.equation import Program, Role, Tensor
from indexlang.text.diagnostics import data_error

OLDEST, USUAL = 18, 21  # versions of the operators
_MOST = 2**31 - 2**20  # bytes of a file of protobuf


def write_onnx(program: Program, values: Mapping[str, NDArray[Any]], path: Path, opset: int = USUAL) -> int:
    """Write a program's outputs as an ONNX file; its parameters and states have the values given. The number of nodes.

    opset    the version of ONNX's operators, 18 or later
    raises   ProgramError E1101 for what ONNX cannot say; DataError E0802 without the package, E0605, E0705
    """
    model = onnx_model(program, values, opset)
    size: int = model.ByteSize()
    if size > _MOST:
        raise data_error("E0705", path=path, reason=f"the model has {size} bytes, and ONNX files end at 2 GB")
    with written_aside(path) as aside:
        aside.write_bytes(model.SerializeToString())
    return len(model.graph.node)


def onnx_model(program: Program, values: Mapping[str, NDArray[Any]], opset: int = USUAL) -> Any:
    """The same as an object of `onnx`, checked by `onnx.checker` if it has less than 2 GB.

    Raises ProgramError E1101, DataError E0802 without the package, E0605 for an opset that it does not write.
    """
    checker, defs, helper, numpy_helper = map(_part, ("checker", "defs", "helper", "numpy_helper"))
    newest: int = defs.onnx_opset_version()
    if not OLDEST <= opset <= newest:
        raise data_error("E0605", kind="opset", name=opset, advice=f"this version of onnx writes {OLDEST} to {newest}")
    graph = written(program, values)
    nodes = [helper.make_node(n.op, list(n.inputs), [n.output], **dict(n.attributes)) for n in graph.nodes]
    used = {name for n in graph.nodes for name in n.inputs} | set(program.outputs)
    kept = [numpy_helper.from_array(a, name) for name, a in graph.constants.items() if name in used]
    inputs = [_described(helper, t) for t in program.with_role(Role.INPUT)]
    outputs = [_described(helper, program.tensor(name)) for name in program.outputs]
    made = helper.make_graph(nodes, "indexlang", inputs, outputs, initializer=kept)
    versions = [helper.make_opsetid("", opset)]
    model: Any = helper.make_model(made, opset_imports=versions, producer_name="indexlang")
    model.ir_version = helper.find_min_ir_version_for(versions)
    if model.ByteSize() < _MOST:
        checker.check_model(model)
    return model


def _part(name: str) -> Any:
    return optional(f"onnx.{name}", "exporting to ONNX", "onnx", "onnx")


def _described(helper: Any, t: Tensor) -> Any:
    extents = [int(n) if isinstance(n, int) else str(n) for n in t.extents]
    return helper.make_tensor_value_info(t.name, TYPES[t.dtype], extents)
