"""What a module of PyTorch shows of itself, once it is made and run."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import StepInputError, UsageError
from trtbuild.core.values import TensorSpec
from trtbuild.core.words import describe_cause
from trtbuild.verbs.init.entries import Entries, Entry
from trtbuild.verbs.init.model_look import ModelLook, Shapes
from trtbuild.verbs.init.models import ModelRequest, place_beside
from trtbuild.verbs.init.torch_inputs import guess_inputs

if TYPE_CHECKING:
    from torch import nn

__all__ = ["look_at_code", "look_at_module"]

_INPUT = re.compile(r"(?P<name>[^=]+)=(?P<shape>[^:]*)(?::(?P<dtype>\w+))?")
_OPERATORS = (
    ("LayerNormalization", ("LayerNorm", "RMSNorm")),
    ("Attention", ("Attention",)),
    ("BatchNormalization", ("BatchNorm",)),
    ("LSTM", ("LSTM",)),
    ("GRU", ("GRU",)),
    ("RNN", ("RNN",)),
    ("Conv", ("Conv",)),
)
"""ONNX's operators, and what is in the names of modules that become them."""


def look_at_code(request: ModelRequest) -> ModelLook:
    """Make a module by the callable that is named, and look at it.

    Raises:
        UsageError: it is no callable, or what the module takes has to be told.
        MissingFile: there is no such file or module.
        StepInputError: the callable raises, or makes no module.
    """
    from trtbuild.core.entrypoint import load_entrypoint

    place, _, name = request.model.rpartition(":")
    make = load_entrypoint(request.model, Path.cwd())
    written = request.model
    if place.endswith(".py"):
        written = f"{place_beside(Path(place), request.base)}:{name}"
    section = [Entry("kind", "torch"), Entry("entrypoint", written)]
    module = _make(make, request.model)
    if request.weights is not None:
        section.append(name_weights(module, request.weights, request.base))
    return look_at_module(module, tuple(section), request, name)


def name_weights(module: nn.Module, path: Path, base: Path) -> Entry:
    """Return the recipe's entry for a module's weights, with the key where several would fit.

    Raises:
        MissingFile: the file is not there.
        StepInputError: it cannot be read, or holds no weights that fit.
    """
    from trtbuild.sources.checkpoint import list_fitting_entries
    from trtbuild.sources.weights import read_weights

    fitting = list_fitting_entries(read_weights(path), module.state_dict(), path=path)
    told = {"path": place_beside(path, base)}
    if len(fitting) == 1:
        return Entry("weights", told)
    others = ", ".join(f"`{each}`" for each in fitting[1:])
    remark = f"a guess: {others} would fit too; an average (ema) is mostly the one evaluated"
    return Entry("weights", {**told, "key": fitting[0]}, remark)


def look_at_module(
    module: nn.Module, section: Entries, request: ModelRequest, name: str
) -> ModelLook:
    """Look at a module: what it takes, by being told or tried, and what it returns.

    Raises:
        UsageError: what it takes is not known, or not as it was told.
    """
    module.eval()
    told = tuple(_parse_input(text) for text in request.inputs)
    guessed = not told
    inputs, tables = (told, {}) if told else guess_inputs(module, run_module)
    if not inputs:
        parameters = ", ".join(inspect.signature(module.forward).parameters)
        raise UsageError(
            f"{request.model}: what its `forward` takes ({parameters}) cannot be told by trying",
            hint="say it: --input NAME=batch,3,224,224 for each, or NAME=batch,20:int64",
        )
    trial = TorchTrial(module, inputs)
    outputs = _find_outputs(module, inputs, request.model, tables)
    notes: tuple[str, ...] = ()
    if request.weights is None and any(True for _ in module.parameters()):
        notes = (
            "its weights are those that the function makes or loads: --weights FILE for others",
        )
    return ModelLook(
        name=name,
        section=(*section, *_describe(inputs, outputs, guessed=guessed)),
        inputs=inputs,
        outputs=outputs,
        operators=_count_operators(module),
        tables=tables,
        trial=trial,
        notes=notes,
    )


def _describe(
    inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec], *, guessed: bool
) -> Entries:
    """Return what a recipe says of a module's inputs and outputs."""
    shapes = {
        spec.name: {
            **({"dtype": spec.dtype} if spec.dtype != "float32" else {}),
            "shape": list(spec.shape),
        }
        for spec in inputs
    }
    remark = "a guess: with these the module runs" if guessed else ""
    names = [spec.name for spec in outputs]
    return (Entry("inputs", shapes, remark), Entry("outputs", names))


class TorchTrial:
    """Runs a module."""

    def __init__(self, module: nn.Module, inputs: Sequence[TensorSpec]) -> None:
        self._module = module
        self._inputs = inputs

    def __call__(self, shapes: Shapes, values: Mapping[str, tuple[float, float]]) -> Shapes:
        """Return the shapes of the outputs, as `TrialRun` says."""
        found = run_module(self._module, self._inputs, shapes, values)
        return {name: tuple(tensor.shape) for name, tensor in found.items()}


def run_module(
    module: nn.Module,
    inputs: Sequence[TensorSpec],
    shapes: Shapes,
    values: Mapping[str, tuple[float, float]],
) -> dict[str, Any]:
    """Run a module once, and return what it returns by name.

    Raises:
        StepInputError: it does not run on that.
    """
    import torch

    from trtbuild.verbs.init.onnx_look import draw

    drawn = [
        torch.from_numpy(draw(each.dtype, shapes[each.name], values.get(each.name, (0.0, 1.0))))
        for each in inputs
    ]
    try:
        with torch.no_grad():
            if len(drawn) == 1:
                return _name_outputs(module(*drawn))
            return _name_outputs(
                module(**{each.name: tensor for each, tensor in zip(inputs, drawn, strict=True)})
            )
    except Exception as error:  # noqa: BLE001  # the user's own code
        raise StepInputError(f"the module raises: {describe_cause(error)}") from None


def _name_outputs(returned: Any) -> dict[str, Any]:
    import torch
    from torch.utils import _pytree as tree

    leaves, _ = tree.tree_flatten_with_path(returned)
    found = {}
    for index, (path, leaf) in enumerate(leaves):
        if isinstance(leaf, torch.Tensor):
            keys = [str(getattr(k, "key", getattr(k, "name", getattr(k, "idx", "")))) for k in path]
            keyed = any(not hasattr(key, "idx") for key in path)
            found[".".join(keys) if keyed else _call(index, len(leaves))] = leaf
    return found


def _call(index: int, count: int) -> str:
    return "output" if count == 1 else f"output_{index}"


def _find_outputs(
    module: nn.Module, inputs: Sequence[TensorSpec], model: str, tables: Mapping[str, int]
) -> tuple[TensorSpec, ...]:
    """Run it with batches of 2 and 3: the axis that moves counts the samples.

    Raises:
        UsageError: it does not run on inputs as they were told.
    """
    values = {name: (0.0, float(rows)) for name, rows in tables.items()}
    try:
        two, three = (run_module(module, inputs, _sizes(inputs, n), values) for n in (2, 3))
    except StepInputError as error:
        raise UsageError(
            f"{model}: it does not run on these inputs: {error.message}",
            hint="--input NAME=batch,3,224,224 for each that `forward` takes",
        ) from None
    return tuple(
        TensorSpec(
            name=name,
            dtype=str(tensor.dtype).rpartition(".")[2],
            shape=tuple(
                one if one == other else "batch"
                for one, other in zip(tensor.shape, three[name].shape, strict=True)
            ),
        )
        for name, tensor in two.items()
    )


def _sizes(inputs: Sequence[TensorSpec], batch: int) -> dict[str, tuple[int, ...]]:
    """Return sizes to run at: the first dimension with a name is the batch, others are 16."""
    return {
        spec.name: tuple(
            size if isinstance(size, int) else batch if size == "batch" else 16
            for size in spec.shape
        )
        for spec in inputs
    }


def _parse_input(text: str) -> TensorSpec:
    match = _INPUT.fullmatch(text)
    sizes = re.split(r",|(?<=\d)x(?=\d)", match["shape"].strip("[] ")) if match else [""]
    plain = [each.strip() for each in sizes]
    if match is None or not all(each.isdecimal() or each.isidentifier() for each in plain):
        raise UsageError(
            f"--input {text}: is no input", hint="NAME=batch,3,224,224 or NAME=batch,20:int64"
        )
    shape = tuple(int(each) if each.isdecimal() else each for each in plain)
    return TensorSpec(name=match["name"].strip(), dtype=match["dtype"] or "float32", shape=shape)


def _make(make: Any, model: str) -> nn.Module:
    import torch

    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            made = make()
    except Exception as error:  # noqa: BLE001  # the user's own code
        raise StepInputError(
            f"{model}: raised: {describe_cause(error)}",
            hint="it is called without arguments: give them defaults, or name a function that does",
        ) from None
    if not isinstance(made, torch.nn.Module):
        raise StepInputError(
            f"{model}: returned {type(made).__name__}; a torch.nn.Module is needed",
            hint="name a function that makes the module, or its class",
        )
    return made


def _count_operators(module: nn.Module) -> Counter[str]:
    names = [type(each).__name__ for each in module.modules()]
    return Counter(
        operator
        for name in names
        for operator, parts in _OPERATORS
        if any(p in name for p in parts)
    )
