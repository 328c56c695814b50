"""Ultralytics' export arguments, and what a recipe says in their place."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from trtbuild.core.errors import UsageError
from trtbuild.verbs.init.old_commands.command_line import Reading

__all__ = ["read_ultralytics"]

_TASKS = ("detect", "segment", "classify", "pose", "obb")
Argument = Callable[[Reading, Any, str], None]
_NOTES = {
    "keras": "it is for exports to TensorFlow",
    "optimize": "it is for TorchScript on phones",
    "verbose": "`apply -v` shows the steps",
    "project": "engines are placed in build/NAME/TARGET/model.engine (`--build-dir`)",
    "name": "engines are placed in build/NAME/TARGET/model.engine (`--build-dir`)",
    "exist_ok": "engines are placed whole, over older ones",
    "split": "data sets are named one by one under `data`",
    "task": "the metric says what the model is for",
    "mode": "a recipe is for exports",
    "dnn": "it is for OpenCV's runtime",
}
"""Arguments without a counterpart, and where they went."""


def read_ultralytics(words: list[str], reading: Reading) -> None:
    """Read `yolo export model=... format=engine ...`, or `model.export(...)`'s arguments.

    Raises:
        UsageError: it is no export, or names no model.
    """
    rest = list(words)
    if rest[0].rpartition("/")[2] in ("yolo", "ultralytics"):
        rest.pop(0)
    modes = [word for word in rest if "=" not in word and word not in ARGUMENTS]
    wrong = next((word for word in modes if word in ("train", "val", "predict", "track")), None)
    if wrong is not None:
        raise UsageError(
            f"--from ultralytics: `{wrong}` exports nothing", hint='"export model=best.pt int8"'
        )
    for word in _join(rest):
        name, equals, text = word.partition("=")
        name = name.lstrip("-")
        if not equals and (name == "export" or name in _TASKS):
            continue
        _read_argument(reading, name, _parse(text) if equals else True, word)
    if "model" not in reading.told:
        raise UsageError("--from ultralytics: the command names no model", hint="model=best.pt")


def _join(words: list[str]) -> list[str]:
    """Join what belongs together: `imgsz=640, 480`, `imgsz = 640`."""
    joined: list[str] = []
    for word in words:
        plain = word.rstrip(",") if joined and not word.startswith("imgsz") else word
        if joined and (word.startswith("=") or joined[-1].endswith(("=", ","))):
            joined[-1] += plain if word.startswith("=") else word
        else:
            joined.append(word)
    return [word.rstrip(",") for word in joined]


def _parse(text: str) -> Any:
    words = {"true": True, "false": False, "none": None, "null": None}
    if text.lower() in words:
        return words[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return text


def _read_argument(reading: Reading, name: str, value: Any, written: str) -> None:
    if name in _NOTES:
        reading.note(written, _NOTES[name])
    elif name in ARGUMENTS:
        ARGUMENTS[name](reading, value, written)
    else:
        reading.note(written, "ultralytics has no such argument of exports, as far as known")


def _keeps(key: str, read: Callable[[Any, str], Any]) -> Argument:
    def argument(reading: Reading, value: Any, written: str) -> None:
        reading.told[key] = read(value, written)

    return argument


def _later(why: str) -> Argument:
    """Return an argument of an export itself: of an ONNX file nothing takes its place."""

    def argument(reading: Reading, value: Any, written: str) -> None:
        name = written.partition("=")[0].lstrip("-")
        reading.told.setdefault("export", {})[name] = (value, written, why)

    return argument


def _elsewhere(why: str) -> Argument:
    """Return an argument that has a counterpart elsewhere; one that asks for nothing is passed."""

    def argument(reading: Reading, value: Any, written: str) -> None:
        if value not in (None, False):
            reading.note(written, why)

    return argument


def _read_format(reading: Reading, value: Any, written: str) -> None:
    if value not in ("engine", "onnx"):
        reading.note(written, "engines of TensorRT are built, and the ONNX models beside them")


def _read_data(reading: Reading, value: Any, written: str) -> None:
    reading.told["data"] = value
    if not Path(str(value)).exists():
        reading.note(written, "it is not here: name samples with --data")


def _read_workspace(reading: Reading, value: Any, written: str) -> None:
    if value is None:
        return
    if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
        raise _refuse(written)
    reading.told["workspace"] = int(value * 2**30)


def _read_side(value: Any, written: str) -> tuple[int, int]:
    sizes = list(value) if isinstance(value, list | tuple) else [value]
    if len(sizes) == 1:
        sizes *= 2
    if len(sizes) != 2:  # noqa: PLR2004  # height and width
        raise _refuse(written)
    return _whole(sizes[0], written), _whole(sizes[1], written)


def _read_device(reading: Reading, value: Any, written: str) -> None:
    text = str(value)
    if text.startswith("dla"):
        core = text.partition(":")[2] or "0"
        if not core.isdecimal():
            raise _refuse(written)
        reading.told |= {"dla_core": int(core), "gpu_fallback": True}
    elif text not in ("cpu", "None"):
        reading.note(written, "`apply --device N` chooses the GPU")


def _whole(value: Any, written: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise _refuse(written)
    return value


def _refuse(written: str) -> UsageError:
    return UsageError(
        f"--from ultralytics: `{written}` cannot be read", hint="is it as the tool takes it?"
    )


ARGUMENTS: Mapping[str, Argument] = {
    "model": _keeps("model", lambda value, _: str(value)),
    "format": _read_format,
    "imgsz": _keeps("side", _read_side),
    "batch": _keeps("batch", _whole),
    "dynamic": _keeps("dynamic", lambda value, _: bool(value)),
    "half": _keeps("fp16", lambda value, _: bool(value)),
    "int8": _keeps("int8", lambda value, _: bool(value)),
    "workspace": _read_workspace,
    "device": _read_device,
    "data": _read_data,
    "nms": _later("the metric does the NMS that its `iou_threshold` says; the engine has none"),
    "fraction": _elsewhere("`count` says how many samples of a data set are taken"),
    "end2end": _later("a head without NMS is a matter of the export to ONNX"),
    "conf": _later("a score threshold is the metric's `score_threshold`"),
    "iou": _later("the overlap of an NMS is the metric's `iou_threshold`"),
    "max_det": _later("how many boxes count is the metric's `max_detections`"),
    "agnostic_nms": _later("it is the metric's `class_agnostic`"),
    "opset": _later("an ONNX file has the opset that it was exported with"),
    "simplify": _later("`fixes` simplify the graph: constants are folded, copies dropped"),
}
"""Arguments that a recipe has something for."""
