"""What an engine takes of its GPU's memory."""

from __future__ import annotations

from trtbuild.core.options import Options

__all__ = ["EngineMemory"]


class EngineMemory(Options):
    """As the engine itself says it, once it is loaded."""

    weights_bytes: int
    """Of its weights, which all of its contexts share."""
    context_bytes: tuple[int, ...]
    """By profile, what layers write and read while they run."""

    @property
    def largest_context_bytes(self) -> int:
        """What a context takes: as much as the profile that needs most."""
        return max(self.context_bytes, default=0)
