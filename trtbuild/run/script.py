"""One target of a recipe as a program of its own."""

from __future__ import annotations

from typing import Any

from trtbuild import __version__
from trtbuild.backends.script import script_of
from trtbuild.backends.tensorrt10 import Tensorrt10
from trtbuild.backends.trt_options import MANAGED, GpuTrtOptions, TrtOptions
from trtbuild.core.errors import UsageError
from trtbuild.recipe.load import Loaded

__all__ = ["program"]


def program(loaded: Loaded, target: str) -> str:
    """Return a program that makes the same build of a target with Polygraphy alone.

    Raises:
        UsageError: there is no such target, or it is not built by a program that can be printed.
    """
    recipe = loaded.recipe
    options = recipe.targets.get(target)
    if options is None:
        hint = "targets of this recipe: " + ", ".join(recipe.targets)
        raise UsageError(f"{loaded.file}: there is no target `{target}`", hint=hint)
    if not isinstance(options, TrtOptions):
        raise UsageError(f"`{target}` is no TensorRT engine; there is nothing to build")
    section = recipe.quantization
    if section is not None and section.mode == "implicit":
        raise UsageError(
            "with `mode: implicit` trtbuild gives ranges to tensors that TensorRT's parser makes, "
            "which no short program does",
            hint="`mode: explicit` builds from the Q/DQ model alone",
        )
    quantized = section is not None
    network: dict[str, Any] = dict(options.network_arguments())
    settings = (
        options.settings(quantized=quantized)
        if isinstance(options, Tensorrt10)
        else options.settings()
    )
    cache = options.timing_cache if isinstance(options, GpuTrtOptions) else MANAGED
    return script_of(
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
            "model": f"build/{recipe.name}/model.{'int8' if quantized else 'fp32'}.onnx",
            **({} if cache == MANAGED else {"timing_cache": cache}),
        },
    )
