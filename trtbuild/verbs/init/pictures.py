"""How pictures become what a model takes: by what its files say, or guessed from its input."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trtbuild.core.errors import MissingFile
from trtbuild.core.regular_files import read_regular
from trtbuild.verbs.init.feeding import FedInput
from trtbuild.verbs.init.model_look import ModelLook

__all__ = ["PictureFacts", "Preprocessing", "choose_preprocessing", "read_picture_facts"]

Numbers = tuple[float, ...]
IMAGENET: tuple[Numbers, Numbers] = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_PLAIN: tuple[Numbers, Numbers] = (), ()
_CROP_PCT = 0.875
_CLOSE = 1e-9
_WIDE = 96
"""From so many pixels on a classifier is taken for one of ImageNet."""
_RESAMPLING = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic"}
"""Pillow's numbers."""
_FILES = ("preprocessor_config.json", "config.json")
_LETTERBOXED = ("detect", "segment", "pose", "obb")
"""Tasks of Ultralytics whose pictures keep their proportions."""
_LONGEST = 100_000


@dataclass(frozen=True)
class PictureFacts:
    """What a model's files say of the pictures that it takes."""

    said_by: str = ""
    """What says it; empty where nothing does."""
    task: str = ""
    """Ultralytics' word for what the model does: `detect`, `classify`, `segment`, ..."""
    side: tuple[int, int] | None = None
    """Height and width."""
    resize: int | tuple[int, int] | None = None
    """The shorter side, or height and width, before anything is cut out."""
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    scale: float | None = None
    interpolation: str = ""


@dataclass(frozen=True)
class Preprocessing:
    """The options of `preprocess`, and why they are as they are."""

    options: Mapping[str, Any]
    reason: str
    guessed: bool = True


def read_picture_facts(look: ModelLook) -> PictureFacts:
    """Return what metadata in the file, or settings beside it, say of pictures."""
    own = {name: _parse(text) for name, text in look.metadata.items()}
    if look.metadata.get("author") == "Ultralytics" or {"stride", "task", "imgsz"} <= own.keys():
        task = look.metadata.get("task", "")
        return PictureFacts(
            "the file's metadata (Ultralytics)", task, side=_pair(own.get("imgsz")), scale=1 / 255,
            mean=(), std=(),
        )  # fmt: skip
    for said_by, told in (("the file's metadata", own), *_list_settings(look.folder)):
        found = _read_settings(_flatten(told), said_by)
        if found is not None:
            return found
    return PictureFacts()


def _list_settings(folder: Path | None) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for place in () if folder is None else (folder, folder.parent):
        for name in _FILES:
            try:
                read = json.loads(read_regular(place / name))
            except (MissingFile, ValueError, RecursionError):
                continue
            if isinstance(read, dict):
                yield name, read


def _flatten(told: Mapping[str, Any]) -> dict[str, Any]:
    """Lay what stands in nested settings, as timm's `pretrained_cfg`, beside the rest."""
    found = dict(told)
    for key in ("pretrained_cfg", "default_cfg", "preprocessor_config", "preprocess"):
        inner = told.get(key)
        if isinstance(inner, dict):
            found |= inner
    return found


def _read_settings(told: Mapping[str, Any], said_by: str) -> PictureFacts | None:
    """Read what Transformers' preprocessors and timm's configurations say."""
    mean = _numbers(told.get("image_mean", told.get("mean")))
    std = _numbers(told.get("image_std", told.get("std")))
    if mean is None or std is None or len(mean) != len(std):
        return None
    if told.get("do_normalize") is False:
        mean = std = ()
    scale = told.get("rescale_factor") if told.get("do_rescale", True) else 1.0
    shape = told.get("input_size")
    listed = shape if isinstance(shape, list) else []
    size = _pair(told.get("size")) if told.get("do_resize", True) else None
    crop = _pair(told.get("crop_size")) if told.get("do_center_crop", True) else None
    side = crop or _pair(listed[-2:]) or size
    resize: int | tuple[int, int] | None = _shortest(told.get("size")) or size
    share = told.get("crop_pct")
    if side and isinstance(share, float | int) and 0 < share <= 1 and side[0] == side[1]:
        resize = int(side[0] / share)
    resample = told.get("resample", told.get("interpolation"))
    word = _RESAMPLING.get(resample, "") if isinstance(resample, int) else resample
    return PictureFacts(
        said_by, "", side, resize, mean, std,
        scale if isinstance(scale, float | int) and 0 < scale <= 1 else None,
        word if isinstance(word, str) and word in _RESAMPLING.values() else "",
    )  # fmt: skip


def choose_preprocessing(
    fed: FedInput, size: Sequence[int], look: ModelLook, facts: PictureFacts, task: str
) -> Preprocessing:
    """Choose how a picture becomes an input of one size, [height, width]; `task` is the model's."""
    gray = fed.channels == 1
    known = facts.mean is not None
    classifies = task == "classification" and size[0] == size[1] >= _WIDE and not gray
    options: dict[str, Any] = {"color": "gray"} if gray else {}
    shorter = int(size[0] / _CROP_PCT) if classifies and not known else None
    if known and (facts.side is None or tuple(size) == tuple(facts.side)):
        shorter = facts.resize if isinstance(facts.resize, int) else None
    if shorter is not None and shorter >= max(size):
        options |= {"resize": shorter, "crop": list(size)}
    else:
        keeps = task == "detection" or facts.task in _LETTERBOXED
        options |= {"resize": list(size), **({"fit": "letterbox"} if keeps else {})}
    if facts.interpolation not in ("", "bilinear"):
        options["interpolation"] = facts.interpolation
    numbers, reason = _choose_numbers(fed, look, facts, classifies=classifies)
    lengths = (1,) if gray else (1, 3)
    options |= {
        name: [round(each, 6) for each in value] if isinstance(value, tuple) else value
        for name, value in numbers.items()
        if not isinstance(value, tuple) or len(value) in lengths
    }
    if fed.spec.dtype == "uint8":
        options["dtype"] = "uint8"
    if fed.channels_last:
        options["layout"] = "hwc"
    if not gray and fed.spec.name in look.blue_first:
        options["color"] = "bgr"
        reason += ", blue first by the mean that it takes off"
    return Preprocessing(options, reason, guessed=not known)


def _choose_numbers(
    fed: FedInput, look: ModelLook, facts: PictureFacts, *, classifies: bool
) -> tuple[dict[str, Any], str]:
    """Return scale, mean and deviation as far as they are not the default, and why."""
    if fed.spec.name in look.scales_pixels or fed.spec.dtype == "uint8":
        return {"scale": 1}, "the model scales pixels from 0 to 255 itself"
    if facts.mean is None:
        mean, std = IMAGENET if classifies else _PLAIN
        reason = "as for ImageNet" if classifies else "pixels from 0 to 1"
        return {"mean": mean, "std": std}, reason
    told: dict[str, Any] = {"mean": facts.mean, "std": facts.std or ()}
    if facts.scale is not None and abs(facts.scale - 1 / 255) > _CLOSE:
        told = {"scale": facts.scale, **told}
    return told, facts.said_by


def _parse(text: str) -> Any:
    """Read a value as JSON or as Python writes it; else it is the text."""
    if len(text) > _LONGEST:
        return text
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
    return text


def _numbers(value: Any) -> tuple[float, ...] | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = [value]
    if not isinstance(value, list | tuple) or not 0 < len(value) <= 4:  # noqa: PLR2004  # channels
        return None
    plain = all(isinstance(each, int | float) and not isinstance(each, bool) for each in value)
    return tuple(float(each) for each in value) if plain else None


def _pair(value: Any) -> tuple[int, int] | None:
    if isinstance(value, dict):
        value = [value.get("height"), value.get("width")]
    if isinstance(value, int):
        value = [value, value]
    if not isinstance(value, list | tuple) or len(value) != 2:  # noqa: PLR2004  # height, width
        return None
    height, width = value
    plain = isinstance(height, int) and isinstance(width, int)
    return (height, width) if plain and 0 < height < _LONGEST and 0 < width < _LONGEST else None


def _shortest(value: Any) -> int | None:
    found = value.get("shortest_edge") if isinstance(value, dict) else None
    return found if isinstance(found, int) and found > 0 else None
