"""How channels are brought to one size: between which layers, and how far."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trtbuild.core.options import Options

__all__ = ["CrossLayer", "Smooth"]

Share = Annotated[float, Field(ge=0, le=1)]


class CrossLayer(Options):
    """Between two weighted layers, behind a Relu, LeakyRelu, PRelu or pooling at most."""

    kind: Literal["cross_layer"]
    alpha: Share = 0.5
    """How much is taken off the activation's channels and put on the weights that read them: 0 is
    nothing that activations ask for, 1 makes all their channels alike."""


class Smooth(Options):
    """Between a normalization (LayerNormalization, or a Mul by a constant) and what reads it."""

    kind: Literal["smooth"]
    alpha: Share = 0.5
    """As in `cross_layer`; where single channels stand far out, 0.6 to 0.8 may be better."""
