"""What a recipe is drafted from."""

from __future__ import annotations

import onnx
import pytest

from tests.helpers.models import model_of
from trtbuild.core.errors import UsageError
from trtbuild.verbs.init.onnx_look import look_at_onnx
from trtbuild.verbs.init.parts import gather_parts


def test_a_model_that_random_data_cannot_feed_needs_samples(tmp_path):
    """All that would be left is constants."""
    model = model_of("g (double[n, 4] x) => (float[n, 4] y) { y = Cast<to: int = 1>(x) }")
    onnx.save(model, tmp_path / "m.onnx")
    look = look_at_onnx(tmp_path / "m.onnx", placed="m.onnx", name="m")
    with pytest.raises(UsageError, match="no random data can be drawn for `x` float64") as raised:
        gather_parts(look, None, tmp_path)

    assert "--data FILE.npz" in raised.value.hint
