"""Recipe and its sections; the kinds come from the unions of the parts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trtbuild.backends import Target
from trtbuild.calib import Calibrator
from trtbuild.core.options import Options
from trtbuild.data import Source
from trtbuild.graph import Fix, Model
from trtbuild.measure.gates import Gate
from trtbuild.measure.metrics import Metric

__all__ = ["Compare", "ProfileShapes", "Quantization", "Recipe"]

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80)]
Pattern = Annotated[str, Field(min_length=1)]
Bounds = float | tuple[float, float]
"""A limit (6.0 means -6 to 6) or [low, high]."""
Shape = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)]


class Quantization(Options):
    """How the model becomes INT8."""

    mode: Literal["explicit"] = "explicit"
    data: str
    calibrator: Calibrator
    ranges: dict[Pattern, Bounds] = {}
    skip: tuple[Pattern, ...] = ()


class ProfileShapes(Options):
    """The shapes of one input in an optimization profile."""

    min: Shape
    opt: Shape
    max: Shape


class Compare(Options):
    """FP32 against INT8 on the same samples."""

    data: str
    metrics: Annotated[tuple[Metric, ...], Field(min_length=1)] = (
        "cosine",
        "sqnr_db",
        "max_abs",
        "top1_agreement",
    )
    gates: tuple[Gate, ...] = ()


class Recipe(Options):
    """A recipe: what to build, from what, and how to tell that it is good."""

    version: Literal[1]
    name: Name
    model: Model
    fixes: tuple[Fix, ...] = ()
    data: dict[Name, Source] = {}
    quantization: Quantization | None = None
    profiles: tuple[dict[str, ProfileShapes], ...] = ()
    targets: Annotated[dict[Name, Target], Field(min_length=1)]
    compare: Compare | None = None
