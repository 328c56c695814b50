"""Ask a real TensorRT what the doubles only believe, and write its answers into a folder.

Run as `python -m tests.helpers.trt_recorder KIND FOLDER`, since a process can use but one TensorRT.
An answer is a file, `NAME.json` or `NAME.bin`; a question that ends in an error leaves the error.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import onnx
from pydantic import TypeAdapter

from tests.helpers.qdq import layer, relu_gemm
from trtbuild.backends import Target
from trtbuild.backends.base import BuildOrder, ImplicitQuantization
from trtbuild.backends.tensorrt.engine import describe_engine, open_engine
from trtbuild.backends.tensorrt.flavour import RTX, TRT10, TRT11, load_tensorrt
from trtbuild.backends.tensorrt.inspector import read_back
from trtbuild.backends.tensorrt.native_calibration import CountedBatches, calibrate_with_tensorrt
from trtbuild.backends.tensorrt.plan_header import HEADER_BYTES
from trtbuild.backends.tensorrt.shared import BuildLog
from trtbuild.core.errors import TrtbuildError
from trtbuild.core.records import RequestedLayer
from trtbuild.core.values import Ranges
from trtbuild.machine.facts import list_gpus

FLAVOURS = {"tensorrt10": TRT10, "tensorrt11": TRT11, "tensorrt_rtx": RTX}
FULL = ("tensorrt10", "tensorrt11")
RANGES = {
    name: {"low": -limit, "high": limit, "origin": "calibrated"}
    for name, limit in {"x": 2.0, "a": 1.0, "y": 4.0}.items()
}


class Recorder:
    """One TensorRT, and the folder of its answers."""

    def __init__(self, kind, folder):
        self.kind, self.flavour = kind, FLAVOURS[kind]
        self.folder, self.work = Path(folder), Path(folder) / "work"
        self.work.mkdir(parents=True, exist_ok=True)
        self.trt = load_tensorrt(self.flavour)

    def target(self, **options):
        """Return the target of this TensorRT; TensorRT-RTX's is for the GPU that is here."""
        if self.kind == "tensorrt_rtx":
            options["compute_capabilities"] = [
                float(gpu.compute_capability) for gpu in list_gpus()[:1]
            ] or [8.9]
        text = json.dumps({"kind": self.kind, **options})
        return TypeAdapter(Target).validate_json(text)

    def save(self, model, name="model"):
        """Write a model down; returns its path."""
        path = self.work / f"{name}.onnx"
        path.write_bytes(model.SerializeToString())
        return path

    def build(self, model, *, name="model", options=None, asked=(), **order):
        """Build an engine as a target does; returns its path and what was delivered."""
        engine = self.work / f"{name}.engine"
        path = self.save(model, name)
        order = BuildOrder(path, engine, requested=asked, **order)
        return engine, self.target(**(options or {})).build(order)

    def write(self, name, answer):
        """Write an answer down."""
        if isinstance(answer, bytes):
            (self.folder / f"{name}.bin").write_bytes(answer)
        else:
            text = json.dumps(answer, indent=1, sort_keys=True)
            (self.folder / f"{name}.json").write_text(text + "\n")


def about(asked):
    """Which TensorRT, and which GPU."""
    gpus = [f"{gpu.name} ({gpu.compute_capability})" for gpu in list_gpus()]
    return {"kind": asked.kind, "version": asked.trt.__version__, "gpu": (gpus or [""])[0]}


def network(asked):
    """What the parser makes of a model: names of layers and tensors, types, metadata."""
    from polygraphy.backend.trt import NetworkFromOnnxPath

    _, found, *_ = NetworkFromOnnxPath(str(asked.save(relu_gemm())))()
    return {
        "inputs": [found.get_input(i).name for i in range(found.num_inputs)],
        "outputs": [found.get_output(i).name for i in range(found.num_outputs)],
        "layers": [_layer(found.get_layer(i)) for i in range(found.num_layers)],
    }


def _layer(each):
    reads = [each.get_input(index) for index in range(each.num_inputs)]
    makes = [each.get_output(index) for index in range(each.num_outputs)]
    return {
        "name": each.name,
        "type": each.type.name,
        "metadata": each.metadata,
        "inputs": [tensor.name for tensor in reads if tensor is not None],
        "outputs": [tensor.name for tensor in makes],
    }


def plan(asked):
    """How an engine's file begins."""
    return asked.build(layer())[0].read_bytes()[:HEADER_BYTES]


def inspector(asked):
    """What an engine says of its layers."""
    engine, _ = asked.build(layer())
    return json.loads(read_back(asked.trt, engine, ())[0])


def description(asked):
    """What an engine says of its inputs, outputs and profiles once it is loaded."""
    engine, _ = asked.build(layer())
    return json.loads(describe_engine(asked.kind, engine).model_dump_json())


def run(asked):
    """What an engine computes, and what ONNX Runtime does from the same model."""
    from trtbuild.model.session import open_session

    engine, _ = asked.build(layer())
    feed = {"x": np.random.default_rng(1).normal(size=(1, 8, 8, 8)).astype(np.float32)}
    with open_engine(asked.kind, engine) as opened:
        outputs, profile = opened.run(feed)
        version = opened.version
    expected = open_session(asked.work / "model.onnx", threads=1, mapped=False).run(feed)
    return {
        "runner": version,
        "profile": profile,
        "engine": outputs["y"].ravel()[:64].tolist(),
        "model": expected["y"].ravel()[:64].tolist(),
    }


def timing(asked):
    """The timing cache that a build leaves."""
    engine, _ = asked.build(layer())
    return engine.with_name("timing.cache").read_bytes()


def frozen(asked):
    """Whether a build from a timing cache alone chooses the same kernels."""
    engine, first = asked.build(layer())
    cache = asked.work / "kept.cache"
    cache.write_bytes(engine.with_name("timing.cache").read_bytes())
    options = {"timing_cache": str(cache), "frozen": True}
    again = {"timing_cache": cache, "timing_cache_pinned": True}
    _, second = asked.build(layer(), name="again", options=options, **again)
    return {"first": first.tactics, "second": second.tactics}


def refusals(asked):
    """What it says of models, engines and timing caches that it does not take."""
    zero, unknown = layer(), layer()
    for each in zero.graph.initializer:
        if each.name == "x_zero":
            each.CopyFrom(onnx.numpy_helper.from_array(np.array(3, np.int8), "x_zero"))
    unknown.graph.node[-1].op_type = "Fancy"
    cases = {
        "a zero point": lambda: asked.build(zero),
        "a negative scale": lambda: asked.build(layer(x_scale=np.float32(-1))),
        "an unknown operator": lambda: asked.build(unknown),
    }
    if list_gpus():
        cases["another version's engine"] = lambda: _load_changed(asked)
    if asked.kind in FULL:
        cases["a foreign timing cache"] = lambda: _build_from_noise(asked)
    return {name: _refusal(case) for name, case in cases.items()}


def _load_changed(asked):
    engine, _ = asked.build(layer())
    data = bytearray(engine.read_bytes())
    data[24:28] = bytes([1, 2, 3, 4])  # the version
    (asked.work / "changed.engine").write_bytes(data)
    describe_engine(asked.kind, asked.work / "changed.engine")


def _build_from_noise(asked):
    cache = asked.work / "noise.cache"
    cache.write_bytes(b"noise" * 50)
    options = {"timing_cache": str(cache)}
    asked.build(layer(), options=options, timing_cache=cache, timing_cache_pinned=True)


def _refusal(case):
    log = BuildLog()
    logger = logging.getLogger("Polygraphy")
    logger.addHandler(log)
    try:
        case()
    except TrtbuildError as error:
        told = {"error": error.message, "hint": error.hint}
    else:
        told = {"error": "", "hint": ""}
    finally:
        logger.removeHandler(log)
    return {**told, "said": log.errors, "warned": log.warnings}


def implicit(asked):
    """What ranges on tensors do, and what it says where one has none."""
    ranged = [RequestedLayer(name="fc", op="Gemm", precision="int8")]
    answers = {}
    for name, tensors in (("all", RANGES), ("one missing", {"x": RANGES["x"]})):
        ranges = Ranges.model_validate_json(json.dumps({"tensors": tensors}))
        order = {"implicit": ImplicitQuantization(ranges=ranges), "asked": ranged}
        engine, built = asked.build(relu_gemm(), **order)
        answers[name] = {
            "inspector": json.loads(read_back(asked.trt, engine, ())[0]),
            "delivered": [each.delivered for each in built.layers],
            "notes": list(built.notes),
        }
    return answers


def calibration(asked):
    """The cache of TensorRT's own calibrator."""
    shape = (2, 4)
    batches = [{"x": np.full(shape, value, np.float32)} for value in (-1, 2)]
    loader = CountedBatches(batches, promised=2, shapes={"x": shape}, progress=lambda *_: None)
    return calibrate_with_tensorrt(
        asked.target(),
        asked.save(relu_gemm()),
        asked.work / "calibration.engine",
        calibrator="entropy2",
        profile={"x": (shape,) * 3},
        loader=loader,
    )


QUESTIONS = {
    about: FLAVOURS,
    network: FLAVOURS,
    plan: FLAVOURS,
    refusals: FLAVOURS,
    inspector: FULL,
    timing: FULL,
    frozen: FULL,
    implicit: ("tensorrt10",),
    calibration: ("tensorrt10",),
    description: FLAVOURS,
    run: FLAVOURS,
}
"""Each question, and the kinds that it is for."""


def list_questions(kind):
    """Name what is asked of a kind."""
    return [question.__name__ for question, kinds in QUESTIONS.items() if kind in kinds]


def keep(answers, recorded):
    """Copy the answers of a run to where the doubles read them; returns the folder.

    It is named after what answered: `tensorrt10-10.16.1.11-nvidia-l4-8.9`. A question that failed
    leaves nothing there.
    """
    said = json.loads((answers / "about.json").read_text())
    gpu = re.sub(r"[^a-z0-9.]+", "-", said["gpu"].lower()).strip("-") or "no-gpu"
    folder = recorded / f"{said['kind']}-{said['version']}-{gpu}"
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(answers.glob("*.*")):
        if path.suffix == ".bin" or "failed" not in json.loads(path.read_text()):
            shutil.copyfile(path, folder / path.name)
    return folder


def main(kind, folder):
    """Ask all there is to ask; each answer is on disk before the next question."""
    asked = Recorder(kind, folder)
    for question, kinds in QUESTIONS.items():
        if kind in kinds:
            try:
                answer = question(asked)
            except Exception as error:  # noqa: BLE001  # one answer less is no reason to lose all
                answer = {"failed": f"{type(error).__name__}: {error}"}
            asked.write(question.__name__, answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
