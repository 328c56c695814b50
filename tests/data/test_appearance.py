"""What looks wrong in samples is said in words."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.data.appearance import (
    find_picture_doubts,
    find_same_samples,
    find_sound_doubts,
    find_token_doubts,
    split_channels,
    vary,
)

RAMP = np.add.outer(np.arange(12.0), np.arange(12.0)) / 22
"""A smooth picture of values in 0..1."""
NO_NODE = "The model has no node that does"
RESHAPED = "an array [height, width, 3] that was reshaped to [3, height, width]? Transpose it"
COLOUR = np.stack([RAMP, RAMP[::-1], 1 - RAMP**2]).astype(np.float32)


@pytest.mark.parametrize(
    ("picture", "itself", "told"),
    [
        (COLOUR, "", []),
        ((COLOUR - 0.45) / 0.225, "", []),
        ((COLOUR * 255).astype(np.uint8), "", []),
        (COLOUR * 255, "Div_0", []),
        (COLOUR / 255, "", ["values lie in 0..0.003922: pixels scaled by 1/255 twice?"]),
        (
            COLOUR,
            "Div_0",
            ["values lie in 0..1, and the model divides by 255 itself (`Div_0`): scaled twice?"],
        ),
        (
            COLOUR * 255,
            "",
            [f"values lie in 0..255: pixels that were never scaled? {NO_NODE}"],
        ),
        (
            (np.stack([RAMP] * 3) - np.reshape([0.4, 0.5, 0.6], (3, 1, 1))).astype(np.float32),
            "",
            ["the three channels are equal in every sample: grey pictures, or one channel thrice"],
        ),
        (
            np.moveaxis(COLOUR, 0, -1).reshape(3, 12, 12),
            "",
            [f"every third value in a line is like the next, and neighbours are not: {RESHAPED}"],
        ),
        (np.zeros((3, 4, 4), np.float32), "", ["every value is 0"]),
        (np.zeros((3, 0, 4), np.float32), "", []),
    ],
)
def test_usual_mistakes_are_told(picture, itself, told):
    """Scaled twice or never, one channel thrice, reshaped where a transpose was needed."""
    assert told == list(find_picture_doubts([picture], scales_itself=itself))


def test_equal_samples_are_told():
    """One sample is like itself, and nothing is said of it."""
    assert [] == list(find_same_samples(["a"], [RAMP]))
    assert [] == list(find_same_samples(["a", "b"], [RAMP, RAMP[::-1]]))
    assert ["all 2 samples are equal (a, b, ...)"] == list(
        find_same_samples(["a", "b"], [RAMP, RAMP.copy()])
    )


@pytest.mark.parametrize(
    ("wave", "told"),
    [
        ([0.0, 0.0], ["every sample is silent"]),
        (
            [0.0, 12000.0, -3.0],
            [
                "values go up to 1.2e+04: 16-bit samples that were never scaled to 1?",
                "33.3% of the values are at the loudest: the recordings are cut off",
            ],
        ),
        (np.sin(np.arange(4000) * 0.01), []),
        (
            np.clip(np.sin(np.arange(4000) * np.pi / 200), -0.7, 0.7),
            ["50.5% of the values are at the loudest: the recordings are cut off"],
        ),
    ],
)
def test_sounds_are_looked_at(wave, told):
    """Silence, another scale, cut off."""
    assert told == list(find_sound_doubts([np.array(wave, np.float32)]))


def test_tokens_are_looked_at():
    """Of the tokens that are no padding, those that are unknown; and how much is padding."""
    ids = [np.array([2, 1, 1, 3] + [0] * 16)]

    assert [
        "50% of the tokens are unknown words: is it the model's own tokenizer?",
        "80% of the tokens are padding: a smaller `max_length` would do",
    ] == list(find_token_doubts(ids, 1, 0))
    assert [] == list(find_token_doubts([np.array([2, 5, 6, 3])], 1, 0))
    assert [] == list(find_token_doubts([np.array([2, 5, 6, 3])], None, None))


def test_channels_stand_first_or_last():
    """Where neither axis can be one, it is not known."""
    shapes = [(3, 4, 5), (1, 3, 4, 5), (4, 5, 3), (1, 8, 8), (7, 8, 9), (3, 4)]

    assert [(0, 3), (1, 3), (2, 3), (0, 1), None, None] == [
        split_channels(np.zeros(shape)) for shape in shapes
    ]


def test_changes_undo_each_other():
    """What ImageNet's statistics did is undone, and twice reversed is as it was."""
    made = vary(COLOUR)
    normalized = vary(made["less ImageNet's mean, by its deviation"])
    twice = vary(made["channels reversed (RGB and BGR)"])["channels reversed (RGB and BGR)"]

    np.testing.assert_allclose(
        COLOUR, normalized["ImageNet's mean and deviation undone"], atol=1e-6
    )
    np.testing.assert_array_equal(COLOUR, twice)
    assert {"as they are", "times 255", "divided by 255"} == set(vary(RAMP))
