"""Build one target's engine."""

from __future__ import annotations

import json

import onnx
import pytest

from tests.helpers.qdq import layer
from trtbuild.backends.base import BuildResult
from trtbuild.backends.onnxruntime import Onnxruntime
from trtbuild.core.digest import digest_of_bytes
from trtbuild.core.records import LayerPrecision, TargetResult
from trtbuild.core.values import TensorSpec
from trtbuild.steps.base import Context, QuietEvents
from trtbuild.steps.build_engine import BuildEngine

STEP = {
    "target": "edge",
    "backend": {"kind": "onnxruntime"},
    "model": {"step": "quantize", "output": "model"},
}
X = {"x": [[1, 8, 8, 8], [1, 8, 8, 8], [1, 8, 8, 8]]}
ACCOUNT = {
    "opset": 17,
    "layers": [
        {"name": "layer", "op": "Conv", "precision": "int8"},
        {"name": "head", "op": "Gemm", "precision": "fp32", "reason": "skipped"},
    ],
    "tensors": [],
    "weights": [],
}


@pytest.fixture
def build(tmp_path):
    """Run the step; returns engine.json and the events."""

    def run(*, caveats=(), **changes):
        onnx.save(layer(), tmp_path / "m.onnx")
        (tmp_path / "account.json").write_text(json.dumps(ACCOUNT))
        inputs = {
            "quantize/model": tmp_path / "m.onnx",
            "quantize/account": tmp_path / "account.json",
        }
        events = QuietEvents()
        facts = {"onnxruntime": "1.31.1", "tensorrt_rtx_cu13_libs": "1.7.1.116"}
        context = Context(inputs=inputs, out=tmp_path, facts=facts, caveats=caveats, events=events)
        BuildEngine.model_validate_json(json.dumps(STEP | changes)).run(context)
        text = (tmp_path / "engine.json").read_text()
        return TargetResult.model_validate_json(text), events

    return run


@pytest.fixture
def backend(monkeypatch, tmp_path):
    """A backend that answers what it is told, and keeps what it was asked."""
    seen = {}

    def fake(*layers, notes=()):
        def build(self, order):
            seen["order"] = order
            order.engine.write_bytes(b"engine")
            spec = TensorSpec(name="x", dtype="float32", shape=("n", 3))
            return BuildResult((spec,), (spec,), {"tf32": "on"}, layers, notes)

        monkeypatch.setattr(Onnxruntime, "build", build)
        return seen

    return fake


def precision(name, delivered, cause="", *, asked="int8"):
    return LayerPrecision(name=name, op="Conv", asked=asked, delivered=delivered, cause=cause)


def test_engine_json_says_what_the_engine_is(build, backend):
    """Digests, versions, signature, profiles, options, and every layer."""
    seen = backend(precision("layer", "int8"), precision("head", "fp32", asked="fp32"))
    account = {"step": "quantize", "output": "account"}

    result, events = build(account=account, profiles=[X], caveats=("seeded weights",))

    assert ("edge", "onnxruntime", ("cpu",)) == (result.target, result.backend, result.built_for)
    assert {"onnxruntime": "1.31.1"} == result.versions
    assert (digest_of_bytes(b"engine"), 6) == (result.engine_digest, result.engine_size_bytes)
    assert digest_of_bytes(layer().SerializeToString()) == result.model_digest
    assert ({"name": "x", "dtype": "float32", "shape": ["n", 3]},) == result.inputs
    assert ({"x": dict(zip(("min", "opt", "max"), X["x"], strict=True))},) == result.profiles
    assert (1, 1) == (result.asked_int8, result.delivered_int8)
    assert ("seeded weights",) == result.caveats
    assert [] == events.notes
    assert ["int8", "fp32"] == [each.precision for each in seen["order"].requested]


def test_without_an_account_the_model_itself_is_asked(build, backend):
    """A model that came with Q/DQ pairs asks for INT8 where they are."""
    seen = backend()
    build()

    assert [("layer", "int8")] == [(each.name, each.precision) for each in seen["order"].requested]


def test_fallbacks_are_noted_cause_by_cause(build, backend):
    """The report names every cause with its layers, the first five of many."""
    many = [precision(f"t{number}", "fp32", "a bad axis") for number in range(7)]
    backend(precision("a", "int8"), *many, precision("u", "unknown", "not in the program"))

    result, events = build()

    assert (9, 1) == (result.asked_int8, result.delivered_int8)
    assert [
        (
            "edge: 7 of 9 layers asked for in INT8 are computed in fp32: t0, t1, t2, t3, t4, ...; "
            "cause: a bad axis"
        ),
        (
            "edge: 1 of 9 layers asked for in INT8 are of unknown precision: u; "
            "cause: not in the program"
        ),
    ] == events.notes


def test_the_builders_warnings_are_notes(build, backend):
    """What the builder warned of stands in the report, with the target's name."""
    backend(notes=("something is odd",))

    assert ["edge: something is odd"] == build()[1].notes


def test_the_backends_packages_are_its_facts():
    """Another version of the builder is another engine."""
    step = BuildEngine.model_validate_json(json.dumps(STEP | {"backend": {"kind": "tensorrt_rtx"}}))

    assert "tensorrt_rtx_cu13_libs" in step.fact_names()


def test_a_real_engine(build, tmp_path):
    """Through TensorRT-RTX: INT8 asked, INT8 delivered, the same bytes again."""
    pytest.importorskip("tensorrt_rtx_bindings")
    rtx = {"kind": "tensorrt_rtx", "compute_capabilities": [8.9]}
    account = {"step": "quantize", "output": "account"}

    first, events = build(backend=rtx, account=account)

    assert ("int8", "unknown") == tuple(each.delivered for each in first.layers)
    assert (1, 1) == (first.asked_int8, first.delivered_int8)
    assert [] == events.notes
    assert first == build(backend=rtx, account=account)[0]


def test_how_much_memory_a_gpu_has_counts_where_the_workspace_follows_from_it():
    """And nowhere else; the level of the log counts nowhere."""
    steps = [
        BuildEngine.model_validate_json(json.dumps(STEP | {"backend": {"kind": kind, **more}}))
        for kind, more in (
            ("tensorrt11", {}),
            ("tensorrt11", {"workspace": "auto"}),
            ("tensorrt_rtx", {"workspace": "auto"}),
        )
    ]

    names = [{"gpu", "gpu_memory"} & set(each.fact_names()) for each in steps]

    assert [{"gpu"}, {"gpu", "gpu_memory"}, set()] == names
