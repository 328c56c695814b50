"""How a PyTorch module is called, and what it is exported as: in the recipe's names."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trtbuild.core.errors import StepInputError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from trtbuild.sources.inputs import InputSpec
    from trtbuild.sources.sizes import Sizes
    from trtbuild.sources.torch import Exporter
    from trtbuild.sources.torch_module import PreparedModule

__all__ = ["ExportRequest", "ForwardCall", "arrange", "list_parameters"]

Arguments = tuple[tuple["Tensor", ...], dict[str, "Tensor"]]


@dataclass(frozen=True)
class ExportRequest:
    """What is asked of an exporter."""

    where: str
    """What errors begin with: the entrypoint, or the model's name."""
    made: PreparedModule
    inputs: Mapping[str, InputSpec]
    outputs: tuple[str, ...]
    """Names for what the module returns; none for the names that it has there itself."""
    opset: int
    sizes: Sizes
    exporter: Exporter = "dynamo"
    may_pick: bool = False
    """The outputs may be a part of what it returns, by the names there."""

    @property
    def module(self) -> nn.Module:
        """Return the module."""
        return self.made.module


@dataclass(frozen=True)
class ForwardCall:
    """A module's inputs in the order in which `forward` names them."""

    inputs: Mapping[str, InputSpec]
    keywords: tuple[str, ...] = ()
    """Their names, where they are given by name: `forward` has others between them."""

    def split(self, tensors: tuple[Tensor, ...]) -> Arguments:
        """Return positional arguments, and those that go by name."""
        if self.keywords:
            return (), dict(zip(self.keywords, tensors, strict=True))
        return tensors, {}


def list_parameters(module: nn.Module) -> Mapping[str, inspect.Parameter]:
    """Return the parameters of `forward`, of a program of TorchScript too."""
    try:
        return inspect.signature(module.forward).parameters
    except ValueError:  # such a program has a signature of its own
        kind, empty = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.empty
        return {
            each.name: inspect.Parameter(
                each.name, kind, default=each.default_value if each.has_default_value() else empty
            )
            for each in module.forward.schema.arguments[1:]
        }


def arrange(request: ExportRequest) -> ForwardCall:
    """Return how the module is called; one input alone needs no name of its own.

    The order in which a recipe writes inputs must not matter: a digest does not see it.

    Raises:
        StepInputError: `forward` does not know an input, or needs another.
    """
    inputs = request.inputs
    parameters = list_parameters(request.module)
    if len(inputs) == 1 and next(iter(inputs)) not in parameters:
        return ForwardCall(inputs)
    order = [name for name in parameters if name in inputs]
    more = [name for name in inputs if name not in parameters]
    takes_more = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    empty = inspect.Parameter.empty
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    lacking = [
        name
        for name, each in parameters.items()
        if each.kind in named and each.default is empty and name not in inputs
    ]
    if (more and not takes_more) or (lacking and len(inputs) > 1):
        raise StepInputError(
            f"{request.where}: inputs {', '.join(inputs)} do not match forward("
            + ", ".join(parameters)
            + ")",
            hint="name the inputs as forward's parameters are named, and give all that it needs",
        )
    ordered = {name: inputs[name] for name in (*order, *sorted(more))}
    first = list(parameters)[: len(ordered)]
    by_place = list(ordered) == first and all(
        parameters[name].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD for name in first
    )
    return ForwardCall(ordered, () if by_place else tuple(ordered))
