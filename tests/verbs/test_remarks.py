"""What a whole build shows that none of its steps sees."""

from __future__ import annotations

import pytest

from tests.helpers.records import digest, outcomes, target
from trtbuild.core.records import Artifact
from trtbuild.verbs.remarks import list_warnings

MIB = 1 << 20


@pytest.mark.parametrize(
    ("found", "model", "engine", "asked"),
    [(1, 90, 103, 4), (0, 90, 102, 4), (0, 0, 103, 4), (0, 90, 103, 0)],
)
def test_an_int8_engine_that_is_larger_than_its_model_is_told(found, model, engine, asked):
    """For three capabilities it may hold 12 MiB more; one without INT8 may be as large as it is."""
    made = (Artifact(name="model", digest=digest("m"), size_bytes=model * MIB),)
    result = target().model_copy(
        update={
            "engine_size_bytes": engine * MIB,
            "asked_int8": asked,
            "built_for": ("1", "2", "3"),
        }
    )

    told = list(
        list_warnings(outcomes(fix_graph={"artifacts": made * bool(model)}), [result, None])
    )
    assert found == len(told)
    assert all("103.0 MiB, is larger than the model before quantization, 90.0" in t for t in told)
