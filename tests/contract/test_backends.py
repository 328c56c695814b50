"""What every kind of target promises."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import get_args

import onnx
import pytest

from tests.helpers.qdq import layer
from trtbuild.backends import Target
from trtbuild.backends.base import BuildOrder, BuiltEngine, FitVerdict
from trtbuild.backends.tensorrt.engine import EngineKind
from trtbuild.backends.tensorrt.flavour import FLAVOURS
from trtbuild.backends.tensorrt.plan_header import PlanHeader
from trtbuild.core.errors import StepInputError
from trtbuild.core.kinds import load_kinds, name_kind
from trtbuild.core.needs import GPU
from trtbuild.core.options import Options
from trtbuild.core.records import RequestedLayer, TargetResult
from trtbuild.machine.facts import InstalledPackages, find_missing_packages

KINDS = load_kinds(Target)


@pytest.fixture(params=KINDS, ids=name_kind)
def backend(request):
    made = request.param.model_validate_json(json.dumps({"kind": name_kind(request.param)}))
    if reason := find_missing_packages(made.capabilities, InstalledPackages()):
        pytest.skip(reason)
    return made


@pytest.fixture
def build(backend, tmp_path):
    def built(model, asked=()):
        path = tmp_path / "m.onnx"
        path.write_bytes(model)
        told = []
        result = backend.build(
            BuildOrder(
                path, tmp_path / "e", requested=asked, progress=lambda *event: told.append(event)
            )
        )
        return result, (tmp_path / "e").read_bytes(), told

    return built


def test_it_answers_for_every_layer_asked_in_order(build):
    """One precision a layer, known or unknown, and a cause where INT8 did not come."""
    asked = [
        RequestedLayer(name="absent", op="Conv", precision="int8"),
        RequestedLayer(name="layer", op="Conv", precision="int8"),
    ]

    result, _, _ = build(layer().SerializeToString(), asked)

    assert [("absent", "int8"), ("layer", "int8")] == [(x.name, x.asked) for x in result.layers]
    assert "unknown" == result.layers[0].delivered
    assert all(each.cause for each in result.layers if each.delivered != "int8")


def test_it_tells_the_models_signature_and_its_own_options(build):
    """Inputs and outputs by name, dtype and shape; options in words."""
    result, _, _ = build(layer().SerializeToString())

    assert [("x", "float32", (1, 8, 8, 8))] == [(s.name, s.dtype, s.shape) for s in result.inputs]
    assert ["y"] == [spec.name for spec in result.outputs]
    assert all(isinstance(value, str) for value in result.options.values())


def test_equal_models_make_equal_engines(build):
    """Built twice, the same bytes."""
    first, second = (build(layer().SerializeToString())[1] for _ in range(2))

    assert first == second


def test_progress_reaches_its_total(build):
    """The last event says that everything is done."""
    done, total, _ = build(layer().SerializeToString())[2][-1]

    assert done == total > 0


@pytest.mark.parametrize("data", [b"", b"\xffgarbage", layer().SerializeToString()[:-5]])
def test_what_is_no_model_is_one_clear_error(build, data):
    """No crash, no engine."""
    with pytest.raises(StepInputError):
        build(data)


def test_an_operator_nobody_has_is_named(build):
    """The message names what the model asks for."""
    text = """<ir_version: 8, opset_import: ["" : 17, "my.ops" : 1]>
        m (float[1] x) => (float[1] y) { [odd] y = my.ops.Fancy(x) }"""

    with pytest.raises(StepInputError, match="Fancy"):
        build(onnx.parser.parse_model(text).SerializeToString())


@pytest.mark.parametrize("backend", KINDS, ids=name_kind)
def test_its_options_survive_a_json_round_trip(backend):
    """A target is a value."""
    made: Options = backend.model_validate_json(json.dumps({"kind": name_kind(backend)}))

    assert made == backend.model_validate_json(made.model_dump_json())
    assert made.built_for()


LOADED = [each for each in KINDS if name_kind(each) in FLAVOURS]
"""Those whose engines a TensorRT loads."""
L4, H200 = "NVIDIA L4 (8.9)", "NVIDIA H200 (9.0)"


def machine_of(backend, *, gpu=L4):
    """Return the facts of a machine that has all that a kind needs."""
    flavour = FLAVOURS.get(name_kind(backend))
    major = flavour.major if flavour else 1
    libraries = flavour.libraries if flavour else ()
    facts = dict.fromkeys((*backend.capabilities.packages, *libraries), f"{major}.2.3")
    return {**facts, GPU: gpu}


def built_on(backend, facts):
    """Return what is known of an engine that a machine with these facts built."""
    result = TargetResult(
        target="it", backend=name_kind(backend), versions=facts, engine_digest="sha256:0",
        engine_size_bytes=1, model_digest="sha256:1", built_for=("8.9",), inputs=(), outputs=(),
        profiles=(), options={}, layers=(), asked_int8=0, delivered_int8=0,
    )  # fmt: skip
    return BuiltEngine(facts[backend.capabilities.packages[0]], ("8.9",), result)


@pytest.mark.parametrize("backend", KINDS, ids=name_kind)
def test_an_engine_fits_the_machine_that_built_it(backend):
    """And the reason is said."""
    facts = machine_of(backend)

    verdict, reason = backend.judge_fit(built_on(backend, facts), facts)

    assert "yes" == verdict
    assert reason


@pytest.mark.parametrize("backend", LOADED, ids=name_kind)
def test_an_engine_of_another_version_or_gpu_does_not_fit(backend):
    """What is here and what it is for are both named."""
    facts = machine_of(backend)
    engine = built_on(backend, facts)
    older = {name: value if name == GPU else "0.9" for name, value in facts.items()}

    verdict, reason = backend.judge_fit(engine, older)
    assert ("no", True) == (verdict, "0.9" in reason and engine.version in reason)
    verdict, reason = backend.judge_fit(engine, {**facts, GPU: H200})
    assert ("no", True) == (verdict, "H200" in reason and "8.9" in reason)


@pytest.mark.parametrize("backend", KINDS, ids=name_kind)
@pytest.mark.parametrize("known", [True, False])
def test_of_a_machine_that_nothing_is_known_of_nothing_is_denied(backend, known):
    """What fits anywhere fits; of all else it is not known, with engine.json and without."""
    engine = built_on(backend, machine_of(backend)) if known else BuiltEngine("", (), None)

    verdict, reason = backend.judge_fit(engine, {})

    assert verdict in get_args(FitVerdict)
    assert ("not known" if name_kind(backend) in FLAVOURS else "yes") == verdict
    assert reason


@pytest.mark.parametrize("backend", LOADED, ids=name_kind)
def test_an_engines_header_tells_its_kind(backend):
    """By the family of TensorRTs and the major version that stand in it; a stranger has none."""
    flavour = FLAVOURS[name_kind(backend)]

    assert name_kind(backend) == PlanHeader(flavour.family, f"{flavour.major}.2.3.4").kind
    assert not PlanHeader(flavour.family, "99.0.0.0").kind
    assert not PlanHeader("another", f"{flavour.major}.2.3.4").kind


def test_whoever_has_a_flavour_is_found_by_it():
    """By engines that are loaded, and by steps that name it."""
    flavours = {name_kind(each): each.flavour for each in KINDS if hasattr(each, "flavour")}

    assert flavours == FLAVOURS
    assert flavours.keys() == set(get_args(EngineKind))


def test_capabilities_are_read_without_any_library():
    """`validate` on a laptop knows what a backend can do."""
    code = (
        "import sys; from trtbuild.backends import Target;"
        "from trtbuild.core.kinds import load_kinds; load_kinds(Target); print(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    heavy = {"numpy", "onnx", "onnxruntime", "polygraphy", "tensorrt_rtx_bindings", "tensorrt"}

    assert set() == heavy & set(loaded.stdout.split())
