"""What ONNX files show of themselves."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of
from tests.helpers.sorts import save_sort
from trtbuild.core.errors import StepInputError
from trtbuild.verbs.init.onnx_look import draw, look_at_onnx


def look(path):
    return look_at_onnx(path, placed=path.name, name=path.stem)


def look_at(tmp_path, text, weights=None):
    onnx.save(model_of(text, weights), tmp_path / "m.onnx")
    return look(tmp_path / "m.onnx")


def test_tables_and_vectors_are_found(tmp_path):
    """Of a sentence encoder."""
    found = look(save_sort("bert", tmp_path))

    assert {"input_ids": 1000, "token_type_ids": 2} == found.tables
    assert {"sentence_embedding"} == found.unit_vectors


def test_first_states_are_found(tmp_path):
    """By the operand that they are."""
    found = look(save_sort("lstm", tmp_path))

    assert {"h0", "c0"} == found.states
    assert found.recurs


@pytest.mark.parametrize(
    ("text", "scales"),
    [("y = Div(x, k)", True), ("y = Sub(x, k)", True), ("y = Mul(x, k)", False)],
)
def test_a_model_that_scales_pixels_is_known(text, scales, tmp_path):
    """By what first computes with them."""
    found = look_at(
        tmp_path,
        f"g (float[n, 3, 8, 8] x) => (float[n, 3, 8, 8] y) <float k = {{255.0}}> {{ {text} }}",
    )

    assert ({"x"} if scales else set()) == found.scales_pixels


@pytest.mark.parametrize(
    ("mean", "found"),
    [("104, 117, 123", {"x"}), ("123.68, 116.78, 103.94", set()), ("104, 117", set())],
)
def test_the_mean_of_caffes_models_tells_that_blue_comes_first(mean, found, tmp_path):
    """As OpenCV orders channels; in the other order they are red first."""
    count = len(mean.split(","))
    text = f"<float[{count}, 1, 1] k = {{{mean}}}> {{ y = Sub(x, k) }}"
    graph = f"g (float[n, {count}, 8, 8] x) => (float[n, {count}, 8, 8] y) {text}"

    assert found == look_at(tmp_path, graph).blue_first


def test_a_length_computed_by_hand_is_one(tmp_path):
    """x / max(sqrt(sum(x²)), eps), as PyTorch exports it."""
    found = look_at(
        tmp_path,
        """g (float[n, 8] x) => (float[n, 8] y) <int64[1] axis = {1}, float least = {1e-12}> {
          q = Mul(x, x)  s = ReduceSum<keepdims=1>(q, axis)  r = Sqrt(s)  m = Max(r, least)
          y = Div(x, m)
        }""",
    )

    assert {"y"} == found.unit_vectors


def test_it_runs_at_any_size_it_takes(tmp_path):
    """And raises, without a word on the terminal, where it takes none."""
    trial = look(save_sort("bert", tmp_path)).trial
    names = ("input_ids", "attention_mask", "token_type_ids")

    assert (2, 16, 32) == trial(dict.fromkeys(names, (2, 16)), {})["last_hidden_state"]
    with pytest.raises(StepInputError):
        trial(dict.fromkeys(names, (2, 100)), {})


def test_values_are_drawn_where_they_may_lie():
    """Integers end before the high end."""
    drawn = draw("int64", (100,), (3, 5))

    assert {3, 4} == set(drawn.tolist())
    assert np.float16 == draw("float16", (2,), (0, 1)).dtype
    with pytest.raises(StepInputError):
        draw("bfloat", (2,), (0, 1))
