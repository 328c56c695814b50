"""Which axis of an input counts the samples, and how a sample becomes its array."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from trtbuild.core.errors import StepInputError
from trtbuild.core.values import TensorSpec
from trtbuild.model.batching import arrange, fits, quote_setting
from trtbuild.model.feeds import Feeder
from trtbuild.model.input_feeding import InputFeeding


@dataclass
class Sample:
    """What feeds are made of."""

    name: str
    arrays: dict


def specs(**shapes):
    return [
        TensorSpec(name=name, dtype="float32", shape=tuple(shape)) for name, shape in shapes.items()
    ]


def fed(inputs, *samples, **told):
    """Return the shapes of the first feed, or the error, of samples given by their shapes."""
    settings = {name: InputFeeding(**each) for name, each in told.items()}
    drawn = [
        Sample(f"s{index}", {name: np.ones(shape, np.float32) for name, shape in one.items()})
        for index, one in enumerate(samples)
    ]
    feeder = Feeder(inputs, specs(**samples[0]), settings)
    feed, *_ = list(feeder.feeds(drawn))
    return {name: array.shape for name, array in feed.arrays.items()}


RECURRENT = specs(x=("n", 10, 4), h=(2, "n", 8))
UNNAMED = specs(x=("x_dim_0", 10, 4), h=(2, "?", 8))
CACHE = specs(ids=("batch", "seq"), past=(2, "batch", 4, "past", 8))
SAM = specs(emb=(1, 8, 16, 16), size=(2,), scale=())
POINTS = specs(emb=(1, 8, 4, 4), points=("k", 2), labels=("k",))


@pytest.mark.parametrize(
    ("inputs", "sample", "expected"),
    [
        (RECURRENT, {"x": (10, 4), "h": (2, 1, 8)}, {"x": (1, 10, 4), "h": (2, 1, 8)}),
        (RECURRENT, {"x": (1, 10, 4), "h": (2, 8)}, {"x": (1, 10, 4), "h": (2, 1, 8)}),
        (UNNAMED, {"x": (10, 4), "h": (2, 8)}, {"x": (1, 10, 4), "h": (2, 1, 8)}),
        (UNNAMED, {"x": (10, 4), "h": (2, 1, 8)}, {"x": (1, 10, 4), "h": (2, 1, 8)}),
        (CACHE, {"ids": (5,), "past": (2, 4, 7, 8)}, {"ids": (1, 5), "past": (2, 1, 4, 7, 8)}),
        (
            SAM,
            {"emb": (8, 16, 16), "size": (2,), "scale": ()},
            {"emb": (1, 8, 16, 16), "size": (2,), "scale": ()},
        ),
        (
            POINTS,
            {"emb": (8, 4, 4), "points": (3, 2), "labels": (3,)},
            {"emb": (1, 8, 4, 4), "points": (3, 2), "labels": (3,)},
        ),
        (specs(x=("n", 3), t=("n",)), {"x": (3,), "t": ()}, {"x": (1, 3), "t": (1,)}),
        (specs(x=("N", "c", "h")), {"x": (3, 9)}, {"x": (1, 3, 9)}),
        (specs(x=(1, 16, 4)), {"x": (1, 16, 4)}, {"x": (1, 16, 4)}),
        (specs(x=(16, 4)), {"x": (16, 4)}, {"x": (16, 4)}),
    ],
)
def test_the_batch_axis_is_found(inputs, sample, expected):
    """By its name, or by what a sample brings; what has none is fed whole."""
    assert expected == fed(inputs, sample)


def test_a_fixed_batch_is_filled_on_its_own_axis():
    """Two samples make one run, with that axis or without; what is whole serves both."""
    inputs = specs(x=(2, 4), h=(3, 2, 8), size=(5,))
    expected = {"x": (2, 4), "h": (3, 2, 8), "size": (5,)}
    for shape in ((3, 8), (3, 1, 8)):
        assert expected == fed(inputs, *[{"x": (4,), "h": shape, "size": (5,)}] * 2)


@pytest.mark.parametrize(
    ("inputs", "sample", "told", "expected"),
    [
        (specs(x=("s", "m", 4)), {"x": (9, 4)}, {"x": {"batch_axis": 1}}, {"x": (9, 1, 4)}),
        (specs(x=("l", 4)), {"x": (9, 4)}, {"x": {"batch_axis": "none"}}, {"x": (9, 4)}),
        (RECURRENT, {"x": (10, 4)}, {"h": {"fill": 0}}, {"x": (1, 10, 4), "h": (2, 1, 8)}),
        (UNNAMED, {"x": (10, 4)}, {"h": {"fill": 0}}, {"x": (1, 10, 4), "h": (2, 1, 8)}),
        (SAM, {"emb": (8, 16, 16), "size": (2,)}, {"scale": {"fill": 2}}, {"scale": ()}),
        (
            CACHE,
            {"ids": (5,)},
            {"past": {"fill": 0, "shape": (2, 1, 4, 0, 8)}},
            {"ids": (1, 5), "past": (2, 1, 4, 0, 8)},
        ),
    ],
)
def test_the_recipe_says_what_is_not_found(inputs, sample, told, expected):
    """A batch axis, none, or one value for all samples."""
    assert expected.items() <= fed(inputs, sample, **told).items()


@pytest.mark.parametrize(
    ("inputs", "samples", "told", "message", "hint"),
    [
        (
            specs(src=("S", "N", 8), mask=("N", "S")),
            [{"src": (5, 8), "mask": (5,)}],
            {},
            r"which axis of the input `src` \[S, N, 8\] counts the samples: 0 \(S\) or 1 \(N\)",
            "`inputs: {src: {batch_axis: 1}}`",
        ),
        (
            specs(h=(2, "n", 8)),
            [{"h": (2, 8)}],
            {},
            r"which axis of the input `h` \[2, n, 8\] counts the samples: 0 \(2\) or 1 \(n\)",
            "`inputs: {h: {batch_axis: 1}}`",
        ),
        (
            specs(x=("n", 8)),
            [{"x": (5, 8)}],
            {},
            r"sample s0: `x` is float32 \[5, 8\]; it must be float32 \[1, 8\]",
            "`inputs: {x: {batch_axis: none}}`",
        ),
        (
            specs(ids=("b", "seq"), mask=("b", "seq")),
            [{"ids": (5,), "mask": (4,)}],
            {},
            "axis 1 of `mask` is 4, and axis 1 of `ids` is 5; the model calls both `seq`",
            "",
        ),
        (
            specs(x=("n", 3, "h")),
            [{"x": (3, 5)}, {"x": (4, 5)}],
            {},
            r"sample s1: `x` is float32 \[4, 5\]; it must be float32 \[3, h\]",
            "",
        ),
        (
            CACHE,
            [{"ids": (5,)}],
            {"past": {"fill": 0}},
            r"`past` .* is filled, and no other input shows how large its axis 3 is",
            "`inputs: {past: {fill: 0, shape: [2, 1, 4, 1, 8]}}`",
        ),
        (
            specs(x=("n", 3)),
            [{"x": (3,)}],
            {"x": {"fill": 0}},
            "`x` is filled .* and the samples bring it too",
            "",
        ),
        (
            specs(x=("n", 3)),
            [{"x": (3,)}],
            {"x": {"batch_axis": 2}},
            r"`x` the batch axis 2, but it is \[n, 3\]",
            "0 to 1",
        ),
    ],
)
def test_what_cannot_be_fed_is_one_error(inputs, samples, told, message, hint):
    """It names the sample, the axis and what is expected, and quotes the line to write."""
    with pytest.raises(StepInputError, match=message) as caught:
        fed(inputs, *samples, **told)

    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("output", "axis"),
    [((2, "n", 8), 1), (("n", 3), 0), (("k", 4), None), ((1, 4), 0), ((), None), (("?", 4), 0)],
)
def test_the_batch_axis_of_outputs_follows_the_inputs(output, axis):
    """A name that is not the batch's is a size of its own."""
    feeder = Feeder(RECURRENT)

    assert axis == feeder.find_batch_axis(TensorSpec(name="y", dtype="float32", shape=output))


def test_the_quoted_line_is_yaml():
    """Whatever an input is called."""
    assert "inputs: {h0: {batch_axis: 1}}" == quote_setting("h0", "batch_axis: 1")
    assert "inputs: {'a:b''': {fill: 0}}" == quote_setting("a:b'", "fill: 0")
    assert "inputs: {'n': {fill: 0}}" == quote_setting("n", "fill: 0")


def test_nothing_is_arranged_of_nothing():
    """A model without inputs is run once a sample."""
    assert ([], 1) == arrange([])
    assert fits((), ())
