"""One target of a recipe as a program of its own."""

from __future__ import annotations

from trtbuild import __version__
from trtbuild.backends.tensorrt.flavour import FLAVOURS
from trtbuild.backends.tensorrt.options import MANAGED, GpuTrtOptions, TrtOptions
from trtbuild.backends.tensorrt.script import write_script
from trtbuild.backends.tensorrt.script_implicit import ImplicitScript
from trtbuild.backends.tensorrt10 import Tensorrt10
from trtbuild.core.errors import UsageError
from trtbuild.core.placed import MODELS, RANGES
from trtbuild.recipe.load import LoadedRecipe
from trtbuild.recipe.precision_rules import find_high_type
from trtbuild.recipe.schema import Recipe
from trtbuild.recipe.schema_places import join_names

__all__ = ["write_program"]


def write_program(loaded: LoadedRecipe, target: str) -> str:
    """Return a program that makes the same build of a target with Polygraphy alone.

    Raises:
        UsageError: there is no such target, or it is not built by a program that can be printed.
    """
    recipe = loaded.recipe
    options = loaded.target(target)
    if not isinstance(options, TrtOptions):
        raise UsageError(
            f"`{target}` is no TensorRT engine; there is nothing to build",
            hint=f"name a target of kind {join_names(FLAVOURS, 'or')}",
        )
    section = recipe.quantization
    implicit = section is not None and section.mode == "implicit"
    implied, network = None, {}
    if isinstance(options, Tensorrt10):
        quantized = section is not None and not implicit
        network = dict(options.network_arguments(implicit=implicit))
        settings = options.settings(implicit=implicit, quantized=quantized)
        if section is not None and implicit:
            _refuse_policies(section.protect)
            implied = ImplicitScript(options.ranges_as == "cache", section.skip, section.precision)
    else:
        settings = options.settings()
    return write_script(
        options,
        options.flavour,
        settings,
        network=network,
        profiles=[
            {name: (shapes.min, shapes.opt, shapes.max) for name, shapes in profile.items()}
            for profile in recipe.profiles
        ],
        names={
            "target": target,
            "recipe": loaded.file.name,
            "version": __version__,
            **_files(recipe, options),
        },
        implied=implied,
    )


def _refuse_policies(policies: tuple[str, ...]) -> None:
    if policies:
        raise UsageError(
            f"the program reads no `protect` ({', '.join(policies)})",
            hint="write the lines of `skip` that it stands for in its place: the report has them",
        )


def _files(recipe: Recipe, options: TrtOptions) -> dict[str, str]:
    """Name the files that the program is given: those that an apply places."""
    section = recipe.quantization
    if section is None:
        model = "fp32" if find_high_type(recipe) == "fp32" else "half"
    else:
        model = section.type if section.mode == "explicit" else "fp32"
    files = {"model": f"build/{recipe.name}/{MODELS[model].file}"}
    if section is not None and section.mode == "implicit":
        files["ranges"] = f"build/{recipe.name}/{RANGES}"
    if isinstance(options, GpuTrtOptions) and options.timing_cache != MANAGED:
        files["timing_cache"] = options.timing_cache
    return files
