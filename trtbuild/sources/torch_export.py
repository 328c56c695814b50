"""Export a PyTorch module as ONNX: named after the user's modules, the same bytes anywhere."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import StepInputError
from trtbuild.core.words import last_words
from trtbuild.model.imported_model import ImportedModel
from trtbuild.model.valid import EXPORT_AGAIN, check_onnx
from trtbuild.sources.naming import name_after_modules, strip_remarks
from trtbuild.sources.torch_check import Export
from trtbuild.sources.torch_module import prepare_module
from trtbuild.sources.torch_outputs import flat, order_of_outputs
from trtbuild.sources.torch_trial import shape_at, shown

if TYPE_CHECKING:
    import onnx
    from torch import Tensor, nn
    from torch.onnx import ONNXProgram

    from trtbuild.sources.kinds import InputSpec, Torch
    from trtbuild.sources.sizes import Sizes

__all__ = ["export_module"]

LOG = "the step's log has the whole message; call it by hand to see more"
WITHIN = "exported for sizes within the profiles alone: PyTorch cannot do it for all"


def export_module(
    source: Torch, *, base: Path, weights: Path | None, sizes: Sizes
) -> ImportedModel:
    """Make the module, load or seed its weights, and export it at the example's sizes.

    Raises:
        MissingFile: it asks for weights, there are none, and it may not be seeded.
        MissingDependency: PyTorch or the exporter is not installed.
        StepInputError: the weights do not fit, or PyTorch cannot export the module.
    """
    made = prepare_module(source, base=base, weights=weights)
    inputs = {name: source.inputs[name] for name in _input_order(source, made.module)}
    program, notes = _export(source, made.module, inputs, sizes)
    model: onnx.ModelProto = program.model_proto
    outputs = order_of_outputs(source, program.exported_program)
    _hold_to_promises(source, inputs, model)
    given = [value.name for value in (*model.graph.input, *model.graph.output)]
    ends = dict(zip(given, (*inputs, *outputs), strict=True))
    name_after_modules(model, made.module.state_dict(), ends)
    strip_remarks(model)
    _forget_constants(model.graph)
    _order_outputs(model.graph, source.outputs)
    check_onnx(model, source.entrypoint, hint=EXPORT_AGAIN)
    whole = Export(made.module, source.entrypoint, inputs, outputs, sizes)
    return ImportedModel(model, (*made.notes, *notes), made.caveats, whole.hold)


def _export(
    source: Torch, module: nn.Module, inputs: Mapping[str, InputSpec], sizes: Sizes
) -> tuple[ONNXProgram, tuple[str, ...]]:
    """Export the module; inputs and outputs keep the exporter's own names for now.

    Dimensions are bounded by the profiles only where it cannot be done for all sizes: within
    bounds the exporter drops what no size needs (`x[:, :100]` up to 77), and the model would be
    another beyond them, where data may still lie.
    """
    import torch

    arguments = tuple(
        torch.zeros(shape_at(spec, sizes.example), dtype=getattr(torch, spec.dtype))
        for spec in inputs.values()
    )
    attempts: list[dict[str, tuple[int, int]]] = [{}]
    if sizes.bounds():
        attempts.append(sizes.bounds())
    for bounds in attempts:
        dynamic = _dynamic(inputs, bounds)
        try:
            program = _captured(source, module, arguments, dynamic)
        except ModuleNotFoundError:
            raise
        except Exception as error:
            own = _own_problem(module, arguments)
            if own is None and bounds is not attempts[-1]:
                continue
            words, hint = own or (last_words(error), LOG)
            raise StepInputError(
                f"{source.entrypoint}: cannot be exported by PyTorch: {words}, "
                f"at {shown(inputs, sizes.example)}",
                hint=hint,
            ) from error
        return program, (WITHIN,) if bounds else ()
    raise AssertionError  # the last attempt ends in one or the other


def _captured(
    source: Torch, module: nn.Module, arguments: tuple[Tensor, ...], dynamic: tuple[Any, ...]
) -> ONNXProgram:
    import torch

    with _silence_exporter(), torch.no_grad():
        return torch.onnx.export(
            module,
            arguments,
            dynamo=True,
            dynamic_shapes={"args": dynamic} if _is_variadic(module) else dynamic,
            opset_version=source.opset,
            optimize=True,
            verbose=False,
        )


def _own_problem(module: nn.Module, arguments: tuple[Tensor, ...]) -> tuple[str, str] | None:
    """Say why a module itself cannot be exported, with what to do: it fails, or returns others."""
    import torch

    try:
        with torch.no_grad():
            returned = flat(module(*arguments))
    except Exception as own:  # noqa: BLE001  # the user's own code
        hint = "a dynamic dimension has the `opt` size of `profiles`, or one made up: give profiles"
        return f"it raises {last_words(own)}", hint
    others = [type(each).__name__ for each in returned if not isinstance(each, torch.Tensor)]
    if others:
        return f"it returns {others[0]} beside tensors", "have forward return tensors alone"
    return None


def _is_variadic(module: nn.Module) -> bool:
    kinds = [p.kind for p in inspect.signature(module.forward).parameters.values()]
    return bool(kinds) and kinds[0] is inspect.Parameter.VAR_POSITIONAL


def _input_order(source: Torch, module: nn.Module) -> list[str]:
    """Return the inputs in `forward`'s order; one alone needs no name of its own.

    The order in which a recipe writes them must not matter: a digest does not see it.
    """
    if len(source.inputs) == 1:
        return list(source.inputs)
    parameters = list(inspect.signature(module.forward).parameters)
    unknown = [name for name in source.inputs if name not in parameters]
    order = [name for name in parameters if name in source.inputs]
    if unknown or order != parameters[: len(order)]:
        raise StepInputError(
            f"{source.entrypoint}: inputs {', '.join(source.inputs)} do not match forward("
            + ", ".join(parameters)
            + ")",
            hint="name the inputs as forward's first parameters are named",
        )
    return order


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


def _hold_to_promises(
    source: Torch, inputs: Mapping[str, InputSpec], model: onnx.ModelProto
) -> None:
    found = model.graph.input
    if len(found) != len(inputs):
        raise StepInputError(
            f"{source.entrypoint}: exported with {len(found)} inputs, not {', '.join(inputs)}",
            hint="does forward use every input?",
        )
    for value, (name, spec) in zip(found, inputs.items(), strict=True):
        for size, dimension in zip(spec.shape, value.type.tensor_type.shape.dim, strict=True):
            kept = str(dimension.dim_value or dimension.dim_param)
            if isinstance(size, str) and not kept.isidentifier():
                raise StepInputError(
                    f"{source.entrypoint}: the export works for `{size}` = {kept} alone, in "
                    f"`{name}` {list(spec.shape)}",
                    hint=f"write a number in place of `{size}`, or have forward take any size",
                )
    opset = next(entry.version for entry in model.opset_import if entry.domain == "")
    if opset != source.opset:
        raise StepInputError(
            f"{source.entrypoint}: cannot be exported at opset {source.opset}, only at {opset}",
            hint=f"write `opset: {opset}`",
        )


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


@contextlib.contextmanager
def _silence_exporter() -> Iterator[None]:
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
