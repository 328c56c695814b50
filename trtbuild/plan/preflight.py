"""Recipe × the model's signature → problems (profiles, ranges, skips, data, outputs)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from trtbuild.core.errors import RecipeError, StepInputError
from trtbuild.core.records import Outcome
from trtbuild.core.values import Signature, TensorSpec
from trtbuild.data.base import Manifest
from trtbuild.model.batching import fits, quote_setting
from trtbuild.model.feeds import Feeder, takes
from trtbuild.plan.compile import name_capture_step
from trtbuild.plan.nearest import suggest_nearest
from trtbuild.plan.patterns import find_pattern_problems
from trtbuild.plan.ranges import find_range_problems
from trtbuild.recipe.problems import Problem, sort_problems
from trtbuild.store.artifacts import read_artifact
from trtbuild.store.store import Store

if TYPE_CHECKING:
    from trtbuild.recipe.load import LoadedRecipe

__all__ = ["BEFORE", "check_against_model", "find_model_problems"]

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
    # A model that was quantized has had its ranges looked at.
    model = None if ("quantize", "model") in artifacts else artifacts[("fix_graph", "model")]
    path = None if model is None else store.object_path(model.digest)
    found = sort_problems(
        [
            *find_model_problems(loaded, signature, manifests),
            *find_range_problems(loaded, signature.tensors, path),
        ]
    )
    if found:
        raise RecipeError(found)


def find_model_problems(
    loaded: LoadedRecipe, signature: Signature, manifests: dict[str, Manifest]
) -> Iterator[Problem]:
    """Yield every place where a recipe does not fit the model it names."""
    yield from _profiles(loaded, signature)
    yield from find_pattern_problems(loaded, signature)
    yield from _shape_inputs(loaded, signature)
    yield from _inputs(loaded, signature)
    yield from _data(loaded, signature, manifests)
    yield from _gates(loaded, signature)


def _profiles(loaded: LoadedRecipe, signature: Signature) -> Iterator[Problem]:
    recipe, at = loaded.recipe, loaded.source.problem
    inputs = {spec.name: spec for spec in signature.inputs}
    dynamic = [spec for spec in signature.inputs if _dynamic(spec)]
    needing = [name for name, each in recipe.targets.items() if each.capabilities.typing]
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
        yield from _disagreements(loaded, inputs, index)
        for spec in dynamic:
            if spec.name not in profile:
                message = f"this profile leaves out `{spec.name}`, which has dynamic dimensions"
                yield at(where, message, f"the model says {_shown(spec)}")


def _disagreements(
    loaded: LoadedRecipe, inputs: Mapping[str, TensorSpec], index: int
) -> Iterator[Problem]:
    """Yield where a profile gives two sizes to dimensions of one name, which are one dimension."""
    for field in ("min", "opt", "max"):
        shapes = {
            name: getattr(each, field)
            for name, each in loaded.recipe.profiles[index].items()
            if name in inputs
            and not each.values
            and not _misfit(getattr(each, field), inputs[name])
        }
        found = list(_unlike(shapes, inputs))
        for name, message in found:
            hint = f"the model says {', '.join(map(_shown, inputs.values()))}"
            yield loaded.source.problem(("profiles", index, name, field), message, hint)
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


def _inputs(loaded: LoadedRecipe, signature: Signature) -> Iterator[Problem]:
    known = [spec.name for spec in signature.inputs]
    for name in loaded.recipe.inputs:
        if name not in known:
            message = f"the model has no input `{name}`"
            yield loaded.source.problem(
                ("inputs", name), message, suggest_nearest(name, known), key=True
            )


def _shape_inputs(loaded: LoadedRecipe, signature: Signature) -> Iterator[Problem]:
    """Yield the inputs that decide shapes, and whose values an engine would not know."""
    needing = [name for name, each in loaded.recipe.targets.items() if each.capabilities.typing]
    for spec in signature.inputs if needing else ():
        node = signature.shape_inputs.get(spec.name)
        if node is None:
            continue
        said = f"the values of `{spec.name}` {_shape(spec)} decide the size that `{node}` makes"
        where: tuple[str | int, ...] = ("targets", needing[0])
        if spec.dtype not in ("int32", "int64"):
            message = f"{said}, and they are {spec.dtype}: TensorRT takes such from integers alone"
            hint = "export the model with an int64 input, or without what resizes by it"
            yield loaded.source.problem(where, message, hint, key=True)
            continue
        without = [
            index
            for index, profile in enumerate(loaded.recipe.profiles)
            if spec.name not in profile or not profile[spec.name].values
        ]
        if loaded.recipe.profiles and not without:
            continue
        hint = f"write `{spec.name}: {{values: true, min: ..., opt: ..., max: ...}}` in `profiles`"
        if without:
            where = ("profiles", without[0])
        message = f"{said}; TensorRT must know for which values to build"
        yield loaded.source.problem(where, message, hint, key=not without)


def _misfit_values(values: tuple[int, ...], spec: TensorSpec) -> str:
    count = spec.shape[0] if spec.shape else 1
    if len(spec.shape) > 1:
        return f"TensorRT takes values of inputs with one axis at most, not {len(spec.shape)}"
    if len(values) != count:
        return f"{list(values)} has {len(values)} values, the input has {count}"
    return ""


def _data(
    loaded: LoadedRecipe, signature: Signature, manifests: dict[str, Manifest]
) -> Iterator[Problem]:
    for name, manifest in manifests.items():
        for message, hint in _find_unfed(loaded, signature, manifest):
            yield loaded.source.problem(("data", name), f"data `{name}` {message}", hint, key=True)


def _find_unfed(
    loaded: LoadedRecipe, signature: Signature, manifest: Manifest
) -> Iterator[tuple[str, str]]:
    """Yield why samples cannot be fed to the model, with what to do."""
    inputs = {spec.name: spec for spec in signature.inputs}
    known = [spec for spec in manifest.tensors if spec.name in inputs]
    wrong = [_unfit(spec, inputs) for spec in manifest.tensors]
    if any(message for message, _ in wrong):
        yield from ((message, hint) for message, hint in wrong if message)
        return
    try:
        feeder = Feeder(signature.inputs, known, loaded.recipe.inputs)
    except StepInputError as error:
        yield f"cannot be fed: {error.message}", error.hint
        return
    given = {spec.name: spec for spec in known}
    for wanted in feeder.samples:
        if wanted.name not in given:
            fill = quote_setting(wanted.name, "fill: 0")
            names = ", ".join(each.name for each in feeder.samples)
            hint = f"every sample must hold an array for {names}; what is the same in all, as a "
            hint += f"first state is, can be filled: `{fill}`"
            yield f"gives nothing for the input `{wanted.name}`", hint
            return
        if not fits(given[wanted.name].shape, wanted.shape):
            yield _explain_shape(given[wanted.name], inputs[wanted.name], wanted, manifest)


def _explain_shape(
    given: TensorSpec, whole: TensorSpec, wanted: TensorSpec, manifest: Manifest
) -> tuple[str, str]:
    odd = next(
        (
            each
            for each in manifest.sizes
            if each.tensor == given.name
            and each.axis < len(wanted.shape)
            and isinstance(wanted.shape[each.axis], int)
        ),
        None,
    )
    if odd is not None and len(given.shape) == len(wanted.shape):
        message = f"has samples of several sizes for `{given.name}`: axis {odd.axis} of a sample "
        message += (
            f"goes from {odd.least} to {odd.most} (sample {odd.first} is the first unlike those "
        )
        message += f"before); the model takes {wanted.shape[odd.axis]} alone: {_shape(whole)}"
        hint = (
            "bring the samples to one size (for pictures, `preprocess` with a resize to [height, "
        )
        hint += "width] or a crop does), or export the model with that dimension open"
        return message, hint
    message = f"gives samples of shape {_shape(given)} for `{given.name}`; the model takes "
    hint = f"a sample must be {_shape(wanted)}: resize or transpose it in `preprocess`; or does no "
    hint += f"axis count the samples? `{quote_setting(given.name, 'batch_axis: none')}`"
    return message + _shape(whole), hint


def _unfit(given: TensorSpec, inputs: dict[str, TensorSpec]) -> tuple[str, str]:
    """Say how a sample's array is not of its input, whatever its shape, and what to do."""
    expected = inputs.get(given.name)
    if expected is None:
        return (
            f"gives an array for `{given.name}`; the model has no such input",
            f"inputs of the model: {', '.join(inputs)}; name one with `input:`",
        )
    if not takes(expected.dtype, given.dtype):
        return (
            f"gives {given.dtype} for `{given.name}`; the model takes {expected.dtype}",
            "NumPy has no such arrays: export the model in float16, or give ranges without data"
            if expected.dtype == "bfloat16"
            else f"make the arrays {expected.dtype}",
        )
    return "", ""


def _gates(loaded: LoadedRecipe, signature: Signature) -> Iterator[Problem]:
    section = loaded.recipe.compare
    outputs = [spec.name for spec in signature.outputs]
    for index, gate in enumerate(section.gates if section else ()):
        if gate.output is not None and gate.output not in outputs:
            path = ("compare", "gates", index, "output")
            message = f"the model has no output `{gate.output}`"
            yield loaded.source.problem(path, message, suggest_nearest(gate.output, outputs))


def _dynamic(spec: TensorSpec) -> bool:
    return any(isinstance(size, str) for size in spec.shape)


def _shape(spec: TensorSpec) -> str:
    return f"[{', '.join(str(size) for size in spec.shape)}]"


def _shown(spec: TensorSpec) -> str:
    return f"`{spec.name}` {_shape(spec)}"
