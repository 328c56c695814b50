"""VariantResult: what became of one variant of a recipe, beside the others."""

from __future__ import annotations

from trtbuild.core.frozen import frozen
from trtbuild.core.records import Record

__all__ = ["VariantResult"]


@frozen
class VariantResult:
    """One variant of a recipe."""

    name: str
    verdict: str
    """In a word or two: `built`, `nothing to do`, `gate failed`, `failed`, `not reached`."""
    record: Record | None = None
    message: str = ""
    """Why it failed."""
    folder: str = ""
    """Where its own report lies, from the folder of builds; of one that was refused, apart."""
