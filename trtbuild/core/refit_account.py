"""What a refit leaves written down: which engine took which weights."""

from __future__ import annotations

from trtbuild.core.options import Options

__all__ = ["RefitAccount"]


class RefitAccount(Options):
    """`refit.json`: where a refitted engine comes from."""

    recipe: str
    """The name of the recipe that the engine was built by."""
    target: str
    weights: str
    """The name of the file of other weights."""
    weights_digest: str
    refitted_from: str
    """The digest of the engine that took them."""
    changed: int
    """How many weights are others."""

    def describe(self) -> str:
        """Say what is special about the engine."""
        return (
            f"the engine of `{self.target}` was built with other weights, and took {self.changed} "
            f"of `{self.weights}` ({self.weights_digest}) in a refit: its kernels and the ranges "
            "of activations are those of before, as recipe and lock are"
        )
