"""embed_preprocess: the graph's numbers are those by which data is prepared."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from tests.helpers.models import graph_of, model_of, outputs_of
from trtbuild.core.errors import StepInputError
from trtbuild.core.values import TensorSpec
from trtbuild.data.preprocess import Preprocess
from trtbuild.fixes.apply import apply_fixes
from trtbuild.fixes.embed_preprocess import EmbedPreprocess
from trtbuild.recipe.embedding import embed_preprocessing

PICTURES = np.random.default_rng(3).integers(0, 256, (2, 37, 53, 3), dtype=np.uint8)
"""Noise: every sum is another one."""
IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


def model_for(how, *, size=("H", "W"), dtype="float"):
    channels = 1 if how.color == "gray" else 3
    shape = (channels, *size) if how.layout == "chw" else (*size, channels)
    end = f"{dtype}[N, {', '.join(map(str, shape))}]"
    return model_of(f"g ({end} x) => ({end} y) {{ y = Identity(x) }}")


class Section:
    """As much of a recipe as is looked at: one data set and the fix that names it."""

    def __init__(self, how, picture=None):
        self.fixes = (EmbedPreprocess(kind="embed_preprocess", data="calib", picture=picture),)
        self.data = {"calib": Source(how)}

    def model_copy(self, update):
        vars(self).update(update)
        return self


class Source:
    def __init__(self, preprocess):
        self.preprocess = preprocess

    def model_copy(self, update):
        return Source(update["preprocess"])


def moved(how, picture=None):
    """Return the fix as a recipe resolves it, and what is left for the data."""
    made = embed_preprocessing(Section(how, picture))
    return made.fixes[0], made.data["calib"].preprocess


def results(how, picture=None, **more):
    """Return what the model sees by data alone, and by what is left and the graph."""
    fix, left = moved(how, picture)
    wanted = np.stack([how.apply(each, "it") for each in PICTURES])
    rest = np.stack([left.apply(each, "it") for each in PICTURES])
    fixed, _ = apply_fixes(model_for(how, **more), [fix])
    assert rest.dtype == np.uint8
    return wanted, outputs_of(fixed, {"x": rest})["y"]


NUMBERS = {
    "ImageNet's": {"resize": 32, "crop": (24, 24), **IMAGENET},
    "BGR of bytes less a mean": {"color": "bgr", "scale": 1.0, "mean": (104.0, 117.0, 123.0)},
    "-1 to 1, channels last": {"scale": 1 / 127.5, "mean": (1.0,), "layout": "hwc"},
    "gray": {"color": "gray", "std": (0.5,)},
    "half": {"dtype": "float16"},
    "a letterbox outside": {"resize": 64, "fit": "letterbox"},
}


@pytest.mark.parametrize("case", NUMBERS)
def test_numbers_are_the_datas_bit_for_bit(case):
    """Resizing stays outside; colours, scale, mean, std, layout and type are in the graph."""
    how = Preprocess(**NUMBERS[case])
    wanted, found = results(how, dtype="float16" if case == "half" else "float")

    np.testing.assert_array_equal(wanted, found)


GEOMETRY = {
    "shrunk as Pillow does": {"resize": (20, 31)},
    "grown": {"resize": (80, 61)},
    "by the shorter side, and cropped": {"resize": 32, "crop": (24, 28)},
    "bicubic": {"resize": (20, 31), "interpolation": "bicubic"},
    "lanczos": {"resize": (20, 31), "interpolation": "lanczos"},
    "nearest": {"resize": (20, 31), "interpolation": "nearest"},
    "letterbox": {"resize": (48, 40), "fit": "letterbox"},
    "letterbox in the corner": {"resize": 48, "fit": "letterbox", "align": "corner", "pad": 0},
    "as torchvision's tensors": {"resize": (20, 31), "resize_like": "torchvision"},
    "as they without antialiasing": {
        "resize": (20, 31),
        "resize_like": "torchvision",
        "antialias": False,
    },
    "as OpenCV": {"resize": (20, 31), "resize_like": "opencv"},
    "as OpenCV, one axis": {"resize": (37, 31), "resize_like": "opencv"},
    "as OpenCV, bicubic": {
        "resize": (20, 31),
        "resize_like": "opencv",
        "interpolation": "bicubic",
    },
    "gray": {"resize": (20, 31), "color": "gray"},
    "cropped alone": {"crop": (20, 20)},
}


@pytest.mark.parametrize("case", GEOMETRY)
def test_pictures_of_one_size_are_resized_in_the_graph(case):
    """Bit for bit; of torchvision's, which are floats, a byte may be one off."""
    how = Preprocess(**GEOMETRY[case], scale=1.0)
    wanted, found = results(how, (37, 53))
    off = np.abs(wanted - found)

    assert off.max() <= (1 if how.resize_like == "torchvision" else 0)
    assert (off > 0).mean() < 0.001


def test_what_moved_is_left_out_where_data_is_read():
    """All of it where the pictures have one size; else what makes them have one."""
    how = Preprocess(resize=32, crop=(24, 24), color="bgr", **IMAGENET)
    plain = {"scale": 1.0, "layout": "hwc", "dtype": "uint8"}

    assert Preprocess(**plain) == moved(how, (37, 53))[1]
    assert Preprocess(resize=32, crop=(24, 24), **plain) == moved(how)[1]


def test_the_input_keeps_its_name():
    """And becomes uint8, channels last; the tensor inside is named after its type."""
    how = Preprocess(resize=(20, 31))
    fixed, accounts = apply_fixes(model_for(how, size=(20, 31)), [moved(how, (37, 53))[0]])
    (value,) = fixed.graph.input
    sizes = [dim.dim_value or dim.dim_param for dim in value.type.tensor_type.shape.dim]

    assert ("x", 2, ["N", 37, 53, 3]) == (value.name, value.type.tensor_type.elem_type, sizes)
    assert "x_float32" == fixed.graph.node[-1].input[0]
    assert ("x: [N, 3, 20, 31] → uint8 ['N', 37, 53, 3]",) == accounts.fixes[0].changed


def test_twice_is_remarked():
    """It is in the model already."""
    fix = EmbedPreprocess(kind="embed_preprocess")
    fixed, _ = apply_fixes(model_for(Preprocess()), [fix])

    assert ("embed_preprocess: the model has it already",) == (
        apply_fixes(fixed, [fix])[1].fixes[0].remarks
    )


REFUSED = {
    "takes 4 channels, and `color: rgb` makes 3": ("float[1, 4, 8, 8] x", {}),
    "which input takes pictures": ("float[1, 8] x", {}),
    "no input `image`": ("float[1, 3, 8, 8] x", {"input": "image"}),
    "takes other sizes than \\[9, 9\\]": ("float[1, 3, 8, 8] x", {"picture": (9, 9)}),
    "no `preprocess` of data `calib`": ("float[1, 3, 8, 8] x", {"data": "calib"}),
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_takes_no_such_pictures_is_refused(words):
    """With the inputs there are."""
    end, options = REFUSED[words]

    with pytest.raises(StepInputError, match=words):
        EmbedPreprocess(kind="embed_preprocess", **options).apply(
            graph_of(f"g ({end}) => ({end.replace('x', 'y')}) {{ y = Relu(x) }}")
        )


@pytest.mark.parametrize(
    "options",
    [
        {"data": "calib", "color": "bgr"},
        {"resize": (8, 8)},
        {"mean": (1.0, 2.0)},
        {"color": "gray", "std": (1.0, 2.0, 3.0)},
    ],
)
def test_options_that_do_not_go_together_are_refused(options):
    """With the recipe."""
    with pytest.raises(ValidationError):
        EmbedPreprocess(kind="embed_preprocess", **options)


def test_the_plan_foresees_bytes():
    """So that data is held against them."""
    spec = TensorSpec(name="x", dtype="float32", shape=("N", 3, 20, 31))
    fix = EmbedPreprocess(kind="embed_preprocess", picture=(37, 53), resize=(20, 31))

    assert [("uint8", ("N", 37, 53, 3))] == [
        (each.dtype, each.shape) for each in fix.foresee((spec,))
    ]
