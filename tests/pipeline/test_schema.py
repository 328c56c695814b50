"""What a pipeline may say."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from trtbuild.pipeline.schema import Stage


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"recipe": "a.yaml", "python": "b.py:c"},
        {"python": "b.py:c", "data": "photos"},
        {"recipe": "a.yaml", "queue": {"size": 0}},
        {"recipe": "a.yaml", "batch": 0},
    ],
)
def test_a_stage_is_a_recipe_or_a_function(fields):
    """And has options of what it is alone."""
    with pytest.raises(ValidationError):
        Stage.model_validate(fields)


def test_queues_block_and_batches_are_one_by_default():
    """Nothing is lost unless it was asked for."""
    stage = Stage.model_validate({"recipe": "a.yaml"})

    assert ("block", 8, 1) == (stage.queue.full, stage.queue.size, stage.batch)
