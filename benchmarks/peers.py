"""Other libraries, each optional: what is absent is told once, and its column is left out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.timing import Run

if TYPE_CHECKING:
    from benchmarks.case import Setting

Array = np.ndarray[Any, Any]
PACKAGES = ("numpy", "numba", "llvmlite", "torch", "torchvision", "onnxruntime", "openvino", "jax", "opt_einsum")


@dataclass(frozen=True)
class Peer:
    """A run of another library; `value` lays its result out as ours."""

    run: Run
    value: Callable[[Any], Array] = np.asarray


def versions() -> dict[str, str]:
    """Of every package that takes part."""
    found: dict[str, str] = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def module(name: str, setting: "Setting") -> Any:
    """A package, or None with a word in `skipped`."""
    try:
        return import_module(name)
    except ImportError:
        setting.skipped[name] = "not installed"
        return None


def torch_with(setting: "Setting") -> Any:
    """PyTorch with as many threads as ours, or None."""
    torch = module("torch", setting)
    if torch is not None:
        torch.set_num_threads(setting.threads)
    return torch


def formats(torch: Any) -> dict[str, Any]:
    return {"torch": torch.contiguous_format, "torch channels-last": torch.channels_last}


def runs(
    kinds: Mapping[str, Callable[..., Any]], arrays: Mapping[str, Array], planes: tuple[str, ...], setting: "Setting"
) -> dict[str, Peer]:
    """The peers of a case that are installed, ready to run on its arrays."""
    made: dict[str, Peer] = {}
    for kind, call in kinds.items():
        made |= _KINDS[kind](call, arrays, planes, setting)
    return made


def _numpy(call: Callable[..., Any], arrays: Mapping[str, Array], planes: Any, setting: Any) -> dict[str, Peer]:
    return {"numpy": Peer(partial(call, *arrays.values()))}


def _numba(call: Callable[..., Any], arrays: Mapping[str, Array], planes: Any, setting: "Setting") -> dict[str, Peer]:
    import numba

    numba.set_num_threads(min(setting.threads, numba.config.NUMBA_NUM_THREADS))
    return {"numba loop": Peer(partial(call, *arrays.values()))}


def _torch(
    call: Callable[..., Any], arrays: Mapping[str, Array], planes: tuple[str, ...], setting: "Setting"
) -> dict[str, Peer]:
    torch = torch_with(setting)
    if torch is None:
        return {}
    made: dict[str, Peer] = {}
    for name, layout in formats(torch).items() if planes else {"torch": None}.items():
        given = [tensor(torch, a, layout if n in planes else None) for n, a in arrays.items()]
        made[name] = Peer(partial(_quiet, torch, call, given), partial(laid_as_ours, planes=bool(planes)))
    return made


def _quiet(torch: Any, call: Callable[..., Any], given: list[Any]) -> Any:
    with torch.no_grad():
        return call(*given)


def _compiled(
    call: Callable[..., Any], arrays: Mapping[str, Array], planes: tuple[str, ...], setting: "Setting"
) -> dict[str, Peer]:
    torch = torch_with(setting)
    if torch is None:
        return {}
    given = [tensor(torch, a, None) for a in arrays.values()]
    made = torch.compile(call)
    try:
        _quiet(torch, made, given)
    except Exception as problem:
        setting.skipped["torch.compile"] = f"{type(problem).__name__} ({str(problem).splitlines()[0][:80]})"
        return {}
    return {"torch.compile": Peer(partial(_quiet, torch, made, given), partial(laid_as_ours, planes=False))}


def _jax(call: Callable[..., Any], arrays: Mapping[str, Array], planes: Any, setting: "Setting") -> dict[str, Peer]:
    """A function written for numpy, with jax.numpy in its place, by jit. XLA takes the threads that the process may use."""
    jax = module("jax", setting)
    if jax is None:
        return {}
    given = [jax.numpy.asarray(a) for a in arrays.values()]
    made = jax.jit(_for_jax(jax, call))

    def run() -> Any:
        return made(*given).block_until_ready()

    try:
        run()
    except Exception as problem:  # it writes in place, or asks for values while it is traced
        name = getattr(call, "__name__", "a function")
        setting.skipped[f"jax, {name}"] = f"{type(problem).__name__} ({str(problem).splitlines()[0][:80]})"
        return {}
    return {"JAX jit": Peer(run)}


def _for_jax(jax: Any, call: Callable[..., Any]) -> Callable[..., Any]:
    if isinstance(call, partial):
        return partial(_for_jax(jax, call.func), *call.args, **call.keywords)
    if not isinstance(call, FunctionType):
        return call
    names = {name: jax.numpy if value is np else value for name, value in call.__globals__.items()}
    made = FunctionType(call.__code__, names, call.__name__, call.__defaults__, call.__closure__)
    made.__kwdefaults__ = call.__kwdefaults__
    return made


def openvino_run(file: Path, given: Array, setting: "Setting") -> dict[str, Run]:
    """A network in an ONNX file by OpenVINO, in float32 as all others, on one array."""
    openvino = module("openvino", setting)
    if openvino is None:
        return {}
    wanted = {
        "INFERENCE_NUM_THREADS": setting.threads,
        "INFERENCE_PRECISION_HINT": "f32",
        "PERFORMANCE_HINT": "LATENCY",
    }
    try:
        compiled = openvino.Core().compile_model(str(file), "CPU", wanted)
    except Exception as problem:
        setting.skipped["openvino"] = f"{type(problem).__name__} ({str(problem).splitlines()[0][:80]})"
        return {}
    request = compiled.create_infer_request()
    return {"OpenVINO": lambda: request.infer([given], share_inputs=True, share_outputs=True)[compiled.output(0)]}


def tensor(torch: Any, array: Array, layout: Any) -> Any:
    """An array of ours as torch would hold it: with a memory format, channels go second."""
    found = torch.from_numpy(array)
    return found if layout is None else found.movedim(-1, 1).contiguous(memory_format=layout)


def laid_as_ours(found: Any, planes: bool) -> Array:
    if isinstance(found, np.ndarray):  # of a peer that works on arrays
        return found
    found = found.detach()
    return (found.movedim(1, -1) if planes and found.ndim == 4 else found).numpy()


_KINDS = {"numpy": _numpy, "numba": _numba, "torch": _torch, "compile": _compiled, "jax": _jax}
