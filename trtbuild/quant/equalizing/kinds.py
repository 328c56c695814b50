"""How channels are brought to one size: between which layers, and how far."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trtbuild.core.options import Options, UnitInterval

__all__ = ["Awq", "CrossLayer", "Smooth"]


class Awq(Options):
    """In front of weights of few bits (`type: int4`): what is read most is rounded most finely."""

    kind: Literal["awq"]
    steps: Annotated[int, Field(ge=1, le=100)] = 20
    """How many powers of the mean |x| of each channel are tried, up to 1; that with which the
    outputs of what reads the activation are least off is taken, and none where none helps."""
    insert: bool = True
    """Where something else reads the activation, too, or what makes it cannot be divided, put a Mul
    in front of the products, if that makes them less off by half a dB."""


class CrossLayer(Options):
    """Between two weighted layers, behind a Relu, LeakyRelu, PRelu or pooling at most."""

    kind: Literal["cross_layer"]
    alpha: UnitInterval = 0.5
    """How much is taken off the activation's channels and put on the weights that read them: 0 is
    nothing that activations ask for, 1 makes all their channels alike."""


class Smooth(Options):
    """Between a normalization (LayerNormalization, or a Mul by a constant) and what reads it."""

    kind: Literal["smooth"]
    alpha: UnitInterval = 0.5
    """As in `cross_layer`; where single channels stand far out, 0.6 to 0.8 may be better."""
