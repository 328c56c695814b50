"""What stays the same when an engine is built again, and what each kind of target guarantees."""

from __future__ import annotations

import json

import pytest

from trtbuild.backends.onnxruntime import Onnxruntime
from trtbuild.backends.tensorrt.tactics import digest_inspected_layers, digest_program
from trtbuild.backends.tensorrt11 import Tensorrt11
from trtbuild.backends.tensorrt_rtx import TensorrtRtx
from trtbuild.core.values import TensorSpec

PROGRAM = 'header {{\n  version = 5\n}}\n  mul={{ name={0} output={{"{1}" }} input={{"{0}" }} }}\n'


def plan(path, program):
    body = program.encode() + b"\0"
    size = 64 + len(body)
    head = b"vtrt".ljust(16, b"\0") + size.to_bytes(8, "little") + bytes([1, 7, 1, 116]) + b"vtrt"
    path.write_bytes(head.ljust(64, b"\0") + body)
    return path


def test_made_up_names_are_numbered_anew(tmp_path):
    """The same program under other numbers is the same; one that joins other tensors is not."""
    first = digest_program(plan(tmp_path / "a", PROGRAM.format("__mye384", "__mye12")))
    again = digest_program(plan(tmp_path / "b", PROGRAM.format("__mye7", "__mye9001")))
    other = digest_program(plan(tmp_path / "c", PROGRAM.format("__mye7", "__mye7")))

    assert first.startswith("sha256:")
    assert first == again != other


def test_a_plan_that_cannot_be_read_has_no_tactics(tmp_path):
    """Nothing is claimed of a version that is not known."""
    (tmp_path / "plan").write_bytes(b"vtrt" + bytes(100))

    assert "" == digest_program(tmp_path / "plan")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"Layers": ["a name alone"]}', '{"Layers": 3}'])
def test_an_inspector_that_names_layers_alone_tells_no_tactics(text):
    """Names without kernels would pass for equal ones."""
    assert "" == digest_inspected_layers(text)


def test_another_kernel_is_another_tactic():
    """Key order is not."""
    layers = [{"Name": "conv", "TacticName": "sm80_a"}]
    turned = [{"TacticName": "sm80_a", "Name": "conv"}]
    other = [{"Name": "conv", "TacticName": "sm80_b"}]
    first, again, third = (
        digest_inspected_layers(json.dumps({"Layers": each})) for each in (layers, turned, other)
    )

    assert first == again != third


DYNAMIC = (TensorSpec(name="x", dtype="float32", shape=("batch", 3)),)
FIXED = (TensorSpec(name="x", dtype="float32", shape=(1, 3)),)


@pytest.mark.parametrize(
    ("level", "target", "inputs"),
    [
        (2, TensorrtRtx(kind="tensorrt_rtx"), FIXED),
        (1, TensorrtRtx(kind="tensorrt_rtx"), DYNAMIC),
        (0, Tensorrt11(kind="tensorrt11"), FIXED),
        (0, Tensorrt11(kind="tensorrt11", timing_cache="a.cache"), FIXED),
        (1, Tensorrt11(kind="tensorrt11", timing_cache="a.cache", frozen=True), FIXED),
        (2, Onnxruntime(kind="onnxruntime"), DYNAMIC),
    ],
)
def test_a_target_guarantees_what_its_toolkit_can(level, target, inputs):
    """And says why it is no more."""
    guarantee = target.guarantee(inputs)

    assert level == guarantee.level
    assert guarantee.reason
