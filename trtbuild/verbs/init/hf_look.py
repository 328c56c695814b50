"""What a folder as Hugging Face lays them out shows of itself."""

from __future__ import annotations

from pathlib import Path

from trtbuild.core.errors import UsageError
from trtbuild.verbs.init.model_look import ModelLook
from trtbuild.verbs.init.models import ModelRequest, place_beside

__all__ = ["look_at_folder"]

_EXPORTED = ("model.onnx", "onnx/model.onnx")


def look_at_folder(request: ModelRequest) -> ModelLook:
    """Look at the ONNX file in a folder with `config.json`.

    Raises:
        UsageError: there is none.
    """
    from trtbuild.verbs.init.onnx_look import look_at_onnx

    folder = Path(request.model)
    exported = next((folder / name for name in _EXPORTED if (folder / name).is_file()), None)
    if exported is None:
        raise UsageError(
            f"{folder}: holds no ONNX file",
            hint=f"export it: optimum-cli export onnx --model {folder} {folder}/onnx; or name a "
            "function that makes the module (FILE.py:FUNCTION)",
        )
    name = folder.resolve().name
    return look_at_onnx(exported, placed=place_beside(exported, request.base), name=name)
