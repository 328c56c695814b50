"""Scratch memory: what layers may use of it, what they need, and what they lost for want of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from trtbuild.core.words import format_size

__all__ = ["MARGIN", "ScratchMemory", "leave_margin"]

MARGIN = 8
"""The part of a GPU's memory that `workspace: auto` leaves: for the CUDA context, weights and
activations that lie beside the scratch memory of the one layer that runs."""
MANY = 3

# As TensorRT 8 to 11.4 write them; those of 11.4 were read in a library of that release.
_LAYER = re.compile(r"-{3,} Timing Runner: (?P<layer>.+) \([^()]*\)\s*$")
_LOST = re.compile(r"(?i)scratch (?:memory )?requested: (?P<asked>\d+), available: \d+")
_SHORT = re.compile(r"(?i)(?:not have sufficient|insufficient) workspace")
_NEEDED = re.compile(r"(?:Max|Total) Scratch Memory: (?P<needed>\d+)")


def leave_margin(size_bytes: int) -> int:
    """Return how much of a GPU's memory a layer may use with `workspace: auto`."""
    return size_bytes - size_bytes // MARGIN


@dataclass
class ScratchMemory:
    """What a builder says of scratch memory while it builds."""

    needed: int | None = None
    """Bytes that the layers of the engine need; None where it does not say."""
    lost: dict[str, int] = field(default_factory=dict)
    """Layers that lost kernels, and the most bytes that one of these asked for."""
    short: bool = False
    """Some layer lost kernels, be it known which or not."""
    _layer: str = ""

    def hear(self, text: str) -> None:
        """Take in a message of any severity."""
        if found := _LAYER.search(text):
            self._layer = found["layer"]
        elif found := _LOST.search(text):
            self.short = True
            if self._layer:
                asked = max(int(found["asked"]), self.lost.get(self._layer, 0))
                self.lost[self._layer] = asked
        elif found := _NEEDED.search(text):
            self.needed = max(int(found["needed"]), self.needed or 0)
        elif _SHORT.search(text):
            self.short = True

    def explain(self, limit: int | None, *, device: int = 0) -> Iterator[str]:
        """Yield what a reader must know: of a limit that was found on a device, and of its cost.

        `limit` is None where nobody set one; `device` is how much memory there is.
        """
        if device and limit is not None:
            needed = (
                "the builder does not say how much its layers need"
                if self.needed is None
                else f"the engine's layers need {format_size(self.needed)} of it"
            )
            yield (
                f"`workspace: auto` is {format_size(limit)}, the GPU's {format_size(device)} less "
                f"1/{MARGIN}; {needed}"
            )
        if self.short and limit is not None:
            yield self._explain_loss(limit, found=bool(device))

    def _explain_loss(self, limit: int, *, found: bool) -> str:
        lets = f"`workspace` lets a layer have {format_size(limit)}"
        move = "make the profiles smaller, or take a larger GPU" if found else "raise it"
        if not self.lost:
            return f"some layers lost kernels that need more scratch memory than {lets}: {move}"
        worst = sorted(self.lost, key=lambda name: (-self.lost[name], name))
        shown = ", ".join(f"`{name}`" for name in worst[:MANY])
        more = f" and {len(worst) - MANY} more" if len(worst) > MANY else ""
        word = "layer" if len(worst) == 1 else "layers"
        most = format_size(self.lost[worst[0]])
        return (
            f"{len(worst)} {word} lost kernels, which ask for up to {most} of scratch memory where "
            f"{lets}: {shown}{more}; {move}"
        )
