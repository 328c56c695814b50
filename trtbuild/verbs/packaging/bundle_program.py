"""Run this bundle: python run.py INPUTS [OUTPUTS.npz] [--onnx].

INPUTS is a .npz with an array for each input, or a .npy of the only one. The engine for the first
GPU runs, in the TensorRT that built it; without a GPU, or with --onnx, the model in ONNX Runtime.
"""

import ctypes
import hashlib
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np


def cuda(name: str, *arguments: Any) -> None:
    """Call the CUDA driver, which returns 0 where all is well."""
    driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    if code := getattr(driver, name)(*arguments):
        raise OSError(f"{name} failed with code {code}")


def choose_engine(engines: list[Any]) -> tuple[Any, Any]:
    """Return the engine for the first GPU, and its TensorRT; neither where there is no GPU."""
    try:
        cuda("cuInit", 0)
    except OSError as error:
        print(f"note: no GPU: {error}", file=sys.stderr)
        return None, None
    context, gpu = ctypes.c_void_p(), (ctypes.c_int * 2)()
    cuda("cuDevicePrimaryCtxRetain", ctypes.byref(context), 0)
    cuda("cuCtxSetCurrent", context)
    for place, attribute in ((0, 75), (4, 76)):  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_*
        cuda("cuDeviceGetAttribute", ctypes.byref(gpu, place), attribute, 0)
    capability = f"{gpu[0]}.{gpu[1]}"
    why = ["error: no engine is for this machine; --onnx runs the model"]
    for engine in engines:
        module = "tensorrt_rtx" if engine["backend"] == "tensorrt_rtx" else "tensorrt"
        trt = importlib.import_module(module) if importlib.util.find_spec(module) else None
        here, known = trt.__version__ if trt else "none", engine["compute_capabilities"]
        suits = here == engine["tensorrt"] or engine["version_compatible"]
        if trt and suits and capability in known:
            return engine, trt
        needs = f"{module} {engine['tensorrt']}, here is {here}; compute capability"
        why.append(f"  {engine['file']} needs {needs} {', '.join(known)}, here is {capability}")
    raise SystemExit("\n".join(why))


def choose_profile(engine: Any, feed: dict[str, Any]) -> int:
    """Return the first profile of an engine that takes these arrays."""
    shapes = {name: array.shape for name, array in feed.items()}
    for profile in range(engine.num_optimization_profiles):
        spans = [(engine.get_tensor_profile_shape(name, profile), shapes[name]) for name in feed]
        if all(
            len(low) == len(shape) and all(a <= b <= c for a, b, c in zip(low, shape, high))  # noqa: B905
            for (low, _, high), shape in spans
        ):
            return profile
    raise SystemExit(f"error: no profile of the engine takes {shapes}")


def run_engine(trt: Any, path: Path, told: Any, feed: dict[str, Any]) -> dict[str, Any]:
    """Run an engine once, in memory that the GPU and the CPU share."""
    runtime = trt.Runtime(trt.Logger(trt.Logger.WARNING))  # lives as long as the engine
    runtime.engine_host_code_allowed = told["version_compatible"]  # which brings a runtime along
    engine = runtime.deserialize_cuda_engine(path.read_bytes())
    context = engine.create_execution_context() if engine is not None else None
    if context is None:
        raise SystemExit("error: TensorRT does not load the engine; its messages stand above")
    names = [engine.get_tensor_name(number) for number in range(engine.num_io_tensors)]
    arrays: dict[str, Any] = {}
    context.set_optimization_profile_async(choose_profile(engine, feed), 0)
    for name in sorted(names, key=lambda each: each not in feed):  # inputs decide outputs' shapes
        if name in feed:
            context.set_input_shape(name, feed[name].shape)
        shape, kind = context.get_tensor_shape(name), trt.nptype(engine.get_tensor_dtype(name))
        if min(shape, default=0) < 0:
            raise SystemExit(f"error: values decide the size of `{name}`: --onnx runs the model")
        array, place = np.zeros(tuple(shape), kind), ctypes.c_uint64()
        cuda("cuMemAllocManaged", ctypes.byref(place), ctypes.c_size_t(array.nbytes or 1), 1)
        memory = (ctypes.c_ubyte * (array.nbytes or 1)).from_address(place.value)
        arrays[name] = np.ndarray(array.shape, array.dtype, memoryview(memory))
        arrays[name][...] = feed.get(name, 0)
        context.set_tensor_address(name, place.value)
    if not context.execute_async_v3(0):
        raise SystemExit("error: TensorRT does not run the engine; its messages stand above")
    cuda("cuCtxSynchronize")
    return {name: arrays[name] for name in names if name not in feed}


def run_model(path: Path, feed: dict[str, Any]) -> dict[str, Any]:
    """Run the model in ONNX Runtime, with its Q/DQ pairs computed as they stand."""
    if not importlib.util.find_spec("onnxruntime"):
        raise SystemExit("error: onnxruntime, which runs the model, is not installed")
    ort = importlib.import_module("onnxruntime")
    options = ort.SessionOptions()
    options.log_severity_level = 4  # what it raises is told below
    # Its integer kernels saturate on processors without VNNI: they compute another model.
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    try:  # one optimizer of it drops Relus before FP8
        session = ort.InferenceSession(path, options, disabled_optimizers=["ReluQuantRewrite"])
        names = [each.name for each in session.get_outputs()]
        return dict(zip(names, session.run(names, feed), strict=True))
    except Exception as error:  # noqa: BLE001  # its own have no common base
        told = " ".join(str(error).split())
        raise SystemExit(f"error: ONNX Runtime does not run the model: {told}") from None


def demand_whole(bundle: Path, file: str, digest: str) -> None:
    """Demand that a file is what was packed."""
    try:
        found = f"sha256:{hashlib.sha256((bundle / file).read_bytes()).hexdigest()}"
    except OSError as error:
        raise SystemExit(f"error: {file}: {error.strerror}: copy the bundle again") from None
    if digest != found:
        raise SystemExit(f"error: {file} is not what was packed: copy the bundle again")


def read_inputs(file: str, inputs: list[Any]) -> dict[str, Any]:
    """Return the arrays of a file, in the types that the model takes."""
    try:
        given, feed = np.load(file), {}
        for each in inputs:
            array = given if isinstance(given, np.ndarray) else given[each["name"]]
            feed[each["name"]] = array.astype(each["dtype"], casting="same_kind")
    except Exception as error:  # noqa: BLE001  # whatever is wrong with the file
        raise SystemExit(f"error: {file} holds no inputs: {error}") from None
    return feed


def main(bundle: Path, arguments: list[str]) -> None:
    """Do what the command line says."""
    paths = [each for each in arguments if not each.startswith("-")]
    if len(paths) not in {1, 2} or {*arguments} - {"--onnx", *paths}:
        raise SystemExit(__doc__)
    if not all(each.endswith(".npz") for each in paths[1:]):
        raise SystemExit(f"error: {paths[1]}: outputs are written as .npz: let it end so")
    try:
        index = json.loads((bundle / "bundle.json").read_text("utf-8"))
        engines, model, inputs = index["engines"], index["model"], index["inputs"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SystemExit(f"error: bundle.json: {error}: copy the bundle again") from None
    feed = read_inputs(paths[0], inputs)
    engine, trt = (None, None) if "--onnx" in arguments else choose_engine(engines)
    ran = engine or model
    demand_whole(bundle, ran["file"], ran["digest"])
    if engine:
        outputs = run_engine(trt, bundle / ran["file"], engine, feed)
    else:
        if model["weights"]:
            demand_whole(bundle, model["weights"], model["weights_digest"])
        outputs = run_model(bundle / ran["file"], feed)
    for name, array in outputs.items():
        print(f"{name} {array.dtype} {list(array.shape)}\n{array}")
    try:
        for path in paths[1:]:
            np.savez(path, **outputs)
    except OSError as error:
        raise SystemExit(f"error: {paths[1]}: {error.strerror}") from None
    print(f"by {ran['file']}")


if __name__ == "__main__":
    main(Path(__file__).parent, sys.argv[1:])
