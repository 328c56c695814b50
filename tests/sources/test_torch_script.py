"""TorchScript's exporter is the other way: what it makes is named and held as dynamo's."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from pydantic import ValidationError

from tests.helpers.torch_models import tiny, write_source
from trtbuild.core.errors import StepInputError
from trtbuild.model.onnx_file import write_onnx
from trtbuild.model.signature import read_signature
from trtbuild.sources.inputs import InputSpec
from trtbuild.sources.sizes import choose_sizes
from trtbuild.sources.torch import Torch
from trtbuild.sources.torch_call import ExportRequest
from trtbuild.sources.torch_export import export_prepared
from trtbuild.sources.torch_module import PreparedModule

torch = pytest.importorskip("torch")

PAIR = {name: InputSpec(shape=("batch", "length")) for name in ("left", "right")}


@dataclass
class Found:
    boxes: torch.Tensor
    scores: torch.Tensor


def traced(module, outputs, inputs=PAIR, profiles=()):
    """Export a module by TorchScript's exporter."""
    sizes = choose_sizes(inputs, profiles, {})
    made = PreparedModule(module.eval())
    return export_prepared(
        ExportRequest("net.py:net", made, inputs, outputs, 20, sizes, "torchscript")
    )


def of(function):
    """Return a module that computes this."""

    class Module(torch.nn.Module):
        forward = function

    return Module()


def held(imported, folder):
    """Write what was exported, and hold it against its module; return the notes."""
    write_onnx(imported.model, folder / "model.onnx")
    return imported.hold(folder / "model.onnx")


def test_layers_and_weights_have_the_names_that_dynamo_gives_them(tmp_path):
    """A recipe's patterns hold for both; weights are read where they are."""
    source = Torch.model_validate_json(tiny(exporter="torchscript"))
    found = source.bring_in(write_source(tmp_path), None, source.sizes([], {}))
    signature = read_signature(found.model)

    block = ["conv1/Conv", "relu/Relu", "conv2/Conv", "Add", "relu/Relu_1"]

    assert ["/stem/Conv", *(f"/layer1/0/{each}" for each in block)] == [
        node.name for node in signature.nodes[:6]
    ]
    assert {"layer1.0.conv1.weight", "layer1.0.conv1.bias", "layer1.0.conv2.bias", "fc.bias"} <= {
        tensor.name for tensor in found.model.graph.initializer
    }
    assert [("batch", 3, 9, 9), ("batch", 3)] == [
        signature.inputs[0].shape,
        signature.outputs[0].shape,
    ]
    assert "one run of the module" in found.notes[1]
    assert () == held(found, tmp_path)


def test_outputs_of_a_dataclass_have_its_names(tmp_path):
    """In whatever order the recipe has them; open dimensions those of the inputs."""
    module = of(lambda _, left, right: Found(left * right, torch.flip(left - right, (1,))))
    found = traced(module, ("scores", "boxes"))

    assert [("scores", ("batch", "length")), ("boxes", ("batch", "length"))] == [
        (each.name, each.shape) for each in read_signature(found.model).outputs
    ]
    assert () == held(found, tmp_path)


def test_inputs_go_by_name_past_what_is_left_out(tmp_path):
    """As a model of text takes a mask, and no embeddings."""
    module = of(lambda _, left, __=None, right=None: left - 2 * right)

    assert () == held(traced(module, ("difference",)), tmp_path)


def test_what_was_frozen_into_the_record_is_found(tmp_path):
    """Though no profile says another size."""
    module = of(lambda _, left, right: left * float(right.shape[1]) + right)
    with pytest.raises(StepInputError, match=r"at left \[3, 97\].* output `sum` of its export"):
        held(traced(module, ("sum",)), tmp_path)


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
def test_a_program_of_torchscript_is_exported(tmp_path):
    """What `torch.jit.load` returns is a module, which dynamo cannot follow."""
    module = torch.jit.trace(torch.nn.Linear(3, 2), torch.zeros(1, 3))

    assert () == held(traced(module, ("y",), {"x": InputSpec(shape=("n", 3))}), tmp_path)


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
def test_a_program_of_torchscript_that_returns_a_mapping_is_refused():
    """Its graph has it, and ONNX has none."""
    module = torch.jit.trace(of(lambda _, x: {"y": x}), torch.zeros(1), strict=False)
    with pytest.raises(StepInputError, match="a program of TorchScript that returns a mapping"):
        traced(module, ("y",), {"x": InputSpec(shape=("n",))})


def test_its_opset_ends_at_20():
    """Said before anything runs."""
    with pytest.raises(ValidationError, match="opset 20 at most"):
        Torch.model_validate_json(tiny(exporter="torchscript", opset=21))
