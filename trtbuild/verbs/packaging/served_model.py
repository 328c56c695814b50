"""What a server has to know of a model: what it takes and gives, and how many samples at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from trtbuild.core.errors import UsageError
from trtbuild.core.records import TargetResult
from trtbuild.core.values import TensorSpec
from trtbuild.recipe.schema import Recipe
from trtbuild.verbs.packaging.placed_build import PlacedBuild, PlacedEngine

__all__ = [
    "ProfileBounds",
    "ServedModel",
    "describe_build_served",
    "describe_engine_served",
    "describe_model_served",
]


@dataclass(frozen=True)
class ProfileBounds:
    """The shapes of an input in a profile."""

    min: tuple[int, ...]
    opt: tuple[int, ...]
    max: tuple[int, ...]

    def hold(self, shape: tuple[int, ...]) -> bool:
        """Tell whether a shape lies within them."""
        return len(shape) == len(self.min) and all(
            low <= size <= high for low, size, high in zip(self.min, shape, self.max, strict=True)
        )


Profile = Mapping[str, ProfileBounds]


@dataclass(frozen=True)
class ServedModel:
    """A model as its server sees it."""

    name: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    profiles: tuple[Profile, ...] = ()
    valued: frozenset[str] = frozenset()
    """Inputs whose values decide shapes."""
    graphs: bool = True
    """Of engines, whether CUDA graphs are made of the shapes that profiles are tuned for."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """What its configuration says of where it comes from."""

    @property
    def max_batch(self) -> int:
        """The most samples at once; 0 where axis 0 does not count samples in all tensors.

        A server that puts requests together does so along axis 0 of every input and output: it must
        be open in each of them, and named alike where it has a name.
        """
        tensors = (*self.inputs, *self.outputs)
        first = [each.shape[0] if each.shape else 1 for each in tensors]
        names = {size for size in first if isinstance(size, str) and size not in _UNNAMED}
        if self.valued or len(names) > 1 or any(isinstance(size, int) for size in first):
            return 0
        spans: dict[object, list[tuple[int, int]]] = {}
        for told in filter(None, self.profiles):
            others = tuple((name, told[name].min[1:], told[name].max[1:]) for name in sorted(told))
            low, high = max(s.min[0] for s in told.values()), min(s.max[0] for s in told.values())
            spans.setdefault(others, []).append((low, high))
        return min(map(_find_reach, spans.values()), default=_USUAL_BATCH)

    @property
    def profiles_differ(self) -> bool:
        """Whether a profile takes what another does not: shapes, or values of them."""
        spans = [{name: (s.min, s.max) for name, s in each.items()} for each in self.profiles]
        return len(spans) > 1 and bool(self.valued or any(each != spans[0] for each in spans))

    def takes(self, sizes: Mapping[str, tuple[int, ...]]) -> bool:
        """Tell whether a profile takes inputs of such shapes, axis 0 included."""
        return not self.profiles or any(
            all(bounds.hold(sizes[name]) for name, bounds in profile.items())
            for profile in self.profiles
        )

    def rename(self, name: str) -> ServedModel:
        """Return the same model under another name."""
        return replace(self, name=name)

    def find_opt(self, spec: TensorSpec, profile: Profile) -> tuple[int, ...]:
        """Return the shape of an input that a profile is tuned for; 1 where nothing is said."""
        told = profile.get(spec.name)
        return told.opt if told else tuple(n if isinstance(n, int) else 1 for n in spec.shape)


def _find_reach(spans: Sequence[tuple[int, int]]) -> int:
    """Return the most samples up to which spans take every number: so many may come together."""
    reached = 0
    for low, high in sorted(spans):
        reached = max(reached, high) if low <= reached + 1 else reached
    return reached


_UNNAMED = {"", "?"}
_TOLD = {"weights", "weights_digest", "refitted_from"}
"""What is told of a refit."""
_USUAL_BATCH = 8
"""Of a model without profiles, which any batch fits."""


def describe_build_served(build: PlacedBuild, engines: Sequence[PlacedEngine]) -> ServedModel:
    """Return what a server has to know of a build's engines, which are alike but for the GPU."""
    told = {} if build.refit is None else build.refit.model_dump(include=_TOLD)
    served = describe_engine_served(build.name, engines[0].result)
    return replace(served, graphs=all(each.runtime.graphs for each in engines), parameters=told)


def describe_engine_served(name: str, result: TargetResult) -> ServedModel:
    """Return what a server has to know of an engine."""
    profiles = tuple(
        {
            tensor: ProfileBounds(*(tuple(shapes[each]) for each in ("min", "opt", "max")))
            for tensor, shapes in profile.items()
            if {"min", "opt", "max"} <= shapes.keys()
        }
        for profile in result.profiles
    )
    valued = frozenset(
        tensor
        for profile in result.profiles
        for tensor, shapes in profile.items()
        if "min values" in shapes
    )
    inputs, outputs = (tuple(map(_read_spec, each)) for each in (result.inputs, result.outputs))
    return ServedModel(name, inputs, outputs, profiles, valued)


def describe_model_served(
    name: str, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec], recipe: Recipe
) -> ServedModel:
    """Return what a server has to know of an ONNX model, with the recipe's profiles."""
    known = {each.name for each in inputs}
    profiles = tuple(
        {
            tensor: ProfileBounds(shapes.min, shapes.opt, shapes.max)
            for tensor, shapes in profile.items()
            if not shapes.values and tensor in known
        }
        for profile in recipe.profiles
    )
    valued = frozenset(
        tensor
        for profile in recipe.profiles
        for tensor, shapes in profile.items()
        if shapes.values and tensor in known
    )
    return ServedModel(name, tuple(inputs), tuple(outputs), profiles, valued)


def _read_spec(told: Mapping[str, str | list[int | str]]) -> TensorSpec:
    name, dtype, shape = told["name"], told["dtype"], told["shape"]
    if not isinstance(name, str) or not isinstance(dtype, str) or isinstance(shape, str):
        raise UsageError(
            "engine.json does not say what the engine takes", hint="apply the recipe again"
        )
    return TensorSpec(name=name, dtype=dtype, shape=tuple(shape))
