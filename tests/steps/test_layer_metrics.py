"""What is measured of each layer: what the recipe lists, and what the whole would hide."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.quant import normal
from trtbuild.core.errors import StepInputError
from trtbuild.core.sensitivity import PickedSamples
from trtbuild.core.values import TensorSpec
from trtbuild.data.base import Manifest
from trtbuild.measure.classification import Classification
from trtbuild.measure.regression import Regression
from trtbuild.measure.tally import Tally
from trtbuild.steps.base import Context
from trtbuild.steps.layer_metrics import plan_tally
from trtbuild.steps.measuring import Measuring, TaskInput

SPEC = TensorSpec(name="x", dtype="float32", shape=(4,))
MANIFEST = Manifest(count=4, samples=("sha256:aa",) * 4, tensors=(SPEC,), labelled=True)
PICKED = PickedSamples(
    of=4, names=("a", "b"), places=(0, 2), digests=("sha256:aa",) * 2, labels=(1, 0)
)


def plan(first, tmp_path, **asked):
    return plan_tally(
        ("cosine",),
        Measuring(**asked),
        Context(inputs={}, out=tmp_path),
        manifest=MANIFEST,
        picked=PICKED,
        first=first,
    )


def test_parts_of_unlike_scale_are_found_by_themselves(tmp_path):
    """Boxes in pixels beside scores: the figures of each; a part that is named instead hides."""
    rows = np.concatenate([normal(8, 4, 64) * 300, normal(8, 4, 64, seed=1) / 9], axis=1)
    first = [{"y": row} for row in rows]
    found, named = plan(first, tmp_path), plan(first, tmp_path, parts={"boxes": "y[:, :4]"})

    assert {"y[:, 0:4]", "y[:, 4:8]"} == set(found.parts) == found.hidden
    assert ({"boxes"}, frozenset()) == (set(named.parts), named.hidden)
    assert ("cosine", "sqnr_db") == found.metrics


def test_a_part_of_no_output_is_an_error(tmp_path):
    """And says which outputs there are."""
    with pytest.raises(StepInputError, match="there is no output `z`"):
        plan([{"y": normal(4)}], tmp_path, parts={"p": "z[:, 1:]"})


def test_tasks_are_measured_on_what_was_picked(tmp_path):
    """A metric with options, by the labels of those samples."""
    task = TaskInput(metric=Classification(kind="classification"))
    asked = plan([{"y": normal(4)}], tmp_path, tasks=(task,))
    tally = Tally(asked)
    right = np.array([[0, 9, 0, 0], [9, 0, 0, 0]], np.float32)
    for index in range(2):
        tally.add(index, {"y": right[index]}, {"y": right[0]})
    (found,) = [each for each in tally.measure() if each.metric == "balanced_accuracy"]

    assert (1.0, 0.5) == (found.reference, found.value)


def test_a_task_knows_nothing_of_parts_that_were_found(tmp_path):
    """Of an output that is split by itself a metric with options means the whole, as in `apply`."""
    rows = np.concatenate([normal(2, 4, 64) * 300, normal(2, 4, 64, seed=1) / 9], axis=1)
    task = TaskInput(metric=Regression(kind="regression", against="reference"))
    asked = plan([{"y": row} for row in rows], tmp_path, tasks=(task,))
    tally = Tally(asked)
    for index in range(2):
        tally.add(index, {"y": rows[index]}, {"y": rows[index] + 1})

    assert 2 == len(asked.hidden)
    assert [1.0] == [pytest.approx(e.value) for e in tally.measure() if e.metric == "mae"]
