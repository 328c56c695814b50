"""Claim: the right to run a step."""

from __future__ import annotations

import os

__all__ = ["Claim"]


class Claim:
    """The right to run a step; closing it, or dying, gives it back."""

    def __init__(self, handle: int) -> None:
        self.handle = handle
        """A file descriptor, which holds the lock."""

    def close(self) -> None:
        """Give it back."""
        os.close(self.handle)
