"""`--device`: where ONNX Runtime computes, and which GPU is meant."""

from __future__ import annotations

import re
from typing import Literal

from trtbuild.core.errors import UsageError
from trtbuild.core.frozen import frozen

__all__ = ["ANYWHERE", "FORMS", "DeviceChoice", "Where", "read_device"]

Where = Literal["auto", "cpu", "cuda"]
FORMS = "auto, cpu, cuda, cuda:N, or N alone: the GPU of that index, where one is used"
_CUDA = re.compile(r"(?:cuda:)?(0|[1-9]\d{0,3})")


@frozen
class DeviceChoice:
    """A setting of a run, and no part of a recipe: where ONNX Runtime computes, on which GPU."""

    where: Where = "auto"
    """`auto` takes a GPU where ONNX Runtime really opens sessions on one."""
    index: int | None = None
    """The GPU that is meant, also for engines, as `trtbuild doctor` counts them; None for the
    first."""
    batch: int | None = None
    """At most so many samples a run on a GPU; None for what memory allows."""


ANYWHERE = DeviceChoice()


def read_device(asked: DeviceChoice | str | int | None) -> DeviceChoice | None:
    """Return the choice that a text or an index makes; None where nothing was asked for.

    Raises:
        UsageError: it is none; says what it may be.
    """
    if asked is None or isinstance(asked, DeviceChoice):
        return asked
    text = str(asked).strip().lower()
    if text in ("auto", "cpu", "cuda"):
        wheres: dict[str, Where] = {"auto": "auto", "cpu": "cpu", "cuda": "cuda"}
        return DeviceChoice(wheres[text])
    found = _CUDA.fullmatch(text)
    if found is None:
        raise UsageError(f"`{asked}` is no device", hint=FORMS)
    return DeviceChoice("cuda" if ":" in text else "auto", int(found[1]))
