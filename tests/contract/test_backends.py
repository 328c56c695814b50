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
from trtbuild.backends.base import BuildOrder, LayerRequest
from trtbuild.core.errors import StepInputError
from trtbuild.core.options import Options
from trtbuild.machine.facts import InstalledPackages, find_missing_packages

UNION = get_args(Target)[0]
KINDS = get_args(UNION) or (UNION,)


def kind_of(backend):
    return get_args(backend.model_fields["kind"].annotation)[0]


@pytest.fixture(params=KINDS, ids=kind_of)
def backend(request):
    made = request.param.model_validate_json(json.dumps({"kind": kind_of(request.param)}))
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
    asked = [LayerRequest("absent", "Conv", "int8"), LayerRequest("layer", "Conv", "int8")]

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


@pytest.mark.parametrize("backend", KINDS, ids=kind_of)
def test_its_options_survive_a_json_round_trip(backend):
    """A target is a value."""
    made: Options = backend.model_validate_json(json.dumps({"kind": kind_of(backend)}))

    assert made == backend.model_validate_json(made.model_dump_json())
    assert made.built_for()


def test_capabilities_are_read_without_any_library():
    """`validate` on a laptop knows what a backend can do."""
    code = "import sys; from trtbuild.backends import Target; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    heavy = {"numpy", "onnx", "onnxruntime", "polygraphy", "tensorrt_rtx_bindings", "tensorrt"}

    assert set() == heavy & set(loaded.stdout.split())
