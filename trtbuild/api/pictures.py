"""A recipe's own preprocessing, for whoever feeds what it has built."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from trtbuild.core.errors import UsageError

if TYPE_CHECKING:
    from trtbuild.data.on_gpu.preprocess import GpuPreprocess

__all__ = ["open_gpu_preprocess"]


def open_gpu_preprocess(
    path: Path | str,
    data: str = "",
    *,
    index: int = 0,
    stream: Any = None,
    frames: Literal["rgb", "bgr"] = "rgb",
) -> GpuPreprocess:
    """Return what makes uint8 frames on a GPU the batches that a recipe's model takes.

    By the preprocessing of its data set `data`, or of that which `compare` or `quantization` reads.
    It is called with a list of frames of any sizes, by DLPack, and works in the `stream` given, on
    the GPU of an `index`; with `frames` as OpenCV has them, `bgr`.

    Raises:
        UsageError: the recipe has no such data, or that is no pictures.
        RecipeError, MissingFile: the recipe is wrong, or not there.
        MissingDependency: cuda-core is not installed, or finds no CUDA.
    """
    from trtbuild.data.on_gpu.preprocess import GpuPreprocess
    from trtbuild.recipe.load import load_recipe

    recipe = load_recipe(Path(path)).recipe
    sections = (recipe.compare, recipe.quantization)
    named = [each.data for each in sections if each is not None and each.data]
    name = data or (named or [""])[0] or ""
    how = getattr(recipe.data.get(name), "preprocess", None)
    if how is None:
        told = f"`{name}` is no data of pictures" if name in recipe.data else f"no data `{name}`"
        raise UsageError(f"{path}: {told}", hint=f"its data: {', '.join(recipe.data) or 'none'}")
    return GpuPreprocess(how, index=index, stream=stream, frames=frames)
