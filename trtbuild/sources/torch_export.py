"""Export a PyTorch module as ONNX: named after the user's modules, the same bytes anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.core.errors import StepInputError
from trtbuild.core.words import describe_cause
from trtbuild.model.imported_model import ImportedModel
from trtbuild.model.valid import EXPORT_AGAIN, check_onnx
from trtbuild.sources.naming import name_after_modules, strip_remarks
from trtbuild.sources.torch_call import ExportRequest, ForwardCall, arrange
from trtbuild.sources.torch_check import Export
from trtbuild.sources.torch_dynamo import export_for_all_sizes
from trtbuild.sources.torch_module import prepare_module
from trtbuild.sources.torch_outputs import (
    Returned,
    flatten_outputs,
    look_at,
    order_outputs,
    pick_outputs,
)
from trtbuild.sources.torch_script import export_by_tracing, list_other_sizes
from trtbuild.sources.torch_trial import describe_shapes, draw_answer

if TYPE_CHECKING:
    import onnx

    from trtbuild.sources.sizes import Sizes
    from trtbuild.sources.torch import Torch

__all__ = ["export_module", "export_prepared"]


def export_module(
    source: Torch, *, base: Path, weights: Path | None, sizes: Sizes
) -> ImportedModel:
    """Make the module, load or seed its weights, and export it at the example's sizes.

    Raises:
        MissingFile: it asks for weights, there are none, and it may not be seeded.
        MissingDependency: PyTorch or the exporter is not installed.
        StepInputError: the weights do not fit, or PyTorch cannot export the module.
    """
    return export_prepared(
        ExportRequest(
            source.entrypoint,
            prepare_module(source, base=base, weights=weights),
            source.inputs,
            source.outputs,
            source.opset,
            sizes,
            source.exporter,
        )
    )


def export_prepared(request: ExportRequest) -> ImportedModel:
    """Export a module as is asked, and name what comes of it.

    Raises:
        StepInputError: PyTorch cannot export the module, or its inputs and outputs are others.
    """
    call = arrange(request)
    outputs = _prepare_outputs(request, _try(request, call))
    tracing = request.exporter == "torchscript"
    model, notes = (export_by_tracing if tracing else export_for_all_sizes)(request, call)
    given = [value.name for value in (*model.graph.input, *model.graph.output)]
    ends = dict(zip(given, (*call.inputs, *outputs), strict=True))
    name_after_modules(model, request.module.state_dict(), ends)
    strip_remarks(model)
    _forget_constants(model.graph)
    _order_outputs(model.graph, request.outputs or outputs)
    check_onnx(model, request.where, hint=EXPORT_AGAIN)
    beyond = list_other_sizes(request) if tracing else ()
    whole = Export(
        request.module, request.where, call.inputs, outputs, request.sizes, call.keywords, beyond
    )
    return ImportedModel(model, (*request.made.notes, *notes), request.made.caveats, whole.hold)


def _try(request: ExportRequest, call: ForwardCall) -> Returned:
    """Run the module once, and return what came of it.

    Raises:
        StepInputError: it fails, or returns what is no tensor.
    """
    import torch

    sizes = request.sizes.example
    words, hint = "", ""
    problem = None
    try:
        _, answer = draw_answer(request.module, call.inputs, sizes, call.keywords)
        returned = look_at(answer)
        others = [
            type(each).__name__ for each in returned.tensors if not isinstance(each, torch.Tensor)
        ]
        if not others:
            return returned
        words = f"it returns {others[0]} beside tensors"
        hint = "have forward return tensors alone"
    except Exception as own:  # noqa: BLE001  # the user's own code
        problem = own
        words = f"it raises {describe_cause(own)}"
        hint = "a dynamic dimension has the `opt` size of `profiles`, or one made up: give profiles"
    at = describe_shapes(call.inputs, sizes)
    raise StepInputError(
        f"{request.where}: cannot be exported by PyTorch: {words}, at {at}",
        hint=hint,
    ) from problem


def _prepare_outputs(request: ExportRequest, returned: Returned) -> tuple[str, ...]:
    """Return the names of outputs in the order in which the module, from now on, returns them."""
    chosen = None
    if request.may_pick:
        chosen = pick_outputs(request.where, request.outputs, returned)
        names = tuple(_call_output(returned.paths[index]) for index in chosen)
    else:
        names = order_outputs(request.where, request.outputs, returned)
    mapped = returned.keyed and request.exporter == "torchscript"  # which knows of no dicts
    if chosen is not None or not returned.usual or mapped:
        _demand_python(request)
        flatten_outputs(request.module, chosen)
    return names


def _demand_python(request: ExportRequest) -> None:
    import torch

    if isinstance(request.module, torch.jit.ScriptModule):
        raise StepInputError(
            f"{request.where}: is a program of TorchScript that returns a mapping, which no "
            "exporter takes",
            hint="have what it was made from return a tensor, or a tuple of them",
        )


def _call_output(path: str) -> str:
    return path if path and not path[0].isdigit() else f"output_{path}".rstrip("_")


def _order_outputs(graph: onnx.GraphProto, names: Sequence[str]) -> None:
    values = {
        value.name: type(value).FromString(value.SerializeToString()) for value in graph.output
    }
    del graph.output[:]
    graph.output.extend(values[name] for name in names)


def _forget_constants(graph: onnx.GraphProto) -> None:
    """Drop the shapes noted beside constants; what is noted of activations stays."""
    constants = {tensor.name for tensor in graph.initializer}
    noted = [value for value in graph.value_info if value.name not in constants]
    del graph.value_info[:]
    graph.value_info.extend(noted)
