"""The twin of a 16-bit model: FP32 that holds what 16 bits would."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of
from trtbuild.core.errors import StepInputError
from trtbuild.model.half_twin import write_half_twin
from trtbuild.model.session import open_session

SUM = """
g (float[2] x) => (TYPE[2] y) {
  a = Cast <to: int = NUMBER> (x)
  b = Add(a, w)
  y = Add(b, w)
}
"""


def twin_of(text, folder, **weights):
    onnx.save(model_of(text, weights), folder / "model.onnx")
    return write_half_twin(folder / "model.onnx", folder / "twin")


def run(path, x):
    return open_session(path, threads=1).run({"x": x})["y"]


@pytest.mark.parametrize(
    ("expected", "given", "type_"),
    [([256.0, 3.0], [256, 1], "bfloat16"), ([2048.0, np.inf], [2048, 70000], "float16")],
)
def test_each_node_rounds(tmp_path, expected, given, type_):
    """256 + 1 is 256 in BF16, as 2048 + 1 is 2048 in FP16; and 70 000 is infinite there."""
    one = np.ones(1, ml_dtypes.bfloat16 if type_ == "bfloat16" else np.float16)
    text = SUM.replace("TYPE", type_).replace("NUMBER", "16" if type_ == "bfloat16" else "10")
    twin = twin_of(text, tmp_path, w=one)

    assert expected == run(twin, np.array(given, np.float32)).tolist()


@pytest.mark.parametrize(
    ("expected", "type_", "fed"),
    [("float32", "bfloat16", np.float32), ("float16", "float16", np.float16)],
)
def test_inputs_and_outputs_are_what_numpy_has(tmp_path, expected, type_, fed):
    """FP16 stays; BF16 is fed and read as FP32, and rounded."""
    twin = twin_of(f"g ({type_}[2] x) => ({type_}[2] y) {{ y = Relu(x) }}", tmp_path)
    found = run(twin, np.array([257, 1], fed))

    assert (expected, [256.0 if expected == "float32" else 257.0, 1.0]) == (
        found.dtype.name,
        found.tolist(),
    )


BODY = "{ b = Cast <to: int = NUMBER> (x)  r = Cast <to: int = 1> (b) }"
CHOICE = f"""
g (bool c, float[2] x, float16[2] z) => (float[2] y) {{
  y = If (c) <then_branch = t () => (float[2] r) {BODY}, else_branch = e () => (float[2] r) {BODY}>
}}
"""


@pytest.mark.parametrize(
    "text", ["g (float[2] x) => (float[2] y) { y = Relu(x) }", CHOICE.replace("NUMBER", "10")]
)
def test_other_models_are_their_own_twins(tmp_path, text):
    """Nothing is written."""
    assert tmp_path / "model.onnx" == twin_of(text, tmp_path)
    assert not (tmp_path / "twin").exists()


def test_bfloat16_in_bodies_is_refused(tmp_path):
    """Nothing here can run it."""
    with pytest.raises(StepInputError, match="there is BF16 inside the body"):
        twin_of(CHOICE.replace("NUMBER", "16"), tmp_path)
