"""`torch.export` is tried for all sizes, then for those of the profiles, and held to its word."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.helpers.models import model_of
from trtbuild.core.errors import StepInputError
from trtbuild.sources import torch_dynamo
from trtbuild.sources.inputs import InputSpec
from trtbuild.sources.sizes import choose_sizes
from trtbuild.sources.torch_call import ExportRequest, arrange
from trtbuild.sources.torch_module import PreparedModule

torch = pytest.importorskip("torch")

PAIR = {name: InputSpec(shape=("batch", "length")) for name in ("left", "right")}
TEXT = """<ir_version: 9, opset_import: ["" : 18]>
g (float[batch, length] left, float[%s, length] right) => (float[batch, length] y)
{ y = Add(left, right) }"""


def asked(profiles=(), inputs=PAIR):
    """Return a request for a module that adds."""
    module = torch.nn.Module()
    module.forward = lambda left, right: left + right
    sizes = choose_sizes(inputs, profiles, {})
    return ExportRequest("net.py:net", PreparedModule(module), inputs, ("y",), 20, sizes)


def test_what_cannot_be_exported_for_all_sizes_is_for_the_profiles(monkeypatch):
    """With a note; where that fails too, the other exporter is named."""
    tried = []

    def captured(_request, _call, _arguments, dynamic):
        tried.append([(str(each.__name__), each.min, each.max) for each in dynamic[0].values()])
        if len(tried) in failing:
            raise ValueError("not for all")
        return SimpleNamespace(model_proto="model")

    monkeypatch.setattr(torch_dynamo, "_captured", captured)
    monkeypatch.setattr(torch_dynamo, "hold_to_promises", lambda *_: None)
    shape = ((1, 4), (4, 20), (8, 77))
    request = asked([{"left": shape, "right": shape}])
    failing = [1]

    assert ("model", (torch_dynamo.WITHIN,)) == torch_dynamo.export_for_all_sizes(
        request, arrange(request)
    )
    assert [("batch", "length"), ("length", 4, 77)] == [
        tuple(name for name, _, _ in tried[0]),
        tried[1][1],
    ]
    failing = [3, 4]
    with pytest.raises(StepInputError, match="ValueError: not for all, at left") as caught:
        torch_dynamo.export_for_all_sizes(request, arrange(request))
    assert "`exporter: torchscript`" in caught.value.hint


def test_an_opset_that_cannot_be_reached_says_which_can():
    """The exporter would keep its own without a word."""
    request = asked()
    with pytest.raises(StepInputError, match="at opset 20, only at 18") as caught:
        torch_dynamo.hold_to_promises(request, arrange(request), model_of(TEXT % "batch"))
    assert "write `opset: 18`" == caught.value.hint


def test_a_size_that_was_frozen_is_no_open_one():
    """Nor is an input that is gone."""
    request = asked()
    with pytest.raises(StepInputError, match="the export works for `batch` = 2 alone, in `right`"):
        torch_dynamo.hold_to_promises(request, arrange(request), model_of(TEXT % "2"))
    more = asked(inputs={**PAIR})
    call = arrange(more)
    call.inputs["mask"] = InputSpec(shape=(1,))
    with pytest.raises(StepInputError, match="exported with 2 inputs, not left, right, mask"):
        torch_dynamo.hold_to_promises(more, call, model_of(TEXT % "batch"))
