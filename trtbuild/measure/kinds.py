"""Metrics with options; the union is the registry."""

from typing import Annotated, Any

from pydantic import Discriminator, Tag

from trtbuild.core.kinds import BY_KIND
from trtbuild.measure.base import MetricKind
from trtbuild.measure.classification import Classification
from trtbuild.measure.detection.kind import Detection
from trtbuild.measure.embedding import Embedding
from trtbuild.measure.entrypoint import MetricsPython
from trtbuild.measure.image import Image
from trtbuild.measure.metrics import Metric
from trtbuild.measure.regression import Regression
from trtbuild.measure.segmentation import Segmentation
from trtbuild.measure.sequence import Sequence

__all__ = ["AnyMetric", "NameOrKind"]

AnyMetric = Annotated[
    Classification
    | Detection
    | Segmentation
    | Embedding
    | Image
    | Regression
    | Sequence
    | MetricsPython,
    BY_KIND,
]
"""What stands in `metrics` beside plain names."""


def _tell_apart(value: Any) -> str:
    return "kind" if isinstance(value, dict | MetricKind) else "name"


NameOrKind = Annotated[
    Annotated[Metric, Tag("name")] | Annotated[AnyMetric, Tag("kind")],
    Discriminator(_tell_apart),
]
"""An item of `metrics`: a name, or a mapping with a `kind`."""
