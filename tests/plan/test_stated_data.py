"""What samples will be, by the recipe alone."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter

from trtbuild.data import AnyDataSource
from trtbuild.plan.stated_data import state_manifest

BYTES = {"resize": 4, "fit": "letterbox", "scale": 1.0, "dtype": "uint8", "layout": "hwc"}
TEXT = {"kind": "text", "path": "t", "tokenizer": "t", "inputs": {"input": "input_ids"}}
PICTURES = {"kind": "images", "path": "photos"}


def stated(base, **options):
    return state_manifest(TypeAdapter(AnyDataSource).validate_python(options), base)


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((3, 4, 5), {"kind": "random", "inputs": {"input": {"shape": (3, 4, 5)}}}),
        ((3, 8, 9), PICTURES | {"preprocess": {"resize": 20, "crop": (8, 9)}}),
        (
            (8, 9, 1),
            PICTURES | {"preprocess": {"resize": (8, 9), "color": "gray", "layout": "hwc"}},
        ),
        ((3, "?", "?"), PICTURES | {"preprocess": {"resize": 20}}),
    ],
)
def test_shapes_that_a_recipe_states(shape, options, tmp_path):
    """Drawn as they are written; of pictures by what preprocessing leaves."""
    (tensor,) = stated(tmp_path, **options).tensors

    assert ("input", shape) == (tensor.name, tensor.shape)


@pytest.mark.parametrize(
    ("dtype", "shape", "options"),
    [
        ("uint8", (4, 4, 3), {"kind": "video", "path": "v", "preprocess": BYTES}),
        ("uint8", (4, 4, 3), {"kind": "coco", "path": "v", "pictures": "p", "preprocess": BYTES}),
        ("int64", ("?",), TEXT),
        ("int32", (9,), TEXT | {"max_length": 9, "padding": "max_length", "dtype": "int32"}),
    ],
)
def test_shapes_of_frames_and_texts(dtype, shape, options, tmp_path):
    """Letterboxes have one size; texts where they are filled up."""
    (tensor,) = stated(tmp_path, **options).tensors

    assert ("input", dtype, shape) == (tensor.name, tensor.dtype, tensor.shape)


def test_a_count_that_is_known(tmp_path):
    """By the recipe, or by the files; 0 where there are none yet."""
    drawn = {"kind": "random", "inputs": {"input": {"shape": (3,)}}}
    pictures = PICTURES | {"preprocess": {}}

    assert 16 == stated(tmp_path, **drawn).count
    assert 5 == stated(tmp_path, **pictures, count=5).count
    assert 0 == stated(tmp_path, **pictures).count
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/a.png").touch()
    assert 1 == stated(tmp_path, **pictures).count


def test_arrays_and_code_state_nothing(tmp_path):
    """Their shapes show in reading."""
    assert stated(tmp_path, kind="arrays", path="a.npz") is None
