"""Have Ultralytics export a checkpoint, out of the way of everything else, and read the result."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import MissingDependency, StepInputError
from trtbuild.core.files import copy_whole
from trtbuild.core.regular_files import open_regular
from trtbuild.core.words import join_few, quote_whole
from trtbuild.model.onnx_file import read_onnx
from trtbuild.sources import ultralytics_child
from trtbuild.sources.ultralytics_child import MARK

if TYPE_CHECKING:
    import onnx

    from trtbuild.model.imported_model import ImportedModel

__all__ = ["export_checkpoint"]

LIMIT_SECONDS = 3600
ALONE = {
    "YOLO_AUTOINSTALL": "false",  # it would install what it misses, unasked
    "YOLO_OFFLINE": "true",
    "YOLO_VERBOSE": "true",  # its warnings are for the reader
    "MPLBACKEND": "Agg",
    "CUDA_VISIBLE_DEVICES": "",
}
KEPT = ("stride", "task", "batch", "imgsz", "names", "channels", "end2end", "kpt_shape")
"""Of the remarks in the file, those that say what the model is; the date would be another each
time."""
TROUBLE = ("WARNING", "failure")
MOST_REMARKS = 3
BY_HAND = (
    "where it cannot be installed beside this PyTorch, export elsewhere by `yolo export model=... "
    "format=onnx`, and write `kind: onnx`"
)


def export_checkpoint(
    checkpoint: Path, arguments: Mapping[str, Any], *, name: str = ""
) -> ImportedModel:
    """Export a checkpoint with arguments for `YOLO.export`, and return the model.

    `name` is what the file is called, where its own name does not say.

    It is done in a folder of its own: Ultralytics writes beside the checkpoint.

    Raises:
        MissingFile: the checkpoint is gone.
        MissingDependency: Ultralytics, or what it needs, is not installed.
        StepInputError: it cannot export the checkpoint, or what it writes is no valid model.
    """
    open_regular(checkpoint).close()
    with TemporaryDirectory() as place:
        folder = Path(place)
        copy = folder / (name or checkpoint.name)
        copy_whole(checkpoint, copy)
        said, printed = _run(copy, arguments, folder)
        if "error" in said:
            raise _explain(checkpoint, said)
        made = Path(said["path"])
        if not made.is_file():
            raise StepInputError(
                f"{checkpoint}: Ultralytics says that it wrote {made.name}, and did not",
                hint="the step's log has what it printed",
            )
        found = read_onnx(made)
    _keep_what_it_is(found.model)
    return replace(found, notes=(*_notes(said, printed, arguments, found.model), *found.notes))


def _run(
    copy: Path, arguments: Mapping[str, Any], folder: Path
) -> tuple[Mapping[str, Any], list[str]]:
    """Return what the exporter answered, and what it printed besides."""
    # `-P`: beside that program lie modules with the names of libraries.
    program = [sys.executable, "-P", str(Path(ultralytics_child.__file__))]
    try:
        ran = subprocess.run(
            [*program, str(copy), json.dumps(dict(arguments))],
            cwd=folder,
            env={**os.environ, **ALONE, "YOLO_CONFIG_DIR": str(folder)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=LIMIT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"error": f"it was not done in {LIMIT_SECONDS} seconds"}, []
    sys.stderr.write(ran.stdout + ran.stderr)  # into the step's log
    lines = [*ran.stdout.splitlines(), *ran.stderr.splitlines()]
    answers = [line.removeprefix(MARK) for line in lines if line.startswith(MARK)]
    if not answers:
        last = next((line for line in reversed(lines) if line.strip()), "it said nothing")
        return {"error": f"its process ended with {ran.returncode}: {last}"}, lines
    answer: Mapping[str, Any] = json.loads(answers[-1])
    return answer, [line for line in lines if not line.startswith(MARK)]


def _explain(checkpoint: Path, said: Mapping[str, Any]) -> Exception:
    told = quote_whole(str(said["error"]))
    if said.get("lacking") == "ultralytics":
        return MissingDependency(
            f"{checkpoint}: is exported by `ultralytics`, which is not installed",
            hint=f"pip install 'trtbuild[ultralytics]'; {BY_HAND}",
        )
    if "lacking" in said:
        return MissingDependency(
            f"{checkpoint}: is exported by `ultralytics`, which cannot be imported: {told}",
            hint=f"install versions that fit each other (torch, torchvision); {BY_HAND}",
        )
    return StepInputError(
        f"{checkpoint}: Ultralytics cannot export it: {told}",
        hint="the step's log has what it printed; "
        "is it a checkpoint of this version, and of nothing but its own modules?",
    )


def _notes(
    said: Mapping[str, Any],
    printed: list[str],
    arguments: Mapping[str, Any],
    model: onnx.ModelProto,
) -> Iterator[str]:
    task = f", task {said['task']}" if said.get("task") else ""
    yield f"exported by Ultralytics {said.get('version', '')}{task}: not compared with PyTorch"
    ends = any(each.key == "end2end" and each.value == "True" for each in model.metadata_props)
    if arguments.get("nms") and ends:
        yield "`nms` has no effect: this model's head ends in boxes already"
    remarks = [line.strip() for line in printed if any(word in line for word in TROUBLE)]
    if remarks:
        yield f"Ultralytics said: {join_few(list(dict.fromkeys(remarks)), MOST_REMARKS)}"


def _keep_what_it_is(model: onnx.ModelProto) -> None:
    kept = {each.key: each.value for each in model.metadata_props if each.key in KEPT}
    del model.metadata_props[:]
    for key in sorted(kept):
        model.metadata_props.add(key=key, value=kept[key])
