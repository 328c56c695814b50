"""Export a PyTorch module as ONNX: named after the user's modules, the same bytes anywhere."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import StepInputError
from trtbuild.model.imported_model import ImportedModel
from trtbuild.model.valid import EXPORT_AGAIN, check_onnx
from trtbuild.sources.naming import name_after_modules, strip_remarks
from trtbuild.sources.torch_module import prepare_module, translate_errors

if TYPE_CHECKING:
    import onnx
    from torch import Tensor, nn

    from trtbuild.sources.kinds import Torch

__all__ = ["export_module"]


def export_module(source: Torch, *, base: Path, weights: Path | None) -> ImportedModel:
    """Make the module, load or seed its weights, and export it.

    Raises:
        MissingFile: it asks for weights, there are none, and it may not be seeded.
        MissingDependency: PyTorch or the exporter is not installed.
        StepInputError: the weights do not fit, or PyTorch cannot export the module.
    """
    made = prepare_module(source, base=base, weights=weights)
    return ImportedModel(_export(source, made.module), made.notes, made.caveats)


def _export(source: Torch, module: nn.Module) -> onnx.ModelProto:
    import torch

    names = _input_order(source, module)
    arguments, shapes = _example(source, names)
    with (
        _silence_exporter(),
        translate_errors(source, "cannot be exported by PyTorch"),
        torch.no_grad(),
    ):
        program = torch.onnx.export(
            module,
            arguments,
            dynamo=True,
            dynamic_shapes={"args": shapes} if _is_variadic(module) else shapes,
            input_names=names,
            output_names=list(source.outputs),
            opset_version=source.opset,
            optimize=True,
            verbose=False,
        )
        model: onnx.ModelProto = program.model_proto
    _hold_to_promises(source, names, model)
    name_after_modules(model, module.state_dict())
    strip_remarks(model)
    _forget_constants(model.graph)
    check_onnx(model, source.entrypoint, hint=EXPORT_AGAIN)
    return model


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


def _example(source: Torch, names: list[str]) -> tuple[tuple[Tensor, ...], tuple[Any, ...]]:
    """Return arguments of plausible size, and which of their dimensions are dynamic."""
    import torch

    dimensions: dict[str, Any] = {}
    sizes: dict[str, int] = {}
    arguments, shapes = [], []
    for name in names:
        spec = source.inputs[name]
        for axis, size in enumerate(spec.shape):
            if isinstance(size, str) and size not in sizes:
                dimensions[size] = torch.export.Dim(size)
                # 1 would be taken for static, and equal sizes for one dimension; what is not a
                # batch may be halved a few times on its way through the network.
                sizes[size] = 2 + len(sizes) if axis == 0 else 64 + 32 * len(sizes)
        shape = [sizes[size] if isinstance(size, str) else size for size in spec.shape]
        arguments.append(torch.zeros(shape, dtype=getattr(torch, spec.dtype)))
        shapes.append(
            {
                axis: dimensions[size]
                for axis, size in enumerate(spec.shape)
                if isinstance(size, str)
            }
        )
    return tuple(arguments), tuple(shapes)


def _hold_to_promises(source: Torch, names: list[str], model: onnx.ModelProto) -> None:
    outputs = [value.name for value in model.graph.output]
    if outputs != list(source.outputs):
        raise StepInputError(
            f"{source.entrypoint}: it returns {len(outputs)} tensors, "
            f"the recipe names {len(source.outputs)}: {', '.join(source.outputs)}",
            hint="name every output, in order, under model.outputs",
        )
    inputs = [value.name for value in model.graph.input]
    if inputs != names:
        raise StepInputError(
            f"{source.entrypoint}: exported with the inputs {', '.join(inputs) or 'none'}, "
            f"not {', '.join(names)}",
            hint="does forward use every input?",
        )
    opset = next(entry.version for entry in model.opset_import if entry.domain == "")
    if opset != source.opset:
        raise StepInputError(
            f"{source.entrypoint}: cannot be exported at opset {source.opset}, only at {opset}",
            hint=f"write `opset: {opset}`",
        )


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
