"""The figures of metrics by the names that recipes know, and outputs as metrics see them."""

from __future__ import annotations

from collections.abc import Iterator

from trtbuild.core.values import TensorSpec
from trtbuild.measure.base import Figure, MetricKind
from trtbuild.measure.pairs import Output, list_row_shapes

__all__ = ["describe_output", "list_figures"]


def list_figures(metric: MetricKind) -> Iterator[tuple[str, Figure]]:
    """Yield the figures of a metric, by the names that recipes know them by."""
    for figure in metric.figures():
        yield figure.name if metric.name is None else f"{metric.name}.{figure.name}", figure


def describe_output(name: str, output: Output) -> TensorSpec:
    """Describe a sample of an output; a size in which samples differ is a span: `0..300`."""
    shapes = list_row_shapes(output)
    sizes = [sorted({shape[axis] for shape in shapes}) for axis in range(len(shapes[0]))]
    return TensorSpec(
        name=name,
        dtype=output.dtype.name,
        shape=tuple(each[0] if len(each) == 1 else f"{each[0]}..{each[-1]}" for each in sizes),
    )
