"""Metrics with options; the union is the registry."""

from typing import Annotated

from pydantic import Field

from trtbuild.measure.classification import Classification
from trtbuild.measure.detection.kind import Detection
from trtbuild.measure.embedding import Embedding
from trtbuild.measure.entrypoint import Python
from trtbuild.measure.image import Image
from trtbuild.measure.regression import Regression
from trtbuild.measure.segmentation import Segmentation
from trtbuild.measure.sequence import Sequence

__all__ = ["AnyMetric"]

AnyMetric = Annotated[
    Classification | Detection | Segmentation | Embedding | Image | Regression | Sequence | Python,
    Field(discriminator="kind"),
]
"""What stands in `metrics` beside plain names."""
