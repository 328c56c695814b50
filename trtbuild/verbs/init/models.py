"""What MODEL may be: a row for each sort of source, and what each shows of itself."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from trtbuild.core.errors import MissingFile, UsageError
from trtbuild.verbs.init.model_look import ModelLook

__all__ = ["ModelRequest", "look_at_model", "place_beside"]

_ENTRYPOINT = re.compile(r"(?P<place>.+\.py|[A-Za-z_][\w.]*):(?P<name>[A-Za-z_]\w*)")
_FURTHEST_UP = 2
_ELSEWHERE = {
    ".yaml": "it is a recipe: `trtbuild apply` builds it",
    ".yml": "it is a recipe: `trtbuild apply` builds it",
    ".py": "name the function that makes the module: FILE.py:FUNCTION",
}
"""What a file may be that is no model, and what to do with it."""


@dataclass(frozen=True)
class ModelRequest:
    """What was asked for: the model, and what its files cannot say."""

    model: str
    base: Path
    """The folder that the recipe will lie in."""
    inputs: tuple[str, ...] = ()
    """`NAME=batch,3,224,224` or `NAME=batch,20:int64` for inputs of modules."""
    weights: Path | None = None


def look_at_model(request: ModelRequest) -> ModelLook:
    """Find out what a model is, and what it shows of itself.

    Raises:
        UsageError: it is nothing that a recipe starts from, or cannot be known without being told.
        MissingFile: it is not there.
        StepInputError: it cannot be read.
    """
    for row in SOURCES:
        if row.claims(request.model):
            return row.look(request)
    path = Path(request.model)
    if not path.exists():
        raise MissingFile(
            f"{request.model}: no such model",
            hint="name an ONNX file, FILE.py:FUNCTION, a checkpoint, or a Hugging Face folder",
        )
    from trtbuild.sources.foreign import find_format

    found = find_format(path)
    what = "" if found is None else f"it is {found.name}, and "
    hint = _ELSEWHERE.get(path.suffix.lower(), "") or (
        found.way.format(path=path.name)
        if found is not None
        else "a recipe starts from an ONNX file, FILE.py:FUNCTION, a checkpoint (.pt, .pth, "
        ".safetensors) or a Hugging Face folder (with config.json)"
    )
    raise UsageError(f"{request.model}: {what}a recipe does not start from that", hint=hint)


def place_beside(path: Path, base: Path) -> str:
    """Return a path as a recipe in `base` has it: relative, unless that leads far away."""
    relative = os.path.relpath(path, base).replace(os.sep, "/")
    climbs = relative.split("/").count("..")
    return path.absolute().as_posix() if climbs > _FURTHEST_UP else relative


def _look_at_onnx(request: ModelRequest) -> ModelLook:
    from trtbuild.verbs.init.onnx_look import look_at_onnx

    path = Path(request.model)
    _demand_no_more(request, "its inputs stand in the file")
    return look_at_onnx(path, placed=place_beside(path, request.base), name=path.stem)


def _look_at_code(request: ModelRequest) -> ModelLook:
    from trtbuild.verbs.init.torch_look import look_at_code

    return look_at_code(request)


def _look_at_folder(request: ModelRequest) -> ModelLook:
    from trtbuild.verbs.init.hf_look import look_at_folder

    return look_at_folder(request)


def _look_at_checkpoint(request: ModelRequest) -> ModelLook:
    from trtbuild.verbs.init.checkpoint_look import look_at_checkpoint

    return look_at_checkpoint(request)


def _demand_no_more(request: ModelRequest, why: str) -> None:
    for option, given in (("--input", request.inputs), ("--weights", request.weights)):
        if given:
            raise UsageError(
                f"{option} is for a module of PyTorch; of {request.model}, {why}",
                hint=f"leave {option} out",
            )


class _Source(NamedTuple):
    claims: Callable[[str], bool]
    look: Callable[[ModelRequest], ModelLook]


def _is_entrypoint(model: str) -> bool:
    return bool(_ENTRYPOINT.fullmatch(model)) and not Path(model).exists()


SOURCES: tuple[_Source, ...] = (
    _Source(lambda model: model.lower().endswith(".onnx"), _look_at_onnx),
    _Source(_is_entrypoint, _look_at_code),
    _Source(lambda model: (Path(model) / "config.json").is_file(), _look_at_folder),
    _Source(
        lambda model: (
            Path(model).suffix.lower() in (".pt", ".pth", ".safetensors", ".ckpt", ".bin")
            and not Path(model).is_dir()
        ),
        _look_at_checkpoint,
    ),
)
"""The first that claims a model is taken."""
