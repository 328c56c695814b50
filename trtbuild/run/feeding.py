"""A built model, fed by hand: the Q/DQ model in ONNX Runtime, wherever there is no GPU to run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.core.digest import digest_of_file
from trtbuild.core.errors import MissingFile, StepInputError
from trtbuild.recipe.load import load
from trtbuild.run.inspection import result_beside

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Ran", "run_model"]

RECIPES = (".yaml", ".yml")


@dataclass(frozen=True)
class Ran:
    """What a run gave, and what was run."""

    model: Path
    outputs: dict[str, np.ndarray]
    told: str
    """Which model ran, and where, in words."""


def run_model(path: Path, inputs: Path, *, build_dir: Path) -> Ran:
    """Run the model behind a recipe or an engine on the arrays of an npz file, in ONNX Runtime.

    Raises:
        MissingFile: a file is not there, or the recipe is not built.
        StepInputError: the arrays do not fit the model.
    """
    from trtbuild.backends.runner import onnx_runner

    model = _of_recipe(path, build_dir) if path.suffix in RECIPES else _of_engine(path)
    feed = _arrays(inputs)
    _check(feed, model)
    with onnx_runner(model, threads=0) as infer:
        outputs = infer(feed)
    return Ran(model, outputs, f"{model}, in ONNX Runtime on the CPU: not the engine itself")


def _of_recipe(path: Path, build_dir: Path) -> Path:
    folder = build_dir / load(path).recipe.name
    for name in ("model.int8.onnx", "model.fp32.onnx"):
        if (folder / name).is_file():
            return folder / name
    raise MissingFile(
        f"{folder}: holds no model; the recipe is not built there",
        hint=f"trtbuild apply {path} --build-dir {build_dir}",
    )


def _of_engine(path: Path) -> Path:
    if not path.is_file():
        raise MissingFile(f"{path}: there is no such file")
    result, notes = result_beside(path)
    for model in sorted(path.parent.parent.glob("model.*.onnx")) if result is not None else ():
        if result is not None and digest_of_file(model) == result.model_digest:
            return model
    why = notes[0] if notes else "the model that it was built from does not lie beside it"
    raise MissingFile(
        f"{path}: cannot be run here, and {why}",
        hint="run the recipe instead, or the engine where its GPU is",
    )


def _arrays(path: Path) -> dict[str, np.ndarray]:
    import numpy as np

    if not path.is_file():
        raise MissingFile(f"{path}: there is no such file", hint="--input takes an npz file")
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (ValueError, OSError, AttributeError) as error:
        raise StepInputError(
            f"{path}: is no npz file of arrays: {error}",
            hint="write it by `np.savez(path, input=array)`",
        ) from None


def _check(feed: dict[str, np.ndarray], model: Path) -> None:
    from trtbuild.backends.model import Model

    for told in _misfits(feed, model, Model.read(model)):
        raise StepInputError(told, hint="an array a model input, batch axis first")


def _misfits(feed: dict[str, np.ndarray], path: Path, model: object) -> Iterator[str]:
    specs = {spec.name: spec for spec in getattr(model, "inputs", ())}
    for name in feed.keys() - specs.keys():
        yield f"`{name}` is no input of {path.name}, which has {', '.join(specs)}"
    for name, spec in specs.items():
        array = feed.get(name)
        if array is None:
            yield f"there is no array for the input `{name}`"
            continue
        fits = len(array.shape) == len(spec.shape) and all(
            isinstance(size, str) or size == given
            for size, given in zip(spec.shape, array.shape, strict=True)
        )
        if not fits or array.dtype.name != spec.dtype:
            wanted = ", ".join(map(str, spec.shape))
            yield (
                f"`{name}` is {array.dtype.name} {list(array.shape)}; the model takes "
                f"{spec.dtype} [{wanted}]"
            )
