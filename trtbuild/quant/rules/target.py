"""TB5xx: options of a target that builds of INT8 engines fail on."""

from __future__ import annotations

from collections.abc import Iterator

from trtbuild.core import words
from trtbuild.quant.rules.subject import Subject

__all__ = ["small_workspace"]

FLOOR_BYTES = 64 * 2**20
"""Below it, kernels that need scratch memory drop out one by one."""


def small_workspace(subject: Subject) -> Iterator[tuple[str, str]]:
    """Layers have the memory that their kernels need."""
    given = subject.aim.workspace_bytes
    if given is not None and given < FLOOR_BYTES:
        yield "", f"workspace {words.size(given)} is under {words.size(FLOOR_BYTES)}"
