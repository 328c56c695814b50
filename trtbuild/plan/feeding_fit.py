"""Whether a model can be fed: what the recipe says of inputs, shape values, and the samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, get_args

from trtbuild.core.errors import StepInputError
from trtbuild.core.values import STRINGS, Signature, TensorSpec
from trtbuild.data.base import Manifest
from trtbuild.model.batching import fits, quote_setting
from trtbuild.model.feeds import Feeder, takes
from trtbuild.plan.nearest import suggest_nearest
from trtbuild.recipe.problems import Problem
from trtbuild.recipe.target_rules import LET_TRTBUILD

if TYPE_CHECKING:
    from trtbuild.recipe.load import LoadedRecipe
    from trtbuild.recipe.schema import Recipe
    from trtbuild.recipe.source import RecipeText

__all__ = ["NAMING", "find_data_problems", "find_feeding_problems", "find_unknown_inputs"]

ANY = "?"
"""A type, or a sample's size, where it is not known yet."""
Shape = tuple[int | str, ...]
NAMING = "name one with `input:`, or in the npz file; classes are named by `labels:`"


def find_feeding_problems(
    loaded: LoadedRecipe, signature: Signature, manifests: Mapping[str, Manifest]
) -> Iterator[Problem]:
    """Yield why a model cannot be fed, or an engine not be built for the values of its inputs."""
    yield from _shape_inputs(loaded, signature)
    yield from find_unknown_inputs(loaded.recipe, loaded.source, signature.inputs)
    yield from find_data_problems(loaded.recipe, loaded.source, signature.inputs, manifests)


def _shape_inputs(loaded: LoadedRecipe, signature: Signature) -> Iterator[Problem]:
    """Yield the inputs that decide shapes, and whose values an engine would not know."""
    needing = [name for name, each in loaded.recipe.targets.items() if each.capabilities.typing]
    section = loaded.recipe.quantization
    if signature.shape_inputs and section is not None and section.calibrate_with == "tensorrt":
        named = ", ".join(f"`{name}`" for name in signature.shape_inputs)
        message = f"TensorRT cannot calibrate this model: the values of {named} decide its shapes, "
        message += "and its calibrators are fed no values"
        where: tuple[str | int, ...] = ("quantization", "calibrate_with")
        yield loaded.source.problem(where, message, LET_TRTBUILD, key=True)
    for spec in signature.inputs if needing else ():
        node = signature.shape_inputs.get(spec.name)
        if node is None:
            continue
        said = f"the values of `{spec.name}` {_shape(spec)} decide the size that `{node}` makes"
        where = ("targets", needing[0])
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


def find_unknown_inputs(
    recipe: Recipe, source: RecipeText, inputs: Iterable[TensorSpec]
) -> Iterator[Problem]:
    """Yield what a recipe says of inputs that the model has not."""
    known = [spec.name for spec in inputs]
    for name in recipe.inputs:
        if name not in known:
            message = f"the model has no input `{name}`"
            yield source.problem(("inputs", name), message, suggest_nearest(name, known), key=True)


def find_data_problems(
    recipe: Recipe,
    source: RecipeText,
    inputs: Sequence[TensorSpec],
    manifests: Mapping[str, Manifest],
) -> Iterator[Problem]:
    """Yield why samples cannot be fed to a model; a type that is not known takes any."""
    for name, manifest in manifests.items():
        drawn = recipe.data[name].kind == "random"
        for message, hint in _find_unfed(recipe, inputs, manifest, drawn=drawn):
            yield source.problem(("data", name), f"data `{name}` {message}", hint, key=True)


def _find_unfed(
    recipe: Recipe, wanted: Sequence[TensorSpec], manifest: Manifest, *, drawn: bool
) -> Iterator[tuple[str, str]]:
    """Yield why samples cannot be fed to the model, with what to do."""
    if any(spec.dtype == STRINGS for spec in wanted):
        return  # which is said of the model
    inputs = {spec.name: spec for spec in wanted}
    known = [spec for spec in manifest.tensors if spec.name in inputs]
    wrong = [_unfit(spec, inputs, drawn=drawn) for spec in manifest.tensors]
    if any(message for message, _ in wrong):
        yield from ((message, hint) for message, hint in wrong if message)
        return
    try:
        feeder = Feeder([_typed(spec, known) for spec in wanted], known, recipe.inputs)
    except StepInputError as error:
        yield f"cannot be fed: {error.message}", error.hint
        return
    given = {spec.name: spec for spec in known}
    for sample in feeder.samples:
        if sample.name not in given:
            fill = quote_setting(sample.name, "fill: 0")
            names = ", ".join(each.name for each in feeder.samples)
            hint = f"every sample must hold an array for {names}; what is the same in all, as a "
            hint += f"first state is, can be filled: `{fill}`"
            yield f"gives nothing for the input `{sample.name}`", hint
            return
        if not fits(_settle(given[sample.name].shape, sample.shape), sample.shape):
            whole, own = inputs[sample.name], given[sample.name]
            message, hint = _explain_shape(own, whole, sample, manifest)
            yield message, _hint_for_drawn(sample) if drawn else hint
    try:
        feeder.demand_whole_batches(manifest.count)
    except StepInputError as error:
        yield f"does not fill whole batches: {error.message}", error.hint


def _settle(shape: Shape, wanted: Shape) -> Shape:
    """Return a shape with the sizes that are not known as they are wanted."""
    if len(shape) != len(wanted):
        return shape
    return tuple(w if size == ANY else size for size, w in zip(shape, wanted, strict=True))


def _typed(spec: TensorSpec, known: Sequence[TensorSpec]) -> TensorSpec:
    """Return an input with a type: that of the samples where the model's is not known."""
    if spec.dtype != ANY:
        return spec
    dtype = next((each.dtype for each in known if each.name == spec.name), "float32")
    return spec.model_copy(update={"dtype": dtype})


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
        message += f"goes from {odd.least} to {odd.most} (sample {odd.first} is the first unlike "
        message += f"those before); the model takes {wanted.shape[odd.axis]} alone: {_shape(whole)}"
        hint = "bring the samples to one size (pictures by `preprocess`: a resize to [height, "
        hint += "width], or a crop), or export the model with that dimension open"
        return message, hint
    message = f"gives samples of shape {_shape(given)} for `{given.name}`; the model takes "
    hint = f"a sample must be {_shape(wanted)}: resize or transpose it in `preprocess`; or does no "
    hint += f"axis count the samples? `{quote_setting(given.name, 'batch_axis: none')}`"
    return message + _shape(whole), hint


def _hint_for_drawn(wanted: TensorSpec) -> str:
    open_ones = [size for size in wanted.shape if isinstance(size, str)]
    chosen = f", with a number for {', '.join(open_ones)}" if open_ones else ""
    return f"draw what one sample is: `shape: {_shape(wanted)}`{chosen}"


def _unfit(given: TensorSpec, inputs: dict[str, TensorSpec], *, drawn: bool) -> tuple[str, str]:
    """Say how a sample's array is not of its input, whatever its shape, and what to do."""
    expected = inputs.get(given.name)
    if expected is None:
        return (
            f"gives an array for `{given.name}`; the model has no such input",
            f"inputs of the model: {', '.join(inputs)}; {NAMING}",
        )
    if expected.dtype in {STRINGS, ANY}:
        return "", ""  # which is said of the model
    if not takes(expected.dtype, given.dtype):
        from trtbuild.data.random import RandomInput

        able = get_args(RandomInput.model_fields["dtype"].annotation)
        make = "make the arrays {}"
        if drawn:
            make = "draw them so: `dtype: {}`"
            if expected.dtype not in able:
                make = "no {} is drawn: give arrays, or code that makes them (`kind: python`)"
        return (
            f"gives {given.dtype} for `{given.name}`; the model takes {expected.dtype}",
            "NumPy has no such arrays: export the model in float16, or give ranges without data"
            if expected.dtype == "bfloat16"
            else make.format(expected.dtype),
        )
    return "", ""


def _shape(spec: TensorSpec) -> str:
    return f"[{', '.join(str(size) for size in spec.shape)}]"
