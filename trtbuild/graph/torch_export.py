"""Make a PyTorch module from an entrypoint, give it weights, export it as ONNX."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtbuild.core.entrypoint import load_entrypoint
from trtbuild.core.errors import MissingFile, StepInputError, TrtbuildError
from trtbuild.graph.base import Imported
from trtbuild.graph.naming import name_after_modules, strip_remarks
from trtbuild.graph.onnx_file import check

if TYPE_CHECKING:
    import onnx
    from torch import Tensor, nn

    from trtbuild.graph.sources import Torch

__all__ = ["export"]

SEEDED = "seeded weights"
FEW = 4


def export(source: Torch, *, base: Path, weights: Path | None) -> Imported:
    """Make the module, load or seed its weights, and export it.

    Raises:
        MissingFile: it asks for weights, there are none, and it may not be seeded.
        MissingDependency: PyTorch or the exporter is not installed.
        StepInputError: the weights do not fit, or PyTorch cannot export the module.
    """
    if source.weights is not None and weights is None and source.without_weights == "fail":
        raise MissingFile(
            f"{source.entrypoint}: its weights are not here",
            hint="fetch them, or write `without_weights: seeded` to build without them",
        )
    module = _module(source, base)
    notes: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    if weights is not None and source.weights is not None:
        _load(module, weights, source.weights.key)
    elif source.weights is not None:
        _seed_statistics(module, source.seed)
        notes = (f"weights drawn from seed {source.seed}: the numbers say nothing of a real model",)
        caveats = (SEEDED,)
    elif _depends_on_seed(source, base, module):
        notes = (f"the entrypoint draws weights at random, from seed {source.seed}",)
        caveats = (SEEDED,)
    return Imported(_exported(source, module.eval()), notes, caveats)


def _module(source: Torch, base: Path, *, seed: int | None = None) -> nn.Module:
    import torch

    make = load_entrypoint(source.entrypoint, base)
    with torch.random.fork_rng(devices=[]), _reported(source, "raised"):
        # Before the first parameter exists: whatever initialization draws, it draws from here.
        torch.manual_seed(source.seed if seed is None else seed)
        module = make(**source.options)
    if not isinstance(module, torch.nn.Module):
        raise StepInputError(
            f"{source.entrypoint}: returned {type(module).__name__}; a torch.nn.Module is needed",
            hint="name a function that makes the module, or its class",
        )
    return module


def _load(module: nn.Module, path: Path, key: str | None) -> None:
    from trtbuild.graph.weights import state_dict

    given, wanted = state_dict(path, key), module.state_dict()
    problems = [
        _few("not in the file", [name for name in wanted if name not in given]),
        _few("not in the module", [name for name in given if name not in wanted]),
        _few(
            "of another shape",
            [
                f"{name} {list(given[name].shape)}, not {list(tensor.shape)}"
                for name, tensor in wanted.items()
                if name in given and given[name].shape != tensor.shape
            ],
        ),
    ]
    if any(problems):
        raise StepInputError(
            f"{path}: the weights do not fit the module: " + "; ".join(filter(None, problems)),
            hint="are the entrypoint, its `options` and the weights those of one model?",
        )
    module.load_state_dict(given)


def _few(what: str, names: list[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - FEW} more" if len(names) > FEW else ""
    return f"{len(names)} {what} ({', '.join(names[:FEW])}{more})"


def _seed_statistics(module: nn.Module, seed: int) -> None:
    """Give batch norms running statistics that keep the signal alive through many layers.

    A layer with PyTorch's default initialization makes variance 1/3 of a unit input's second
    moment, half of that after a ReLU. Left at variance 1, a batch norm would let it die: in
    ResNet-50 the residual branches end at a twentieth of what the skip carries. Around 1/3,
    each puts it back in order. Drawn, not measured: a forward pass would differ in the last
    bits between processors.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    for layer in module.modules():
        mean = getattr(layer, "running_mean", None)
        variance = getattr(layer, "running_var", None)
        if isinstance(mean, torch.Tensor) and isinstance(variance, torch.Tensor):
            mean.uniform_(-0.1, 0.1, generator=generator)
            variance.uniform_(1 / 6, 1 / 2, generator=generator)


def _depends_on_seed(source: Torch, base: Path, module: nn.Module) -> bool:
    import torch

    other = _module(source, base, seed=source.seed + 1).state_dict()
    mine = module.state_dict()
    return any(not torch.equal(tensor, other[name]) for name, tensor in mine.items())


def _exported(source: Torch, module: nn.Module) -> onnx.ModelProto:
    import torch

    names = _input_order(source, module)
    arguments, shapes = _example(source, names)
    with _quiet(), _reported(source, "cannot be exported by PyTorch"), torch.no_grad():
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
    check(model, source.entrypoint)
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
def _reported(source: Torch, what: str) -> Iterator[None]:
    """Turn whatever the user's code or the exporter raises into one error with its last words."""
    try:
        yield
    except (TrtbuildError, ModuleNotFoundError):
        raise
    except Exception as error:
        root: BaseException = error
        while root.__cause__ is not None:
            root = root.__cause__
        lines = [line.strip() for line in str(root).splitlines() if line.strip()]
        words = f"{type(root).__name__}: {lines[0]}" if lines else type(root).__name__
        raise StepInputError(
            f"{source.entrypoint}: {what}: {words}",
            hint="the step's log has the whole message; call it by hand to see more",
        ) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
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
