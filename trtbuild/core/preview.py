"""DataPreview: what a model will be fed, in numbers and words."""

from __future__ import annotations

from typing import Literal

from trtbuild.core.options import Options

__all__ = ["ChannelCounts", "DataPreview", "FirstLayerDistance", "ShownInput"]


class ChannelCounts(Options):
    """How the values of one channel are spread, over all samples that are shown."""

    name: str
    """`R`, `G`, `B`, `gray`, or a number; empty where an input has no channels."""
    low: float
    high: float
    mean: float
    deviation: float
    counts: tuple[int, ...]
    """How many values lie in each of as many equal bins, between the input's ends."""


class ShownInput(Options):
    """What one input of the model is fed."""

    name: str
    dtype: str
    shapes: tuple[tuple[int, ...], ...]
    """Of the samples, each shape once."""
    look: Literal["picture", "map", "wave", "numbers"]
    """What the sheet shows of it: a picture, values from low to high as grey, a curve, or none."""
    ends: tuple[float, float]
    """Between which the bins lie: the least and the largest value, NaN left out."""
    channels: tuple[ChannelCounts, ...]
    first: tuple[str, ...] = ()
    """The beginning of each sample in words or numbers, where it is no picture."""


class FirstLayerDistance(Options):
    """How far what a model's first layer makes is from what it was trained on.

    The normalization behind it holds the mean and the deviation that its channels had in training.
    """

    layer: str
    normalization: str
    distances: dict[str, float]
    """By what is done to the samples before they are fed (`as they are`, ...): the mean over the
    channels of |mean - expected mean| / expected deviation, and the same of the deviations'
    logarithms; 0 is as in training, 1 is one deviation off."""


class DataPreview(Options):
    """A few samples of a data set, as the model is fed them."""

    data: str
    source: str
    """The kind of the data source."""
    of: int
    """How many samples there are; `names` are those that are shown."""
    names: tuple[str, ...]
    labels: tuple[int, ...] = ()
    inputs: tuple[ShownInput, ...]
    first_layer: FirstLayerDistance | None = None
    unknown: str = ""
    """Why it is not known what the first layer expects."""
    doubts: tuple[str, ...] = ()
    """What looks wrong, in words."""
