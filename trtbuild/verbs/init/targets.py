"""Targets that this machine can build, or else those that any machine can."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from trtbuild.machine.facts import Gpu, list_gpus
from trtbuild.verbs.diagnose import judge_kinds
from trtbuild.verbs.init.entries import Entry

__all__ = ["choose_targets", "list_buildable"]

RTX = "tensorrt_rtx"
_ALONE = (8.0, 8.6, 8.9, 12.0, 12.1)
"""The GPUs for which TensorRT-RTX compiles INT8."""
_USUAL = (8.6, 8.9, 12.0)
"""RTX 30, RTX 40 and RTX 50 cards."""
_NAMES = {RTX: "rtx", "tensorrt11": "trt11", "tensorrt10": "trt10"}
_WORKSPACE = "4GiB"


def list_buildable() -> dict[str, bool]:
    """Return whether each kind of TensorRT can be built here, RTX first."""
    found = {each.kind: each.builds for each in judge_kinds()}
    return {kind: found.get(kind, False) for kind in _NAMES}


def choose_targets(
    buildable: Iterable[str] | None = None,
    gpus: Sequence[Gpu] | None = None,
    *,
    suppresses: bool = False,
) -> tuple[Entry, ...]:
    """Return the section `targets`: every TensorRT of this machine; RTX where there is none.

    RTX has no non-maximum suppression: a model that `suppresses` boxes itself is for the others.
    """
    if buildable is None:
        buildable = [kind for kind, builds in list_buildable().items() if builds]
    gpus = list_gpus() if gpus is None else gpus
    kinds = [kind for kind in buildable if kind != RTX or not suppresses]
    entries = [_write(kind, gpus) for kind in kinds]
    if not kinds:
        remark = "no TensorRT is installed here: this is deferred (`trtbuild doctor` says more)"
        if suppresses:
            remark = "deferred here; TensorRT-RTX has no NMS, which this model has in it"
        only = _write("tensorrt11" if suppresses else RTX, gpus)
        entries = [
            Entry(only.key, only.value, remark),
            Entry("reference", {"kind": "onnxruntime"}, "the model itself, to run on a CPU"),
        ]
    return tuple(entries)


def _write(kind: str, gpus: Sequence[Gpu]) -> Entry:
    if kind != RTX:
        found = gpus[0].compute_capability if gpus else ""
        plain = {"kind": kind, "workspace": _WORKSPACE}
        return Entry(_NAMES[kind], plain, f"for the GPU here ({found})" if found else "")
    own = [float(gpu.compute_capability) for gpu in gpus]
    listed = [each for each in _ALONE if each in own] or list(_USUAL)
    remark = "RTX 30, RTX 40 and RTX 50 cards" if listed == list(_USUAL) else "the GPU here"
    value: dict[str, Any] = {"kind": kind, "compute_capabilities": listed, "workspace": _WORKSPACE}
    return Entry(_NAMES[kind], value, remark)
