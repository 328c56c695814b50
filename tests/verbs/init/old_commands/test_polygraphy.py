"""Polygraphy's options."""

from __future__ import annotations

import pytest

from trtbuild.core.errors import UsageError
from trtbuild.verbs.init.old_commands.command_line import Reading, split_command
from trtbuild.verbs.init.old_commands.polygraphy import read_polygraphy


def read(text):
    reading = Reading({}, [])
    read_polygraphy(split_command(text, "polygraphy")[0], reading)
    return reading


def test_what_a_recipe_has_is_kept():
    """The model may stand anywhere."""
    reading = read(
        "polygraphy convert --int8 --fp16 --trt-min-shapes 'a:[1,3]' b:1x2 --trt-opt-shapes "
        "a:[2,3] b:[1,2] --trt-max-shapes a:[4,3] b:[1,2] m.onnx --calib-base-cls "
        "IInt8MinMaxCalibrator --pool-limit workspace:1G --data-loader-script load.py -o m.engine"
    )

    assert {
        "int8": True, "fp16": True, "model": "m.onnx", "calibrator": "minmax",
        "pools": {"workspace": 2**30}, "script": "load.py",
        "profiles": [{"a": {"min": (1, 3), "opt": (2, 3), "max": (4, 3)},
                      "b": {"min": (1, 2), "opt": (1, 2), "max": (1, 2)}}],
    } == reading.told  # fmt: skip
    assert ["-o m.engine"] == [flag for flag, _ in reading.notes]


def test_shapes_that_come_again_are_another_profile():
    """In the order in which they are given."""
    reading = read(
        "polygraphy run m.onnx --trt --trt-min-shapes a:[1] --trt-opt-shapes a:[2] "
        "--trt-max-shapes a:[3] "
        "--trt-min-shapes a:[4] --trt-opt-shapes a:[5] --trt-max-shapes a:[6]"
    )

    assert [{"min": (1,), "opt": (2,), "max": (3,)}, {"min": (4,), "opt": (5,), "max": (6,)}] == [
        profile["a"] for profile in reading.told["profiles"]
    ]


def test_comparing_is_a_recipes_own():
    """Its flags are named."""
    reading = read("polygraphy run m.onnx --trt --onnxrt --rtol 1e-3 1e-2 --zzz")

    assert ["--trt", "--onnxrt", "--rtol 1e-3 1e-2", "--zzz"] == [f for f, _ in reading.notes]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("polygraphy inspect model m.onnx", "builds no engine"),
        ("polygraphy convert --int8", "names no model"),
        ("polygraphy convert m.onnx --trt-min-shapes a", "no shape of an input"),
        ("polygraphy convert m.onnx --calib-base-cls Mine", "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_one_error(text, told):
    """With what would be."""
    with pytest.raises(UsageError, match=told) as raised:
        read(text)

    assert raised.value.hint
