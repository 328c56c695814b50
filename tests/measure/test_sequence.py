"""sequence, on texts of few letters: 0 is the blank or the space, 1 to 3 are letters."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.measuring import begun, folded, metric_of
from trtbuild.core.errors import StepInputError


def made(reference, candidate, truths=None, **options):
    return begun(
        metric_of(kind="sequence", **options),
        {"y": [np.array(row) for row in reference]},
        {"y": [np.array(row) for row in candidate]},
        truths=None if truths is None else [np.array(row) for row in truths],
    )


def test_rates_are_over_all_that_is_right():
    """1 edit of 4 tokens in one sample, none of 1 in the other: 1 of 5, not the mean."""
    found = folded(made([[1, 2, 3, 1], [2]], [[1, 2, 3], [2]], [[1, 2, 3, 1], [2]]), [0, 1])

    assert (0.0, 0.2) == found["token_error_rate"]
    assert (1.0, 0.5) == found["exact_match"]
    assert (None, 0.2) == found["edit_rate"]
    assert (None, 0.8) == found["token_agreement"]
    assert (None, 0.5) == found["sequence_agreement"]


def test_words_stand_between_separators():
    """1 2 | 3 against 1 2 | 2: one word of two."""
    found = folded(made([[1, 2, 0, 3]], [[1, 2, 0, 2]], [[1, 2, 0, 3]], word_separator=0), [0])

    assert (0.0, 0.5) == found["wer"]


def test_scores_are_decoded_greedily():
    """Frames 1 1 0 2 of a CTC model say 1 2; a place that differs may say the same."""
    scores = np.eye(4, dtype=np.float32)
    said = made([scores[[1, 1, 0, 2]]], [scores[[1, 0, 0, 2]]], [[1, 2]], blank=0)
    turned = made([scores[[1, 1, 0, 2]].T], [scores[[1, 0, 0, 2]].T], blank=0, tokens_first=True)

    assert (0.0, 0.0) == folded(said, [0])["token_error_rate"]
    assert (None, 0.75) == folded(said, [0])["token_agreement"]
    assert (None, 1.0) == folded(turned, [0])["sequence_agreement"]


def test_what_comes_after_the_end_does_not_count():
    """Nor padding, nor what fills up an array of labels."""
    found = folded(made([[9, 1, 3, 2]], [[9, 1, 3, 1]], [[1, -1, -1]], end=3, ignore=[9]), [0])

    assert (0.0, 0.0) == found["token_error_rate"]


def test_what_means_nothing_says_so():
    """A reference that is all blanks."""
    found = made([[0, 0]], [[0, 0]], blank=0).fold(np.array([0]))["edit_rate"]

    assert found.value is None
    assert "the reference says nothing" in found.remark


@pytest.mark.parametrize("shape", [(3,), (2, 3, 4)])
def test_an_output_that_is_no_sequence_is_refused(shape):
    """With its shape, and what is wanted; [1, length, tokens] is one of a sample."""
    with pytest.raises(StepInputError, match=r"a sample of `y` is \[.*\], not scores \[length"):
        made([np.zeros(shape, np.float32)], [np.zeros(shape, np.float32)])
    made([np.zeros((1, 3, 4), np.float32)], [np.zeros((1, 3, 4), np.float32)])
