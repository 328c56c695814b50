"""Lines of text, for models that take tokens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trtbuild.core.errors import UsageError
from trtbuild.core.regular_files import read_regular
from trtbuild.verbs.init.feeding import FedInput
from trtbuild.verbs.init.found_data import (
    FIRST,
    MOST_CALIBRATED,
    MOST_COMPARED,
    SECOND,
    DataPlace,
    DataSplit,
    FoundData,
    divide_samples,
    make_part,
    refuse,
)
from trtbuild.verbs.init.models import place_beside

__all__ = ["read_text"]

_PARTS = {"input_ids": ("ids", "tokens"), "attention_mask": ("mask",), "token_type_ids": ("type",)}
"""What a tokenizer makes, and what is in the name of an input that takes it."""
MAX_LENGTH = 128


def read_text(place: DataPlace) -> FoundData:
    """Read files of text by the tokenizer that lies with them, or with the model.

    Raises:
        UsageError: no input takes tokens, or there is no tokenizer.
    """
    inputs = _match(place.fed)
    if "input_ids" not in inputs.values():
        raise refuse(place, "text", "tokens are integers [batch, length], called input_ids")
    tokenizer = _find_tokenizer(place)
    lengths = [each.spec.shape[-1] for each in place.fed if each.spec.name in inputs]
    fixed = next((size for size in lengths if isinstance(size, int)), None)
    options: dict[str, Any] = {
        "tokenizer": place_beside(tokenizer, place.base),
        "max_length": fixed or MAX_LENGTH,
        **({"padding": "max_length"} if fixed else {}),
    }
    if inputs != {name: name for name in _PARTS}:
        options["inputs"] = inputs
    if place.fed[0].spec.dtype == "int32":
        options["dtype"] = "int32"
    stems = [Path(name).stem.lower() for name in place.files]
    chosen = [
        next((at for at, stem in enumerate(stems) if any(word in stem for word in words)), None)
        for words in (FIRST, SECOND)
    ]
    if None in chosen:
        chosen = [0, 1] if len(stems) > 1 else [0]
    found = [_take(place, place.files[at or 0], options) for at in chosen]
    second: DataSplit | None
    if len(found) > 1:
        first = make_part(*found[0], MOST_CALIBRATED, place.batch)
        second = make_part(*found[1], MOST_COMPARED, place.batch)
    else:
        first, second = divide_samples(*found[0], place.batch)
    what = f"{len(chosen)} file{'s' if len(chosen) > 1 else ''} of text, a sample a line"
    return FoundData(what, "text", first, second, tuple(inputs))


def _take(place: DataPlace, name: str, options: dict[str, Any]) -> tuple[dict[str, Any], int]:
    file = place.path if name == "." else place.path / name
    written = place.written if name == "." else f"{place.written}/{name}"
    lines = read_regular(file).decode(errors="replace").splitlines()
    count = sum(1 for line in lines if line.strip())
    return {"path": written, **options}, count


def _match(fed: Sequence[FedInput]) -> dict[str, str]:
    """Return what each input takes of a tokenizer, by its name."""
    found: dict[str, str] = {}
    for each in fed:
        if each.spec.dtype not in ("int32", "int64"):
            continue
        low = each.spec.name.lower()
        for part in ("token_type_ids", "attention_mask", "input_ids"):
            if any(word in low for word in _PARTS[part]) and part not in found.values():
                found[each.spec.name] = part
                break
    return found


def _find_tokenizer(place: DataPlace) -> Path:
    model: Path | None = place.look.folder
    own = place.path if place.path.is_dir() else place.path.parent
    for folder in (own, *(() if model is None else (model, model.parent))):
        if Path(folder, "tokenizer.json").is_file():
            return Path(folder, "tokenizer.json")
    raise UsageError(
        f"--data {place.path}: holds text, and there is no tokenizer.json with it or the model",
        hint="put the tokenizer that the model was trained with beside it",
    )
