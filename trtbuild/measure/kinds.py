"""Metrics with options; the union is the registry."""

from typing import Annotated

from pydantic import Field

from trtbuild.measure.classification import Classification
from trtbuild.measure.entrypoint import Python

__all__ = ["AnyMetric"]

AnyMetric = Annotated[Classification | Python, Field(discriminator="kind")]
"""What stands in `metrics` beside plain names."""
