"""What a module of PyTorch takes, guessed from its first layers and found by trying."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice, product
from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import StepInputError
from trtbuild.core.values import TensorSpec

if TYPE_CHECKING:
    from torch import nn

__all__ = ["guess_inputs"]

Run = Callable[
    ["nn.Module", Sequence[TensorSpec], Mapping[str, tuple[int, ...]],
     Mapping[str, tuple[float, float]]], Any,
]  # fmt: skip
MOST_TRIALS = 300
FIRST_LAYERS = 4
LENGTH = 16
_SIDES = (224, 32, 28, 64, 48, 96, 128, 256, 299, 384, 512, 16, 8)
_SAMPLES = (16000, 1024, 128, 100, 64)
_WHOLE = ("ids", "mask", "token", "index", "indices", "position")


def guess_inputs(module: nn.Module, run: Run) -> tuple[tuple[TensorSpec, ...], dict[str, int]]:
    """Return the inputs with which a module runs, and rows of the tables they are places in.

    Nothing where none of those tried fits.
    """
    names = _list_required(module)
    if not names:
        return (), {}
    layers = _list_first_layers(module)
    rows = next((r for each in layers if (r := getattr(each, "num_embeddings", 0))), 0)
    options = [list(_list_candidates(name, layers, alone=len(names) == 1)) for name in names]
    for chosen in islice(product(*options), MOST_TRIALS):
        shapes = {spec.name: _size(spec, 2) for spec in chosen}
        values = {
            spec.name: (0.0, float(rows if rows and "mask" not in spec.name else 2))
            for spec in chosen
            if spec.dtype == "int64"
        }
        if any("type" in spec.name for spec in chosen):
            values |= {s.name: (0.0, 2.0) for s in chosen if "type" in s.name}
        try:
            run(module, chosen, shapes, values)
        except StepInputError:
            continue
        tables = {
            s.name: rows
            for s in chosen
            if s.dtype == "int64" and values[s.name][1] == rows and rows
        }
        return tuple(chosen), tables
    return (), {}


def _list_required(module: nn.Module) -> list[str]:
    """Return what `forward` cannot do without; where it needs nothing by name, its first."""
    parameters = inspect.signature(module.forward).parameters.values()
    named = [
        each
        for each in parameters
        if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)
    ]
    required = [each.name for each in named if each.default is each.empty]
    return required or [each.name for each in named[:1]] or (["input"] if [*parameters] else [])


def _list_first_layers(module: nn.Module) -> list[nn.Module]:
    """Return the first layers that have weights, one of each sort and width."""
    found: dict[Any, nn.Module] = {}
    for each in module.modules():
        if any(True for _ in each.parameters(recurse=False)):
            sizes = [
                getattr(each, name, None)
                for name in ("in_channels", "in_features", "input_size", "embed_dim")
            ]
            found.setdefault((type(each).__name__, *sizes), each)
    return list(islice(found.values(), FIRST_LAYERS))


def _list_candidates(
    name: str, layers: Sequence[nn.Module], *, alone: bool
) -> Iterator[TensorSpec]:
    """Yield what an input may be: as a first layer takes it, the likeliest first."""
    whole = TensorSpec(name=name, dtype="int64", shape=("batch", "length"))
    if any(word in name.lower() for word in _WHOLE):
        yield whole
        return
    seen: set[tuple[int | str, ...]] = set()
    for layer in layers:
        for shape in _list_shapes(layer):
            if shape not in seen:
                seen.add(shape)
                yield TensorSpec(name=name, dtype="float32", shape=shape)
        if hasattr(layer, "num_embeddings"):
            yield whole
    if not alone and not layers:
        yield TensorSpec(name=name, dtype="float32", shape=("batch", LENGTH))


def _list_shapes(layer: nn.Module) -> Iterator[tuple[int | str, ...]]:
    sort = type(layer).__name__
    channels = getattr(layer, "in_channels", None)
    if isinstance(channels, int):
        rank = 3 if "3d" in sort else 1 if "1d" in sort else 2
        if rank == 1:
            yield from (("batch", channels, samples) for samples in _SAMPLES)
        else:
            depth = [LENGTH] * (rank - 2)
            for side in _SIDES:
                yield ("batch", channels, *depth, side, side)
    features = getattr(layer, "in_features", None)
    if isinstance(features, int):
        yield ("batch", features)
        yield ("batch", LENGTH, features)
    width = getattr(layer, "input_size", getattr(layer, "embed_dim", None))
    if isinstance(width, int):
        if getattr(layer, "batch_first", True):
            yield ("batch", "length", width)
        else:
            yield ("length", "batch", width)


def _size(spec: TensorSpec, batch: int) -> tuple[int, ...]:
    return tuple(
        size if isinstance(size, int) else batch if size == "batch" else LENGTH
        for size in spec.shape
    )
