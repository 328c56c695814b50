"""Run what lies in this bundle: python run.py [--onnx] INPUTS.npz [OUTPUTS.npz].

INPUTS.npz holds an array for each input. Needs NumPy, and the TensorRT that an engine was built
with, or ONNX Runtime: nothing of what made the bundle.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib
import json
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
MODULES = {"tensorrt_rtx": "tensorrt_rtx"}  # of all other backends it is `tensorrt`


class Device:
    """The first GPU, by the CUDA driver alone."""

    def __init__(self) -> None:
        """Take it.

        Raises:
            OSError: there is no driver.
        """
        self.cuda = ctypes.CDLL("libcuda.so.1")
        self.call("cuInit", 0)
        self.device, context = ctypes.c_int(), ctypes.c_void_p()
        self.call("cuDeviceGet", ctypes.byref(self.device), 0)
        self.call("cuDevicePrimaryCtxRetain", ctypes.byref(context), self.device)
        self.call("cuCtxSetCurrent", context)

    def call(self, name: str, *arguments: Any) -> None:
        """Call a function of the driver, which returns 0 where all is well."""
        if code := getattr(self.cuda, name)(*arguments):
            raise SystemExit(f"error: {name} failed with code {code}")

    def find_capability(self) -> str:
        """Return the compute capability: `8.9`."""
        numbers = []
        for attribute in (75, 76):  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, _MINOR
            value = ctypes.c_int()
            self.call("cuDeviceGetAttribute", ctypes.byref(value), attribute, self.device)
            numbers.append(str(value.value))
        return ".".join(numbers)

    def copy_in(self, size: int, data: Any = None) -> ctypes.c_uint64:
        """Return memory of so many bytes, with these data in it."""
        place = ctypes.c_uint64()
        self.call("cuMemAlloc_v2", ctypes.byref(place), ctypes.c_size_t(max(size, 1)))
        if data is not None and size:
            self.call("cuMemcpyHtoD_v2", place, data.ctypes.data_as(ctypes.c_void_p),
                      ctypes.c_size_t(size))  # fmt: skip
        return place

    def copy_out(self, place: ctypes.c_uint64, array: Any) -> None:
        """Fill an array from memory."""
        self.call("cuMemcpyDtoH_v2", array.ctypes.data_as(ctypes.c_void_p), place,
                  ctypes.c_size_t(array.nbytes))  # fmt: skip


def find_engine(index: Any, capability: str) -> tuple[Any, Any, list[str]]:
    """Return the engine for a device, its TensorRT, and why others are none."""
    why: list[str] = []
    for engine in index["engines"]:
        module = MODULES.get(engine["backend"], "tensorrt")
        if capability not in engine["compute_capabilities"]:
            known = ", ".join(engine["compute_capabilities"])
            why.append(
                f"{engine['file']} is for compute capability {known}, this GPU is {capability}"
            )
            continue
        try:
            trt = importlib.import_module(module)
        except ImportError:
            why.append(
                f"{engine['file']} needs {module} {engine['tensorrt']}, which is not installed"
            )
            continue
        if trt.__version__ != engine["tensorrt"]:
            why.append(
                f"{engine['file']} needs {module} {engine['tensorrt']}, not {trt.__version__}"
            )
            continue
        return engine, trt, why
    return None, None, why


def run_engine(device: Device, trt: Any, data: bytes, feed: Mapping[str, Any]) -> dict[str, Any]:
    """Run an engine once."""
    import numpy as np

    runtime = trt.Runtime(trt.Logger(trt.Logger.WARNING))
    engine = runtime.deserialize_cuda_engine(data)
    if engine is None:
        raise SystemExit("error: TensorRT does not load the engine; its messages stand above")
    context = engine.create_execution_context()
    outputs: dict[str, Any] = {}
    places: dict[str, ctypes.c_uint64] = {}
    names = [engine.get_tensor_name(number) for number in range(engine.num_io_tensors)]
    for name in names:
        if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT:
            array = np.ascontiguousarray(feed[name], trt.nptype(engine.get_tensor_dtype(name)))
            if not context.set_input_shape(name, array.shape):
                raise SystemExit(f"error: no profile of the engine takes `{name}` {array.shape}")
            places[name] = device.copy_in(array.nbytes, array)
    for name in names:
        if name not in places:
            kind = trt.nptype(engine.get_tensor_dtype(name))
            outputs[name] = np.empty(tuple(context.get_tensor_shape(name)), kind)
            places[name] = device.copy_in(outputs[name].nbytes)
        context.set_tensor_address(name, places[name].value)
    if not context.execute_async_v3(0):
        raise SystemExit("error: TensorRT does not run the engine; its messages stand above")
    device.call("cuCtxSynchronize")
    for name, array in outputs.items():
        device.copy_out(places[name], array)
    return outputs


def run_onnx(path: Path, feed: Mapping[str, Any]) -> dict[str, Any]:
    """Run the model in ONNX Runtime on the CPU."""
    import onnxruntime

    session = onnxruntime.InferenceSession(
        str(path),
        providers=["CPUExecutionProvider"],
        disabled_optimizers=["ReluQuantRewrite"],  # it drops a Relu in front of FP8
    )
    names = [each.name for each in session.get_outputs()]
    return dict(zip(names, session.run(names, feed), strict=True))


def main(arguments: Sequence[str]) -> None:
    """Do what the command line says."""
    import numpy as np

    onnx = "--onnx" in arguments
    paths = [each for each in arguments if not each.startswith("-")]
    if len(paths) not in {1, 2}:
        raise SystemExit(__doc__)
    index = json.loads((HERE / "bundle.json").read_text("utf-8"))
    try:
        with np.load(paths[0]) as arrays:
            feed = {each["name"]: arrays[each["name"]] for each in index["inputs"]}
    except KeyError as error:
        raise SystemExit(f"error: {paths[0]}: {error.args[0]}") from None
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise SystemExit(f"error: {paths[0]} is no .npz that can be read: {error}") from None
    if onnx:
        outputs, ran = run_onnx(HERE / index["model"]["file"], feed), index["model"]["file"]
    else:
        try:
            device = Device()
        except OSError:
            raise SystemExit(
                "error: there is no NVIDIA driver here; --onnx runs the model"
            ) from None
        engine, trt, why = find_engine(index, device.find_capability())
        if engine is None:
            told = "\n  ".join(why or ["the bundle has no engines"])
            raise SystemExit(
                f"error: no engine is for this machine; --onnx runs the model\n  {told}"
            )
        data = (HERE / engine["file"]).read_bytes()
        if f"sha256:{hashlib.sha256(data).hexdigest()}" != engine["digest"]:
            raise SystemExit(f"error: {engine['file']} is not what was packed: copy it again")
        outputs, ran = run_engine(device, trt, data, feed), engine["file"]
    for name, array in outputs.items():
        print(f"{name} {array.dtype} {list(array.shape)}")  # noqa: T201  # a program
    if len(paths) > 1:
        np.savez(paths[1], **outputs)
    print(f"by {ran}")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
