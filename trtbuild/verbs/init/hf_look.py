"""What a folder as Hugging Face lays them out shows of itself."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from trtbuild.core.errors import MissingFile, UsageError
from trtbuild.core.values import TensorSpec
from trtbuild.sources.huggingface_folder import HuggingfaceFolder, find_weights, read_folder
from trtbuild.sources.inputs import list_specs
from trtbuild.verbs.init.entries import Entry
from trtbuild.verbs.init.model_look import ModelLook
from trtbuild.verbs.init.models import ModelRequest, place_beside

__all__ = ["look_at_folder"]

_EXPORTED = ("model.onnx", "onnx/model.onnx")
_CONVOLVES = ("resnet", "convnext", "regnet", "mobilenet", "efficientnet", "bit", "poolformer")
"""Families of pictures that attend to nothing."""
_SCORES = ("ForImageClassification", "ForSequenceClassification", "ForAudioClassification")


def look_at_folder(request: ModelRequest) -> ModelLook:
    """Look at the ONNX file in a folder with `config.json`, or else at what that says.

    Raises:
        UsageError: there are neither an ONNX file nor weights.
        StepInputError: the configuration does not tell the model's inputs.
    """
    from trtbuild.verbs.init.onnx_look import look_at_onnx

    folder = Path(request.model)
    exported = next((folder / name for name in _EXPORTED if (folder / name).is_file()), None)
    name = folder.absolute().name
    if exported is not None:
        return look_at_onnx(exported, placed=place_beside(exported, request.base), name=name)
    try:
        find_weights(folder)
    except MissingFile as error:
        raise UsageError(
            f"{folder}: holds no ONNX file, and no weights",
            hint=f"export it (optimum-cli export onnx --model {folder} {folder}/onnx), or copy its "
            "model.safetensors there",
        ) from error
    return _look_at_pretrained(read_folder(folder), folder, request, name)


def _look_at_pretrained(
    found: HuggingfaceFolder, folder: Path, request: ModelRequest, name: str
) -> ModelLook:
    inputs = list_specs(found.tell_inputs())
    config = found.config
    rows = {"input_ids": config.get("vocab_size"), "token_type_ids": config.get("type_vocab_size")}
    longest = config.get("max_position_embeddings")
    notes = ["it is exported by transformers; which outputs it has shows then"]
    if find_spec("transformers") is None:
        notes.append("transformers is not installed: pip install 'trtbuild[huggingface]'")
    attends = not found.model_type.startswith(_CONVOLVES)
    return ModelLook(
        name=name,
        section=(Entry("kind", "huggingface"), Entry("path", place_beside(folder, request.base))),
        inputs=inputs,
        outputs=_guess_outputs(found.architecture, config),
        operators={"Attention": 1} if attends else {"Conv": 1},
        folder=folder,
        tables={n: count for n, count in rows.items() if isinstance(count, int)},
        longest=longest if isinstance(longest, int) and longest > 0 else None,
        notes=tuple(notes),
    )


def _guess_outputs(architecture: str, config: Mapping[str, Any]) -> tuple[TensorSpec, ...]:
    """Return the scores of a classifier, as many as it has labels; nothing of others."""
    labels = config.get("id2label")
    count = len(labels) if isinstance(labels, dict) else config.get("num_labels", 2)
    if not architecture.endswith(_SCORES) or not isinstance(count, int):
        return ()
    return (TensorSpec(name="logits", dtype="float32", shape=("batch", count)),)
