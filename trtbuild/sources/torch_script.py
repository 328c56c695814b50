"""Export by TorchScript's exporter, which records one run of a module."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from trtbuild.core.errors import StepInputError
from trtbuild.core.words import describe_cause
from trtbuild.model.nodes import iterate_nodes
from trtbuild.sources.naming import SCOPES
from trtbuild.sources.torch_dynamo import LOG, hold_to_promises, make_example, silence_exporter
from trtbuild.sources.torch_trial import describe_shapes, draw_answers

if TYPE_CHECKING:
    import onnx
    from torch import Tensor, nn

    from trtbuild.sources.torch_call import ExportRequest, ForwardCall

__all__ = ["export_by_tracing", "list_other_sizes"]

RECORDED = "exported by TorchScript's exporter, which records one run of the module"
ENTRY = "trtbuild.entry."
"""No parameter is called so: the exporter would take an input for a parameter of its name."""
AGAIN = re.compile(r"_\d+$")
"""What it adds to a module's name at the second call."""


def export_by_tracing(
    request: ExportRequest, call: ForwardCall
) -> tuple[onnx.ModelProto, tuple[str, ...]]:
    """Record one run of the module, and return what to note.

    Raises:
        StepInputError: it cannot be recorded, or written as ONNX.
    """
    import torch

    from trtbuild.model.onnx_file import load_onnx

    names = [f"{ENTRY}{index}" for index in range(len(call.inputs))]
    with TemporaryDirectory() as folder, silence_exporter(), torch.no_grad():
        path = Path(folder) / "model.onnx"
        try:
            with _taking(request.module, call):
                torch.onnx.export(
                    request.module,
                    make_example(request, call),
                    str(path),
                    dynamo=False,
                    input_names=names,
                    dynamic_axes=dict(zip(names, _axes(call), strict=True)),
                    opset_version=request.opset,
                    verbose=False,
                )
        except Exception as error:
            raise StepInputError(
                f"{request.where}: cannot be exported by PyTorch: {describe_cause(error)}, "
                f"at {describe_shapes(call.inputs, request.sizes.example)}",
                hint=f"{LOG}; `exporter: dynamo` is the other way",
            ) from error
        model = load_onnx(path)
    hold_to_promises(request, call, model)
    _drop_copies(model.graph)
    _name_dimensions(model, request, call)
    modules = {name for name, _ in request.module.named_modules()}
    for node in iterate_nodes(model.graph.node):
        scopes = [_module_of(node.name, modules), node.name]
        node.metadata_props.add(key=SCOPES, value=str(scopes))
    _name_weights(model, request.module.state_dict())
    return model, (RECORDED,)


@contextlib.contextmanager
def _taking(module: nn.Module, call: ForwardCall) -> Iterator[None]:
    """Have a module take its inputs alone: the exporter fills in every default there is by place.

    A `forward` that others have wrapped does not always take that.
    """
    import torch

    if isinstance(module, torch.jit.ScriptModule):
        yield
        return
    forward = module.forward

    def taking(*tensors: Tensor) -> object:
        placed, named = call.split(tensors)
        return forward(*placed, **named)

    own = "forward" in vars(module)
    module.forward = taking
    try:
        yield
    finally:
        if own:
            module.forward = forward
        else:
            del module.forward


def list_other_sizes(request: ExportRequest) -> tuple[Mapping[str, int], ...]:
    """Return sizes at which to check what was recorded at one, where profiles say no others."""
    example_sizes = request.sizes.example
    if request.sizes.checked or not example_sizes:
        return ()
    return ({name: size + 1 for name, size in example_sizes.items()},)


def _drop_copies(graph: onnx.GraphProto) -> None:
    """Have weights that several layers share be read by them, and not through an Identity."""
    held = {tensor.name for tensor in graph.initializer}
    copies = {
        node.output[0]: node.input[0]
        for node in graph.node
        if node.op_type == "Identity" and node.input[0] in held
    }
    kept = [node for node in graph.node if node.output[0] not in copies]
    returned = {value.name for value in graph.output}
    if returned.intersection(copies):
        return
    del graph.node[:]
    graph.node.extend(kept)
    for node in iterate_nodes(graph.node):
        node.input[:] = [copies.get(name, name) for name in node.input]


def _name_dimensions(model: onnx.ModelProto, request: ExportRequest, call: ForwardCall) -> None:
    """Name dimensions of outputs after those of inputs, where two runs show them to be equal.

    The exporter makes up names of its own for most.
    """
    sizes = [request.sizes.example, *request.sizes.checked[:1], *list_other_sizes(request)][:2]
    try:
        ran = [draw_answers(request.module, call.inputs, each, call.keywords)[1] for each in sizes]
    except Exception:  # noqa: BLE001  # at sizes that nothing says it takes
        ran = []
    for index, value in enumerate(model.graph.output):
        for axis, dimension in enumerate(value.type.tensor_type.shape.dim):
            if not dimension.dim_param or dimension.dim_param in request.sizes.example:
                continue
            extents = [each[index].shape[axis] for each in ran]
            equal = [
                name
                for name in request.sizes.example
                if len(extents) > 1 and extents == [each[name] for each in sizes]
            ]
            known = equal[0] if len(equal) == 1 else f"output_{index}_dim_{axis}"
            dimension.dim_param = known


def _axes(call: ForwardCall) -> Iterator[dict[int, str]]:
    for spec in call.inputs.values():
        yield {axis: size for axis, size in enumerate(spec.shape) if isinstance(size, str)}


def _module_of(node: str, modules: Collection[str]) -> str:
    """Return the module that a node `/layer1/layer1.0/conv1/Conv` belongs to."""
    found = ""
    for part in node.strip("/").split("/")[:-1]:
        found = next((path for path in _below(found, part) if path in modules), found)
    return found


def _below(module: str, part: str) -> Iterator[str]:
    """Yield what a part of a node's name may mean below a module, the likely first.

    A Sequential's own children are called after it once more, and a module's second call has a
    number.
    """
    last = module.rpartition(".")[2]
    for word in (part, AGAIN.sub("", part)):
        yield f"{module}.{word}".strip(".")
        if module and word.startswith(f"{last}."):
            yield f"{module}.{word.removeprefix(f'{last}.')}"


def _name_weights(model: onnx.ModelProto, state: Mapping[str, object]) -> None:
    """Give weights that a batch norm was folded into their module's name again."""
    import ast

    held = {tensor.name: tensor for tensor in model.graph.initializer}
    renamed: dict[str, str] = {}
    for node in model.graph.node:
        tensor = held.get(node.input[1]) if node.op_type in ("Conv", "ConvTranspose") else None
        if tensor is None or tensor.name in state:
            continue
        scopes = next(each.value for each in node.metadata_props if each.key == SCOPES)
        name = f"{ast.literal_eval(scopes)[0]}.weight"
        known = state.get(name)
        if name not in held and tuple(getattr(known, "shape", ())) == tuple(tensor.dims):
            renamed.setdefault(tensor.name, name)
    for old, new in renamed.items():
        held[old].name = new
    for node in iterate_nodes(model.graph.node):
        node.input[:] = [renamed.get(name, name) for name in node.input]
