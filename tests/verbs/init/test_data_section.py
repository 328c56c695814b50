"""The section `data`, from what was found."""

from __future__ import annotations

from tests.helpers.sorts import save_sort
from trtbuild.verbs.init.data_section import explain_data, write_data
from trtbuild.verbs.init.onnx_look import look_at_onnx
from trtbuild.verbs.init.parts import gather_parts


def parts_of(sort, tmp_path):
    path = save_sort(sort, tmp_path)
    look = look_at_onnx(path, placed=path.name, name=sort)
    return gather_parts(look, None, tmp_path)


def test_random_values_lie_where_inputs_take_them(tmp_path):
    """Tokens within their table, masks that mask nothing, each in its type."""
    calib, _ = write_data(parts_of("bert", tmp_path))

    assert {
        "input_ids": {"shape": [32], "dtype": "int64", "high": 1000},
        "attention_mask": {"shape": [32], "dtype": "int64", "low": 1, "high": 2},
        "token_type_ids": {"shape": [32], "dtype": "int64", "high": 2},
    } == calib.plain["inputs"]


def test_random_pictures_lie_where_preprocessing_puts_them(tmp_path):
    """Of ImageNet's mean and deviation."""
    calib, _ = write_data(parts_of("vit", tmp_path))
    drawn = calib.plain["inputs"]["pixel_values"]

    assert (-2.1652, 2.6518) == (drawn["low"], drawn["high"])


def test_a_fixed_batch_gets_whole_batches(tmp_path):
    """Sixteen are four of four."""
    parts = parts_of("fixed", tmp_path)

    assert 16 == write_data(parts)[0].plain["count"]
    assert "RANDOM" in explain_data(parts)
