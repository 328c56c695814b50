"""A TensorRT that builds nothing and writes down what it is told.

Its surface is that of real bindings (tests/golden/bindings): what they lack raises AttributeError,
and a property they do not let one set cannot be set. The integers of its enums are made up, so
that nothing can rest on them.

Run as `python -m tests.helpers.trt_double ORDER.json`, since a process can use but one TensorRT.
"""

# ruff: noqa: N802  # what answers for a class's method is called after both

from __future__ import annotations

import enum
import json
import re
import sys
import types
from pathlib import Path

from tests.helpers.trt_answers import find_answer, inner_tensor
from tests.helpers.trt_running import Running


class Double:
    """The module, what it was told, and how it shall behave."""

    def __init__(self, surface, order):
        self.surface = surface
        self.order = order
        self.told = []
        self.module = types.ModuleType("double")
        self.module.__version__ = order.get("version", surface["version"])
        for name, members in surface["enums"].items():
            numbers = {member: 7 * index + 3 for index, member in enumerate(members)}
            setattr(self.module, name, enum.IntEnum(name, numbers))
        for name, attributes in surface["classes"].items():
            setattr(self.module, name, self._class(name, attributes))
        for name in ("ILogger", "Logger"):
            for level, word in enumerate(["INTERNAL_ERROR", "ERROR", "WARNING", "INFO", "VERBOSE"]):
                setattr(getattr(self.module, name), word, level)
        self.module.init_libnvinfer_plugins = lambda *_: True
        for word, name in (("float32", "FLOAT"), ("float16", "HALF"), ("int32", "INT32")):
            setattr(self.module, word, self.module.DataType[name])
        self.module.int8 = self.module.DataType.INT8
        self.module.created = []

    def _class(self, name, attributes):
        init = self._init
        made = {
            "__init__": lambda this, *_, **__: init(this),
            "__setattr__": _strict(name, attributes),
            "surface_name": name,
        }
        for attribute, what in attributes.items():
            if what in ("property", "read only"):
                made[attribute] = self._property(name, attribute, settable=what == "property")
            elif isinstance(what, list):
                made[attribute] = self._method(name, attribute)
        if name == "IConstantLayer":
            made["state"] = {}
        if name == "INetworkDefinition":
            made["__iter__"] = lambda network: iter(network.state["layers"])
        return type(name, (), made)

    def _init(self, this):
        object.__setattr__(this, "state", {})
        if this.surface_name == "ILogger":
            self.module.created.append(this)

    def _property(self, name, attribute, *, settable):
        def get(this):
            found = getattr(Behaviour, f"{name}_{attribute}", None)
            return found(self, this) if found else this.state.get(attribute)

        def put(this, value):
            if name != "ILogger":
                self.told.append(f"{_who(this)}.{attribute} = {_word(value)}")
            this.state[attribute] = value

        return property(get, put if settable else None)

    def _method(self, name, method):
        def call(this, *arguments, **named):
            words = [_word(value) for value in arguments]
            words += [f"{key}={_word(value)}" for key, value in named.items()]
            if not method.startswith(("get_", "log")):
                self.told.append(f"{_who(this)}.{method}({', '.join(words)})")
            found = getattr(Behaviour, f"{name}_{method}", None)
            return found(self, this, *arguments, **named) if found else None

        return call

    def answer(self, question):
        """Return what a real one answered, or what is believed."""
        return find_answer(self.order["target"]["kind"], question).value

    def make(self, kind, /, **state):
        made = getattr(self.module, kind)()
        made.state.update(state)
        return made


def _strict(name, attributes):
    def put(this, attribute, value):
        own = type(this).__name__ != name or attribute == "__class__"
        if attribute not in attributes and not own:
            raise AttributeError(f"{name} has no attribute {attribute}")
        object.__setattr__(this, attribute, value)

    return put


def _who(this):
    return this.state.get("name") or this.surface_name


def _word(value):
    if isinstance(value, enum.IntEnum):
        return value.name
    if isinstance(value, bytes | memoryview):
        return f"{len(value)} bytes"
    return getattr(value, "surface_name", None) or repr(value)


class Behaviour(Running):
    """What methods and properties answer, as `Class_method`; all others answer None."""

    def Builder_create_network(self, _builder, flags=0):
        return self.make("INetworkDefinition", flags=flags, layers=[])

    def Builder_create_builder_config(self, _builder):
        return self.make("IBuilderConfig", DLA_core=-1, flags_set={"TF32"})

    def Builder_create_optimization_profile(self, _builder):
        return self.make("IOptimizationProfile", shapes={})

    def Builder_num_DLA_cores(self, _builder):
        return self.order.get("dla_cores", 0)

    def Builder_build_serialized_network(self, _builder, network, config):
        monitor = config.state.get("progress_monitor")  # a printed program has none
        if monitor is not None:
            monitor.phase_start("build", None, 2)
            monitor.step_complete("build", 0)
        calibrator = config.state.get("int8_calibrator")
        if calibrator is not None:
            Behaviour.calibrate(self, network, calibrator)
        logger = self.module.created[-1] if self.order.get("says") else None
        for severity, text in self.order.get("says", ()):
            logger.log(getattr(self.module.ILogger, severity), text)
        if monitor is not None:
            monitor.phase_finish("build")
        return None if self.order.get("fails") else self.answer("plan")

    def calibrate(self, network, calibrator):
        """Take batches as TensorRT does, which hides what a callback raises."""
        cache = calibrator.read_calibration_cache()
        if cache:
            self.told.append(f"cache: {bytes(cache).decode()}")
            return
        names = [tensor.name for tensor in network.state["inputs"]]
        limit = self.order.get("batches_taken", 1000)
        taken = 0
        try:
            while taken < limit and calibrator.get_batch(names):
                taken += 1
        except Exception as failure:  # noqa: BLE001  # as TensorRT does
            self.told.append(f"hidden: {failure}")
        self.told.append(f"batches: {taken}")
        calibrator.write_calibration_cache(memoryview(self.order["cache"].encode()))

    def IOptimizationProfile_set_shape(self, profile, name, low, best, high):
        profile.state["shapes"][name] = (low, best, high)

    def IOptimizationProfile_get_shape(self, profile, name):
        return profile.state["shapes"][name]

    def IBuilderConfig_set_flag(self, config, flag):
        config.state["flags_set"].add(flag.name)

    def IBuilderConfig_clear_flag(self, config, flag):
        config.state["flags_set"].discard(flag.name)

    def IBuilderConfig_get_flag(self, config, flag):
        return flag.name in config.state["flags_set"]

    def IBuilderConfig_get_memory_pool_limit(self, _config, pool):
        return self.order.get("memory", 0) if pool.name == "WORKSPACE" else 0

    def IBuilderConfig_get_tactic_sources(self, _config):
        return 0

    def IBuilderConfig_get_preview_feature(self, _config, _feature):
        return False

    def IBuilderConfig_get_quantization_flag(self, _config, _flag):
        return False

    def IBuilderConfig_num_optimization_profiles(self, _config):
        return 1

    def IBuilderConfig_set_calibration_profile(self, config, profile):
        config.state["calibration_profile"] = profile
        return True

    def IBuilderConfig_get_calibration_profile(self, config):
        return config.state["calibration_profile"]

    def IBuilderConfig_create_timing_cache(self, _config, data):
        return self.make("ITimingCache", data=bytes(data))

    def IBuilderConfig_set_timing_cache(self, config, cache, ignore_mismatch):
        config.state["cache"] = cache
        return cache.state["data"] != b"foreign"

    def IBuilderConfig_get_timing_cache(self, config):
        return config.state["cache"]

    def ITimingCache_serialize(self, cache):
        return cache.state["data"] + self.order.get("timed", "").encode()

    def INetworkDefinition_num_inputs(self, network):
        return len(network.state["inputs"])

    def INetworkDefinition_num_outputs(self, network):
        return len(network.state["outputs"])

    def INetworkDefinition_num_layers(self, network):
        return len(network.state["layers"])

    def INetworkDefinition_get_input(self, network, index):
        return network.state["inputs"][index]

    def INetworkDefinition_get_output(self, network, index):
        return network.state["outputs"][index]

    def INetworkDefinition_get_layer(self, network, index):
        return network.state["layers"][index]

    def INetworkDefinition_get_flag(self, network, flag):
        return bool(network.state["flags"] & 1 << int(flag))

    def ILayer_num_inputs(self, layer):
        return len(layer.state["inputs"])

    def ILayer_num_outputs(self, layer):
        return len(layer.state["outputs"])

    def ILayer_get_input(self, layer, index):
        return layer.state["inputs"][index]

    def ILayer_get_output(self, layer, index):
        return layer.state["outputs"][index]

    def OnnxParser_num_errors(self, parser):
        return len(self.order.get("errors", []))

    def OnnxParser_get_error(self, parser, index):
        return self.order["errors"][index]

    def OnnxParser_parse_from_file(self, parser, path):
        parse(self, Path(path))
        return True

    def ICudaEngine_create_engine_inspector(self, _engine):
        return self.make("EngineInspector")

    def EngineInspector_get_engine_information(self, _inspector, form):
        assert "JSON" == form.name
        told = self.order.get("inspector")
        return json.dumps(self.answer("inspector") if told is None else told)


KINDS = {
    "Conv": "CONVOLUTION",
    "Constant": "CONSTANT",
    "QuantizeLinear": "QUANTIZE",
    "DequantizeLinear": "DEQUANTIZE",
    "Reshape": "SHUFFLE",
    "Transpose": "SHUFFLE",
    "Relu": "ACTIVATION",
}


def parse(double, path):
    """Make a network of an ONNX model; a Gemm becomes two layers, as the parser makes of it."""
    import onnx

    model = onnx.shape_inference.infer_shapes(onnx.load(path))
    network = double.network
    trt, graph = double.module, model.graph
    known = [*graph.input, *graph.value_info, *graph.output]
    values = {value.name: value.type.tensor_type for value in known}
    words = {1: "FLOAT", 3: "INT8", 6: "INT32", 7: "INT64", 9: "BOOL", 10: "HALF"}

    def tensor(name):
        kind = values.get(name)
        dims = [] if kind is None else kind.shape.dim
        shape = [dim.dim_value if dim.HasField("dim_value") else -1 for dim in dims]
        dtype = trt.DataType[words[kind.elem_type if kind else 1]]
        return double.make("ITensor", name=name, dtype=dtype, shape=shape, is_shape_tensor=False)

    stored = {each.name for each in graph.initializer}
    tensors = {each.name: tensor(each.name) for each in graph.input}
    network.state["inputs"] = list(tensors.values())
    for node in graph.node:
        tensors |= {name: tensor(name) for name in node.output}
        reads = [tensors[name] for name in node.input if name and name not in stored]
        made = [tensors[name] for name in node.output]
        label = f"[ONNX Layer: {node.name}]"
        if node.op_type == "Gemm":
            inner = double.make(
                "ITensor",
                name=_inner(
                    double.order["target"]["kind"], node.name, len(network.state["layers"])
                ),
                dtype=trt.DataType.FLOAT,
                shape=[],
                is_shape_tensor=False,
            )
            _layer(double, node.name, "MATRIX_MULTIPLY", reads, [inner], label)
            reads = [inner]
        kind = KINDS.get(node.op_type, "ELEMENTWISE")
        _layer(double, node.name, kind, reads, made, label)
    network.state["outputs"] = [tensors[each.name] for each in graph.output]


def _inner(kind, node, index):
    """Return the name of a Gemm's product, as the parser makes it of the node or the index."""
    name = inner_tensor(kind).replace("fc", node)
    return re.sub(r"\(Unnamed Layer\* \d+\)", f"(Unnamed Layer* {index})", name)


def _layer(double, name, kind, reads, makes, metadata):
    layer = double.make("ILayer", name=name, type=double.module.LayerType[kind])
    layer.state.update(inputs=reads, outputs=makes, metadata=metadata)
    double.network.state["layers"].append(layer)


def _remember_network(double):
    make = Behaviour.Builder_create_network

    def remembered(self, builder, flags=0):
        double.network = make(self, builder, flags)
        return double.network

    Behaviour.Builder_create_network = remembered


def no_gpu(_logger):
    """Fail as pybind11 does where TensorRT cannot make the object."""
    raise TypeError("pybind11::init(): factory function returned nullptr")


def run_program(order):
    """Run a printed program with its arguments."""
    program, *sys.argv = order["program"]
    exec(compile(Path(program).read_text(), program, "exec"), {"__name__": "__main__"})  # noqa: S102
    return {}


def run_step(order):
    """Carry out a step as a worker does; return its report."""
    from trtbuild.run.executor import Call
    from trtbuild.run.worker import run_call

    return run_call(Call.model_validate_json(json.dumps(order["step"])), lambda _: None, threads=1)


def main(path):
    """Carry out an order: build or calibrate, and print what the double was told."""
    import numpy as np

    from trtbuild.backends.base import BuildOrder, ImplicitQuantization
    from trtbuild.backends.tensorrt.native_calibration import (
        CountedBatches,
        calibrate_with_tensorrt,
    )
    from trtbuild.backends.tensorrt10 import Tensorrt10
    from trtbuild.backends.tensorrt11 import Tensorrt11
    from trtbuild.core.errors import TrtbuildError
    from trtbuild.core.records import RequestedLayer
    from trtbuild.core.values import Ranges

    order = json.loads(Path(path).read_text())
    kind = order["target"]["kind"]
    surface = order.get("borrowed", order["surface"])
    double = Double(json.loads(Path(surface).read_text()), order)
    _remember_network(double)
    sys.modules["tensorrt"] = double.module
    sys.modules["torch"] = None  # Polygraphy would import it to ask whether arrays are its own
    if order.get("no_gpu"):
        for name in ("Builder", "Runtime"):
            setattr(double.module, name, no_gpu)
    if "program" in order or "step" in order:
        told = {"report": run_step(order)} if "step" in order else run_program(order)
        Path(order["result"]).write_text(json.dumps({**told, "told": double.told}))
        return
    target = {"tensorrt10": Tensorrt10, "tensorrt11": Tensorrt11}[kind].model_validate_json(
        json.dumps(order["target"])
    )
    engine = Path(order["engine"])
    profiles = [
        {name: tuple(map(tuple, shapes)) for name, shapes in profile.items()}
        for profile in order.get("profiles", [])
    ]
    result = {}
    try:
        if "batches" in order:
            batches = (
                {name: np.zeros(shape, np.float32) for name, shape in batch.items()}
                for batch in order["batches"]
            )
            shapes = {name: best for name, (_, best, _) in profiles[0].items()}
            loader = CountedBatches(
                batches, promised=order["promised"], shapes=shapes, progress=lambda *_: None
            )
            import polygraphy.backend.trt.util as trt_util

            trt_util._get_array_on_gpu = lambda *_: 1  # the one thing that needs CUDA
            cache = calibrate_with_tensorrt(
                target,
                Path(order["model"]),
                engine,
                calibrator=order["calibrator"],
                profile=profiles[0],
                loader=loader,
            )
            result["cache"] = cache.decode()
        else:
            implicit = None
            if "ranges" in order:
                implicit = ImplicitQuantization(
                    ranges=Ranges.model_validate_json(json.dumps({"tensors": order["ranges"]})),
                    manual=tuple(order.get("manual", ())),
                    floats=tuple(order.get("floats", ())),
                    encode=lambda version, scales: f"{version} {scales}".encode(),
                )
            cache = order.get("timing_cache")
            built = target.build(
                BuildOrder(
                    Path(order["model"]),
                    engine,
                    profiles=profiles,
                    requested=[
                        RequestedLayer(name=name, op=op, precision=precision)
                        for name, op, precision in order.get("asked", [])
                    ],
                    plugins=tuple(map(Path, order.get("plugins", ()))),
                    timing_cache=None if cache is None else Path(cache),
                    timing_cache_pinned=order.get("pinned", False),
                    implicit=implicit,
                )
            )
            result["options"] = built.options
            result["notes"] = built.notes
            result["memory"] = built.memory and built.memory.model_dump()
            result["layers"] = [[x.name, x.asked, x.delivered, x.cause] for x in built.layers]
    except TrtbuildError as error:
        result["error"] = [type(error).__name__, error.message, error.hint]
    result["told"] = double.told
    Path(order["result"]).write_text(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1])
