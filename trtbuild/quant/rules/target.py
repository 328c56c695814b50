"""TB5xx: options of a target that builds of INT8 engines fail on."""

from __future__ import annotations

from trtbuild.core import words
from trtbuild.quant.rules.aim import FLOOR_BYTES
from trtbuild.quant.rules.subject import Hits, Subject

__all__ = ["small_workspace"]


def small_workspace(subject: Subject) -> Hits:
    """Layers have the memory that their kernels need."""
    given = subject.aim.small_workspace_bytes
    if given is not None:
        yield "", f"workspace {words.size(given)} is under {words.size(FLOOR_BYTES)}"
