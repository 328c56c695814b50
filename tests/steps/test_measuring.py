"""What a comparison measures beside plain metrics: parts, tasks, code of the user's."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.measuring import metric_of
from tests.steps.test_compare import SCORES, Setup
from trtbuild.core.arrays import write_npz
from trtbuild.core.digest import digest_of_file
from trtbuild.core.errors import StepInputError
from trtbuild.measure.gates import Gate
from trtbuild.steps.base import Pinned, Ref
from trtbuild.steps.measuring import Measuring, TaskInput


@pytest.fixture
def setup(tmp_path):
    return Setup(tmp_path)


def test_a_part_is_measured_and_judged_as_an_output_is(setup):
    """Its noise is its own."""
    setup.outputs("candidate", y=SCORES + np.array([0, 1], np.float32))
    gate = Gate.model_validate_json('{"metric": "max_abs", "output": "first", "at_most": 0.5}')
    found = setup.run("max_abs", gates=(gate,), more=Measuring(parts={"first": "y[:, :1]"}))

    assert [("y", 1.0), ("first", 0.0)] == [(each.output, each.value) for each in found.measures]
    assert [("first", True)] == [(each.output, each.passed) for each in found.verdicts]


@pytest.mark.parametrize(
    ("text", "told"),
    [("z[:, 1:]", "there is no output `z`"), ("y[:, 2]", "axis 1 has 2 places, so there is no 2")],
)
def test_a_part_of_nothing_is_one_error(setup, text, told):
    """Which says what there is."""
    with pytest.raises(StepInputError) as caught:
        setup.run("cosine", more=Measuring(parts={"part": text}))

    assert told in caught.value.message
    assert caught.value.hint


def test_code_of_the_users_measures_and_is_an_ingredient(setup, tmp_path):
    """What it says of itself is what the worker watches."""
    code = tmp_path / "metrics.py"
    code.write_text("def gap(reference, candidate): return abs(reference - candidate).max()")
    metric = metric_of(
        kind="python", entrypoint="metrics.py:gap", output="y", environment=["GAP"], options={}
    )
    pinned = Pinned(path=str(code), digest=digest_of_file(code))
    task = TaskInput(metric=metric, names=("metrics.py",), files=(pinned,))
    more = Measuring(tasks=(task,), base=str(tmp_path))
    setup.outputs("candidate", y=SCORES + 2)

    found = setup.run("cosine", more=more)

    assert 2.0 == found.measures[-1].value
    watched = more.user_code()
    assert ((str(code),), ("GAP",)) == (watched.known, watched.environment)
    assert Measuring().user_code() is None


def test_labels_that_are_arrays_reach_the_metric(setup, tmp_path):
    """The reference is half a unit above its targets, the candidate two and a half."""
    setup.inputs["labels/labels"] = tmp_path / "labels.npz"
    with write_npz(tmp_path / "labels.npz") as writer:
        writer.append("labels", SCORES - 0.5, ragged=True)
    setup.outputs("candidate", y=SCORES + 2)
    task = TaskInput(metric=metric_of(kind="regression", output="y", against="labels"))
    more = Measuring(tasks=(task,), labels=Ref(step="labels", output="labels"))

    found = setup.run("cosine", more=more)

    (mae,) = [each for each in found.measures if each.metric == "target_mae"]
    assert (0.5, 2.5) == (mae.reference, mae.value)


def test_parts_of_unlike_scale_are_warned_of_without_being_asked(setup):
    """Until a part of the output has a name."""
    boxes = np.random.default_rng(0).uniform(50, 600, (20, 4, 9))
    scores = np.random.default_rng(1).uniform(0, 1, (20, 3, 9))
    output = np.concatenate([boxes, scores], axis=1)
    setup.labels(count=20)
    setup.outputs("reference", y=output)
    setup.outputs("candidate", y=output + 0.1)

    found = setup.run("sqnr_db")
    (warning,) = setup.events.warnings
    assert ["y", "y[:, 0:4]", "y[:, 4:7]"] == [each.output for each in found.measures]
    assert "`y` holds parts of unlike scale" in warning
    assert 'compare: {outputs: {part: "y[:, 4:7]"}}' in warning

    named = setup.run("sqnr_db", more=Measuring(parts={"scores": "y[:, 4:]"}))
    assert ["y", "scores"] == [each.output for each in named.measures]


def test_shares_beside_seeded_weights_are_doubted(setup):
    """And a number that is none is a failure without a gate, with the sample named."""
    setup.outputs("candidate", y=np.where(SCORES == SCORES[1, 0], np.nan, SCORES))
    agreement, cosine = setup.run("top1_agreement", "cosine", caveats=("seeded weights",)).measures
    (verdict,) = setup.run("cosine").verdicts

    assert "seeded weights" in agreement.doubt
    assert "" == cosine.doubt
    assert not verdict.passed
    assert "the candidate holds NaN or Inf in 3 of 3 samples, first in sample 0" == verdict.remark
