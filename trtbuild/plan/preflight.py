"""Recipe × the model's signature → problems (profiles, ranges, skips, data, outputs)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from trtbuild.core.action import Outcome
from trtbuild.core.errors import RecipeError
from trtbuild.core.values import STRINGS, Signature, TensorSpec
from trtbuild.data.base import Manifest
from trtbuild.plan.compile import list_used_data, name_capture_step
from trtbuild.plan.feeding_fit import find_feeding_problems
from trtbuild.plan.nearest import suggest_nearest
from trtbuild.plan.output_fit import find_output_problems
from trtbuild.plan.patterns import find_pattern_problems
from trtbuild.plan.ranges import find_range_problems
from trtbuild.plan.reference import REFERENCE
from trtbuild.plan.reference_fit import find_reference_problems
from trtbuild.plan.stated_data import state_manifest
from trtbuild.recipe.problems import Problem, sort_problems
from trtbuild.store.artifacts import read_artifact
from trtbuild.store.store import Store

if TYPE_CHECKING:
    from trtbuild.recipe.load import LoadedRecipe
    from trtbuild.recipe.schema import Recipe
    from trtbuild.recipe.source import RecipeText

__all__ = [
    "BEFORE",
    "check_against_model",
    "find_model_problems",
    "find_profile_problems",
    "find_string_problems",
]

BEFORE = ("import_model", "fix_graph", "capture_data")
"""The kinds of the steps whose outputs a recipe is held against."""


def check_against_model(loaded: LoadedRecipe, outcomes: Sequence[Outcome], store: Store) -> None:
    """Hold a recipe against its model and data, as far as the steps that read them have run.

    Raises:
        RecipeError: all that does not fit, in file order.
    """
    artifacts = {(o.step, artifact.name): artifact for o in outcomes for artifact in o.artifacts}
    described = artifacts.get(("fix_graph", "signature"))
    if described is None:
        return
    signature = read_artifact(store, described, Signature)
    manifests = {
        name: read_artifact(store, artifact, Manifest)
        for name in loaded.recipe.data
        if (artifact := artifacts.get((name_capture_step(name), "manifest")))
    }
    base = loaded.file.parent.absolute()
    for name in list_used_data(loaded.recipe):
        stated = None if name in manifests else state_manifest(loaded.recipe.data[name], base)
        if stated is not None:
            manifests[name] = stated
    # A model that was quantized has had its ranges looked at.
    model = None if ("quantize", "model") in artifacts else artifacts[("fix_graph", "model")]
    path = None if model is None else store.object_path(model.digest)
    right = artifacts.get((REFERENCE, "signature"))
    found = sort_problems(
        [
            *find_model_problems(loaded, signature, manifests),
            *(
                []
                if right is None
                else find_reference_problems(
                    loaded, signature, read_artifact(store, right, Signature)
                )
            ),
            *find_range_problems(loaded, signature.tensors, path),
        ]
    )
    if found:
        raise RecipeError(found)


def find_model_problems(
    loaded: LoadedRecipe, signature: Signature, manifests: dict[str, Manifest]
) -> Iterator[Problem]:
    """Yield every place where a recipe does not fit the model it names."""
    yield from find_profile_problems(loaded.recipe, loaded.source, signature.inputs)
    yield from find_pattern_problems(loaded, signature)
    yield from find_feeding_problems(loaded, signature, manifests)
    yield from find_output_problems(loaded, signature)
    yield from find_string_problems(loaded.source, (*signature.inputs, *signature.outputs))


def find_string_problems(source: RecipeText, specs: Iterable[TensorSpec]) -> Iterator[Problem]:
    """Yield the inputs and outputs that hold text."""
    for spec in specs:
        if spec.dtype == STRINGS:
            told = f"`{spec.name}` holds strings, and TensorRT has no such tensors"
            hint = "turn text into numbers before the model (tokens, indices), and export the rest"
            yield source.problem(("model",), told, hint, key=True)


def find_profile_problems(
    recipe: Recipe, source: RecipeText, found: Sequence[TensorSpec]
) -> Iterator[Problem]:
    """Yield every place where the profiles do not fit the inputs that were found in a model."""
    at = source.problem
    inputs = {spec.name: spec for spec in found}
    dynamic = [spec for spec in found if _dynamic(spec)]
    # Of a recipe that is wrong elsewhere, the targets may not be known.
    targets = getattr(recipe, "targets", {})
    needing = [name for name, each in targets.items() if each.capabilities.typing]
    if dynamic and needing and not recipe.profiles:
        shown = ", ".join(_shown(spec) for spec in dynamic)
        yield at(
            ("targets", needing[0]),
            f"dynamic dimensions without a profile: {shown}",
            "add `profiles:` with min, opt and max shapes, or fix the size with set_dimension",
            key=True,
        )
    for index, profile in enumerate(recipe.profiles):
        where = ("profiles", index)
        for name, shapes in profile.items():
            if name not in inputs:
                message = f"the model has no input `{name}`"
                yield at((*where, name), message, suggest_nearest(name, list(inputs)), key=True)
                continue
            for field in ("min", "opt", "max"):
                if shapes.values:
                    wrong = _misfit_values(getattr(shapes, field), inputs[name])
                else:
                    wrong = _misfit(getattr(shapes, field), inputs[name])
                if wrong:
                    hint = f"the model says {_shown(inputs[name])}"
                    yield at((*where, name, field), f"`{name}`: {wrong}", hint)
                    break  # the other two are wrong in the same way
        yield from _disagreements(recipe, source, inputs, index)
        for spec in dynamic:
            if spec.name not in profile:
                message = f"this profile leaves out `{spec.name}`, which has dynamic dimensions"
                yield at(where, message, f"the model says {_shown(spec)}")


def _disagreements(
    recipe: Recipe, source: RecipeText, inputs: Mapping[str, TensorSpec], index: int
) -> Iterator[Problem]:
    """Yield where a profile gives two sizes to dimensions of one name, which are one dimension."""
    for field in ("min", "opt", "max"):
        shapes = {
            name: getattr(each, field)
            for name, each in recipe.profiles[index].items()
            if name in inputs
            and not each.values
            and not _misfit(getattr(each, field), inputs[name])
        }
        found = list(_unlike(shapes, inputs))
        for name, message in found:
            hint = f"the model says {', '.join(map(_shown, inputs.values()))}"
            yield source.problem(("profiles", index, name, field), message, hint)
        if found:
            return  # the other two are wrong in the same way


def _unlike(
    shapes: Mapping[str, tuple[int, ...]], inputs: Mapping[str, TensorSpec]
) -> Iterator[tuple[str, str]]:
    known: dict[str, tuple[int, str]] = {}
    for name, shape in shapes.items():
        for axis, (size, called) in enumerate(zip(shape, inputs[name].shape, strict=True)):
            if isinstance(called, int):
                continue
            expected, there = known.setdefault(called, (size, f"axis {axis} of `{name}`"))
            if size != expected:
                unlike = f"`{name}`: axis {axis} is {size}, and {there} is {expected}"
                yield name, f"{unlike}; the model calls both `{called}`, so they are one size"


def _misfit(shape: tuple[int, ...], spec: TensorSpec) -> str:
    if len(shape) != len(spec.shape):
        return f"{list(shape)} has {len(shape)} dimensions, the input has {len(spec.shape)}"
    for axis, (size, expected) in enumerate(zip(shape, spec.shape, strict=True)):
        if isinstance(expected, int) and size != expected:
            return f"axis {axis} is fixed at {expected}, the profile says {size}"
    return ""


def _misfit_values(values: tuple[int, ...], spec: TensorSpec) -> str:
    count = spec.shape[0] if spec.shape else 1
    if len(spec.shape) > 1:
        return f"TensorRT takes values of inputs with one axis at most, not {len(spec.shape)}"
    if len(values) != count:
        return f"{list(values)} has {len(values)} values, the input has {count}"
    return ""


def _dynamic(spec: TensorSpec) -> bool:
    return any(isinstance(size, str) for size in spec.shape)


def _shape(spec: TensorSpec) -> str:
    return f"[{', '.join(str(size) for size in spec.shape)}]"


def _shown(spec: TensorSpec) -> str:
    return f"`{spec.name}` {_shape(spec)}"
