"""The digits example: its split, its entrypoint, its shipped weights, its training."""

from __future__ import annotations

import dataclasses
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from calib_data.digits import SIZES, digits, load
from recipes.models import train_digits
from recipes.models.train_digits import COURSES, Course, tensors, top1, trained

MODELS = Path(train_digits.__file__).parent


def model_with_weights(course: Course) -> torch.nn.Module:
    """Return the model in `eval` mode; keys or shapes that do not fit raise."""
    model = course.model()
    model.load_state_dict(load_file(MODELS / course.weights))
    return model.eval()


@pytest.fixture
def _torch_settings():
    """Training sets torch's threads and determinism for the process; put them back."""
    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(deterministic)


def test_no_picture_is_in_two_parts():
    """Train, calibration and evaluation differ in every picture, pixel for pixel."""
    parts = [{image.tobytes() for image in load(split)[0]} for split in SIZES]

    assert [897, 100, 800] == [len(part) for part in parts]
    assert [set(), set(), set()] == [one & other for one, other in combinations(parts, 2)]


def test_the_split_is_fixed():
    """The first evaluation labels are these, with every version of numpy."""
    assert [8, 3, 6, 3, 1, 1, 8, 6, 1, 2] == [
        sample["label"] for sample in digits("eval", count=10)
    ]


def test_a_sample_is_what_the_model_takes():
    """A sample is a picture in 0..1 without a batch axis, and a label."""
    samples = list(digits("calib"))

    assert 100 == len(samples)
    assert {("input", "label")} == {tuple(sample) for sample in samples}
    assert {(1, 8, 8)} == {sample["input"].shape for sample in samples}
    assert {np.dtype("float32")} == {sample["input"].dtype for sample in samples}
    assert (0.0, 1.0) == (
        min(sample["input"].min() for sample in samples),
        max(sample["input"].max() for sample in samples),
    )
    assert set(range(10)) == {sample["label"] for sample in samples}


def test_an_unknown_part_is_named():
    """A part that is not there is an error that lists those that are."""
    with pytest.raises(ValueError, match=r"no part `test`.*train, calib, eval"):
        next(digits("test"))


@pytest.mark.parametrize(("name", "least"), [("cnn", 0.99), ("mlp", 0.98), ("vit", 0.98)])
def test_the_shipped_weights_read_digits(name, least):
    """Each model loads its weights, key for key, and reads pictures that it never saw."""
    assert least <= top1(model_with_weights(COURSES[name]), *tensors("eval"))


@pytest.mark.parametrize("name", COURSES)
def test_the_shipped_weights_are_small(name):
    """The weights are fit for a repository."""
    assert 400 * 1024 > (MODELS / COURSES[name].weights).stat().st_size


@pytest.mark.usefixtures("_torch_settings")
@pytest.mark.parametrize("name", COURSES)
def test_training_twice_gives_the_same_weights(name):
    """Training depends on nothing but the pictures and the seed."""
    course = dataclasses.replace(COURSES[name], epochs=1)
    images, labels = (part[:128] for part in tensors("train"))

    first = trained(course, images, labels).state_dict()
    torch.rand(7)
    second = trained(course, images, labels).state_dict()

    assert [] == [key for key in first if not torch.equal(first[key], second[key])]
