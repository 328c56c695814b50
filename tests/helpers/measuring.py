"""Measure two sides by a metric that is written as in a recipe."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from trtbuild.core.values import TensorSpec
from trtbuild.measure.base import Measurement, MetricKind, PairedSample, Subject
from trtbuild.measure.kinds import AnyMetric

if TYPE_CHECKING:
    import numpy as np

__all__ = ["begun", "folded", "metric_of"]


def metric_of(**options: Any) -> MetricKind:
    """A metric, as a recipe says it."""
    return TypeAdapter(AnyMetric).validate_json(json.dumps(options))


def begun(
    metric: MetricKind,
    reference: Mapping[str, Sequence[np.ndarray]],
    candidate: Mapping[str, Sequence[np.ndarray]],
    *,
    labels: Sequence[int] | None = None,
    truths: Sequence[np.ndarray] | None = None,
    **subject: Any,
) -> Measurement:
    """Its measurement, with every sample of two sides added: outputs by name, an array a sample."""
    outputs = {
        name: TensorSpec(name=name, dtype=rows[0].dtype.name, shape=rows[0].shape)
        for name, rows in reference.items()
    }
    count = len(next(iter(reference.values())))
    made = metric.begin(
        Subject(
            outputs=outputs,
            inputs=subject.pop("inputs", {}),
            samples=count,
            classes=None if labels is None else tuple(labels),
            truth=None if truths is None else _describe(truths[0]),
            **subject,
        )
    )
    names = subject.get("names", ())
    for index in range(count):
        made.add(
            PairedSample(
                index,
                {name: reference[name][index] for name in made.outputs},
                {name: candidate[name][index] for name in made.outputs},
                label=None if labels is None else labels[index],
                name=names[index] if names else "",
                truth=None if truths is None else truths[index],
            )
        )
    return made


def _describe(truth: np.ndarray) -> TensorSpec:
    return TensorSpec(name="labels", dtype=truth.dtype.name, shape=truth.shape)


def folded(made: Measurement, samples: Sequence[int]) -> dict[str, tuple[float | None, ...]]:
    """Its figures over some samples: the reference's value, and the candidate's."""
    import numpy as np

    found = made.fold(np.array(samples, dtype=np.int64))
    return {name: (each.reference, each.value) for name, each in found.items()}
