"""Whether the engines that profiles make could take the samples of the recipe's own data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from trtbuild.core.values import TensorSpec
from trtbuild.data.base import Manifest
from trtbuild.recipe.schema import ProfileShapes, Recipe

__all__ = ["find_samples_beyond_profiles"]

Span = tuple[int, int]


def find_samples_beyond_profiles(
    recipe: Recipe, manifests: Mapping[str, Manifest]
) -> Iterator[str]:
    """Yield a warning for each input and data set of which no profile takes every sample.

    The batch is not looked at: it is for whoever runs the engine to choose.
    """
    for data, manifest in manifests.items():
        for tensor in manifest.tensors:
            profiles = [
                profile[tensor.name]
                for profile in recipe.profiles
                if tensor.name in profile and not profile[tensor.name].values
            ]
            spans = _list_spans(tensor, manifest)
            if not profiles or None in spans:
                continue
            sizes = [span for span in spans if span is not None]
            if not any(_takes(each, sizes, recipe, tensor.name) for each in profiles):
                yield _describe(data, tensor.name, sizes, profiles)


def _list_spans(tensor: TensorSpec, manifest: Manifest) -> list[Span | None]:
    """Return the least and largest size of each axis of the samples; None where not known."""
    varying = {
        span.axis: (span.least, span.most) for span in manifest.sizes if span.tensor == tensor.name
    }
    return [
        varying.get(axis, (size, size) if isinstance(size, int) else None)
        for axis, size in enumerate(tensor.shape)
    ]


def _takes(profile: ProfileShapes, sizes: list[Span], recipe: Recipe, name: str) -> bool:
    if len(profile.min) != len(profile.max):
        return True  # which is not for here to say
    own = list(zip(profile.min, profile.max, strict=True))
    if len(own) == len(sizes):
        return _fits(sizes, own)
    if len(own) != len(sizes) + 1:
        return True  # nor is this
    feeding = recipe.inputs.get(name)
    chosen = None if feeding is None else feeding.batch_axis
    if isinstance(chosen, int) and chosen < len(own):
        axes = [chosen]
    else:
        # Which axis counts the samples is the model's to say: a state's may be any.
        axes = [0, *(axis for axis, (least, _) in enumerate(own) if least == 1)]
    return any(_fits(sizes, [*own[:axis], *own[axis + 1 :]]) for axis in axes)


def _fits(sizes: list[Span], own: list[Span]) -> bool:
    pairs = zip(sizes, own, strict=True)
    return all(low <= least and most <= high for (least, most), (low, high) in pairs)


def _describe(data: str, name: str, sizes: list[Span], profiles: list[ProfileShapes]) -> str:
    told = ", ".join(str(low) if low == high else f"{low} to {high}" for low, high in sizes)
    taken = "; ".join(f"min {list(each.min)}, max {list(each.max)}" for each in profiles)
    return (
        f"data `{data}`: its samples of `{name}` are [{told}] without the batch, and no profile "
        f"takes them all ({taken}): the engine cannot run on them (hint: widen the profile to what "
        "the engine shall take, or bring the data to that size)"
    )
