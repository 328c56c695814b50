"""TB5xx: options of a target that builds of INT8 engines fail on."""

from __future__ import annotations

from trtbuild.core import words
from trtbuild.quant.rules.build_target import FLOOR_BYTES
from trtbuild.quant.rules.subject import RuleHits, RuleSubject

__all__ = ["small_workspace"]


def small_workspace(subject: RuleSubject) -> RuleHits:
    """Layers have the memory that their kernels need."""
    given = subject.build_target.small_workspace_bytes
    if given is not None:
        yield "", f"workspace {words.format_size(given)} is under {words.format_size(FLOOR_BYTES)}"
