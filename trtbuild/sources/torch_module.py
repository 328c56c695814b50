"""Make a PyTorch module from an entrypoint, and give it weights."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.core.entrypoint import load_entrypoint, pass_on_stops
from trtbuild.core.errors import MissingFile, StepInputError, TrtbuildError
from trtbuild.core.frozen import frozen
from trtbuild.core.words import describe_cause
from trtbuild.sources.checkpoint import fit_weights

if TYPE_CHECKING:
    from torch import nn

    from trtbuild.sources.torch import Torch

__all__ = ["SEEDED", "PreparedModule", "prepare_module", "translate_errors"]

SEEDED = "seeded weights"


@frozen
class PreparedModule:
    """A module ready to be exported, and what its reader must know."""

    module: nn.Module
    notes: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()


def prepare_module(source: Torch, *, base: Path, weights: Path | None) -> PreparedModule:
    """Make the module, and load or seed its weights.

    Raises:
        MissingFile: it asks for weights, there are none, and it may not be seeded.
        MissingDependency: PyTorch is not installed.
        StepInputError: the entrypoint makes no module, or the weights do not fit it.
    """
    if source.weights is not None and weights is None and source.without_weights == "fail":
        raise MissingFile(
            f"{source.entrypoint}: its weights are not here",
            hint="fetch them, or write `without_weights: seeded` to build without them",
        )
    module = _module(source, base).eval()
    if weights is not None and source.weights is not None:
        from trtbuild.sources.weights import read_weights

        content = read_weights(weights)
        state, notes = fit_weights(
            content, module.state_dict(), key=source.weights.key, path=weights
        )
        module.load_state_dict(state)
        return PreparedModule(module, notes)
    if source.weights is not None:
        _seed_statistics(module, source.seed)
        note = f"weights drawn from seed {source.seed}: the numbers say nothing of a real model"
        return PreparedModule(module, (note,), (SEEDED,))
    if _depends_on_seed(source, base, module):
        note = f"the entrypoint draws weights at random, from seed {source.seed}"
        return PreparedModule(module, (note,), (SEEDED,))
    return PreparedModule(module)


def _module(source: Torch, base: Path, *, seed: int | None = None) -> nn.Module:
    import torch

    make = load_entrypoint(source.entrypoint, base)
    with torch.random.fork_rng(devices=[]), translate_errors(source, "raised"):
        # Before the first parameter exists: whatever initialization draws, it draws from here.
        torch.manual_seed(source.seed if seed is None else seed)
        module = make(**source.options)
    if not isinstance(module, torch.nn.Module):
        raise StepInputError(
            f"{source.entrypoint}: returned {type(module).__name__}; a torch.nn.Module is needed",
            hint="name a function that makes the module, or its class",
        )
    return module


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


@contextlib.contextmanager
def translate_errors(source: Torch, what: str) -> Iterator[None]:
    """Turn whatever the user's code or the exporter raises into one error with its last words."""
    try:
        yield
    except (TrtbuildError, ModuleNotFoundError):
        raise
    except BaseException as error:
        pass_on_stops(error)
        raise StepInputError(
            f"{source.entrypoint}: {what}: {describe_cause(error)}",
            hint="the step's log has the whole message; call it by hand to see more",
        ) from error
