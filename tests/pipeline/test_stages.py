"""What cannot be a stage is told when the pipeline starts."""

from __future__ import annotations

import json

import pytest

from tests.pipeline.conftest import paint
from trtbuild.core.errors import MissingFile, UsageError


@pytest.mark.parametrize(
    ("stage", "error", "told"),
    [
        ({"recipe": "mean.yaml", "data": "none"}, UsageError, "data `none` has no `preprocess`"),
        ({"recipe": "none.yaml"}, MissingFile, r"none\.yaml"),
        ({"python": "none.py:f"}, MissingFile, r"none\.py"),
    ],
)
def test_what_is_not_there_is_told(run, stage, error, told):
    """Before a frame is read."""
    with pytest.raises(error, match=told):
        run({"it": stage}, paint(1))


def test_a_model_of_a_fixed_batch_is_refused(run, project):
    """A stage feeds one picture at a time, or as many as there are."""
    from tests.helpers.models import model_of

    text = "net (float[4,3,4,4] x) => (float[4,3] y) { z = GlobalAveragePool(x) y = Flatten(z) }"
    (project / "build/mean/model.fp32.onnx").write_bytes(model_of(text).SerializeToString())

    with pytest.raises(UsageError, match="in batches of 4"):
        run({"it": {"recipe": "mean.yaml"}}, paint(1))


def test_an_engine_that_does_not_run_here_is_its_model(run, project):
    """The recipe's engine is of another GPU."""
    recipe = json.loads((project / "mean.yaml").read_text())
    recipe["targets"]["gpu"] = {"kind": "tensorrt10", "workspace": "1GiB"}
    (project / "mean.yaml").write_text(json.dumps(recipe))
    (project / "build/mean/gpu").mkdir()
    (project / "build/mean/gpu/model.engine").write_bytes(b"ftrt")

    found, _ = run({"it": {"recipe": "mean.yaml"}}, paint(3))
    assert 3 == found.results
