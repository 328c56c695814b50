"""Export by `torch.export`, which follows a module for all sizes at once."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import StepInputError
from trtbuild.core.words import describe_cause
from trtbuild.sources.torch_call import list_parameters
from trtbuild.sources.torch_trial import describe_shapes, fill_shape

if TYPE_CHECKING:
    import onnx
    from torch import Tensor, nn

    from trtbuild.sources.inputs import InputSpec
    from trtbuild.sources.torch_call import ExportRequest, ForwardCall

__all__ = ["export_for_all_sizes", "hold_to_promises", "make_example", "silence_exporter"]

LOG = "the step's log has the whole message; call it by hand to see more"
OTHER = (
    "`exporter: torchscript` records one run of the module instead, and is the way for what "
    "`torch.export` cannot follow"
)
WITHIN = "exported for sizes within the profiles alone: PyTorch cannot do it for all"


def export_for_all_sizes(
    request: ExportRequest, call: ForwardCall
) -> tuple[onnx.ModelProto, tuple[str, ...]]:
    """Export the module, and return what to note; inputs and outputs keep the exporter's names.

    Dimensions are bounded by the profiles only where it cannot be done for all sizes: within
    bounds the exporter drops what no size needs (`x[:, :100]` up to 77), and the model would be
    another beyond them, where data may still lie.

    Raises:
        StepInputError: it cannot be exported, or not for the sizes that are left open.
    """
    arguments = make_example(request, call)
    attempts: list[dict[str, tuple[int, int]]] = [{}]
    if request.sizes.bounds():
        attempts.append(request.sizes.bounds())
    for bounds in attempts:
        try:
            program = _captured(request, call, arguments, _dynamic(call.inputs, bounds))
        except ModuleNotFoundError:
            raise
        except Exception as error:
            if bounds is not attempts[-1]:
                continue
            raise StepInputError(
                f"{request.where}: cannot be exported by PyTorch: {describe_cause(error)}, "
                f"at {describe_shapes(call.inputs, request.sizes.example)}",
                hint=f"{LOG}; {OTHER}",
            ) from error
        model: onnx.ModelProto = program.model_proto
        hold_to_promises(request, call, model)
        return model, (WITHIN,) if bounds else ()
    raise AssertionError  # the last attempt ends in one or the other


def make_example(request: ExportRequest, call: ForwardCall) -> tuple[Tensor, ...]:
    """Return arguments of the sizes that the exporter sees."""
    import torch

    return tuple(
        torch.zeros(fill_shape(spec, request.sizes.example), dtype=getattr(torch, spec.dtype))
        for spec in call.inputs.values()
    )


def _captured(
    request: ExportRequest,
    call: ForwardCall,
    arguments: tuple[Tensor, ...],
    dynamic: tuple[Any, ...],
) -> Any:
    import torch

    placed, named = call.split(arguments)
    shapes: Any = dynamic
    if named:
        shapes = dict(zip(call.keywords, dynamic, strict=True))
    elif _is_variadic(request.module):
        shapes = {"args": dynamic}
    with silence_exporter(), torch.no_grad():
        return torch.onnx.export(
            request.module,
            placed,
            kwargs=named or None,
            dynamo=True,
            dynamic_shapes=shapes,
            opset_version=request.opset,
            optimize=True,
            verbose=False,
        )


def _is_variadic(module: nn.Module) -> bool:
    kinds = [each.kind for each in list_parameters(module).values()]
    return bool(kinds) and kinds[0] is inspect.Parameter.VAR_POSITIONAL


def _dynamic(
    inputs: Mapping[str, InputSpec], bounds: Mapping[str, tuple[int, int]]
) -> tuple[dict[int, Any], ...]:
    """Return by input which of its axes are dynamic, as which dimension."""
    from torch.export import Dim

    dimensions: dict[str, Any] = {}
    for spec in inputs.values():
        for size in spec.shape:
            if isinstance(size, str) and size not in dimensions:
                low, high = bounds.get(size, (None, None))
                dimensions[size] = Dim(size, min=low, max=high)
    return tuple(
        {axis: dimensions[size] for axis, size in enumerate(spec.shape) if isinstance(size, str)}
        for spec in inputs.values()
    )


def hold_to_promises(request: ExportRequest, call: ForwardCall, model: onnx.ModelProto) -> None:
    """Hold an export against what was asked: all inputs, open sizes, and the opset.

    Raises:
        StepInputError: it is something else.
    """
    found = model.graph.input
    if len(found) != len(call.inputs):
        raise StepInputError(
            f"{request.where}: exported with {len(found)} inputs, not {', '.join(call.inputs)}",
            hint="does forward use every input?",
        )
    for value, (name, spec) in zip(found, call.inputs.items(), strict=True):
        for size, dimension in zip(spec.shape, value.type.tensor_type.shape.dim, strict=True):
            kept = str(dimension.dim_value or dimension.dim_param)
            if isinstance(size, str) and not kept.isidentifier():
                raise StepInputError(
                    f"{request.where}: the export works for `{size}` = {kept} alone, in "
                    f"`{name}` {list(spec.shape)}",
                    hint=f"write a number in place of `{size}`, or have forward take any size",
                )
    opset = next(entry.version for entry in model.opset_import if entry.domain == "")
    if opset != request.opset:
        raise StepInputError(
            f"{request.where}: cannot be exported at opset {request.opset}, only at {opset}",
            hint=f"write `opset: {opset}`",
        )


@contextlib.contextmanager
def silence_exporter() -> Iterator[None]:
    """Keep the exporter's remarks on its own insides to itself."""
    import logging
    import warnings

    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
