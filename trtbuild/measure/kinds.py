"""Metrics with options; the union is the registry."""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Discriminator, Tag

from trtbuild.core.kinds import OneOf
from trtbuild.measure.base import MetricKind
from trtbuild.measure.metrics import Metric

if TYPE_CHECKING:
    import trtbuild.measure.detection.kind
    from trtbuild.measure import (
        classification,
        detection,
        embedding,
        entrypoint,
        image,
        regression,
        segmentation,
        sequence,
    )

__all__ = ["AnyMetric", "NameOrKind"]

AnyMetric = OneOf[
    """
    classification.Classification
    | detection.kind.Detection
    | segmentation.Segmentation
    | embedding.Embedding
    | image.Image
    | regression.Regression
    | sequence.Sequence
    | entrypoint.MetricsPython
    """,
    __name__,
]
"""What stands in `metrics` beside plain names."""


def _tell_apart(value: Any) -> str:
    return "kind" if isinstance(value, dict | MetricKind) else "name"


NameOrKind = Annotated[
    Annotated[Metric, Tag("name")] | Annotated[AnyMetric, Tag("kind")],
    Discriminator(_tell_apart),
]
"""An item of `metrics`: a name, or a mapping with a `kind`."""
