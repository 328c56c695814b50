"""Where the pixels of a picture come to lie in what a model takes, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trtbuild.core.frozen import frozen

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["View"]


@frozen
class View:
    """Where the pixels of a picture come to lie; sizes are (width, height)."""

    original: tuple[int, int]
    resized: tuple[int, int]
    corner: tuple[int, int]
    """Left and top of what is cut out of the resized picture; below 0 where padding comes first."""
    size: tuple[int, int]
    """Of what the model takes."""

    def to_model(self, corners: NDArray[Any]) -> NDArray[np.float64]:
        """Return points or boxes [n, x, y, x, y, ...] of the picture where the model sees them.

        In pixels; some may lie beyond what it sees.
        """
        import numpy as np

        pairs = corners.shape[-1] // 2
        scale = np.array(self.resized) / np.array(self.original)
        return np.asarray(corners * np.tile(scale, pairs) - np.tile(self.corner, pairs))

    def to_original(self, corners: NDArray[Any]) -> NDArray[np.float64]:
        """Return points or boxes that a model has found [n, x, y, x, y, ...], in the picture.

        What lies in the padding around the picture, or beyond its edge, comes to lie on its edge.
        """
        import numpy as np

        pairs = corners.shape[-1] // 2
        scale = np.array(self.original) / np.array(self.resized)
        found = (corners + np.tile(self.corner, pairs)) * np.tile(scale, pairs)
        return np.asarray(np.clip(found, 0, np.tile(self.original, pairs)))

    @property
    def shown(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of the picture itself in what the model takes."""
        left, top = (max(0, -edge) for edge in self.corner)
        ends = zip(self.resized, self.corner, self.size, strict=True)
        right, bottom = (min(most, length - edge) for length, edge, most in ends)
        return left, top, right, bottom
