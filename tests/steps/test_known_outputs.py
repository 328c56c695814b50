"""Outputs that are known are taken, the others are run, and all lie in order."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.core.arrays import ArrayFile, write_npz
from trtbuild.core.sensitivity import PickedSamples
from trtbuild.core.values import TensorSpec
from trtbuild.model.feeds import Feeder
from trtbuild.steps.kept_outputs import KeptOutputs
from trtbuild.steps.known_outputs import KnownRows, open_known

PICKED = PickedSamples(of=9, names=("a", "e", "i"), places=(0, 4, 8), digests=("", "", ""))


@pytest.fixture
def known(tmp_path):
    """Return what is known of samples 0, 4 and 8 in order, as many as there are rows."""

    def make(*rows):
        with write_npz(tmp_path / "known.npz") as file:
            for row in rows:
                file.append("y", np.array(row, np.float32)[None], ragged=True)
        return KnownRows(ArrayFile(tmp_path / "known.npz"), PICKED)

    return make


@pytest.fixture
def kept():
    """Return what remembers oddities of an output whose samples are on axis 1."""
    spec = TensorSpec(name="y", dtype="float32", shape=("k", "N"))
    feeder = Feeder([TensorSpec(name="x", dtype="float32", shape=("N", 2))])
    return KeptOutputs([spec], feeder, reference=False)


def weave(known, kept, places):
    """Return all rows, and over how many samples the model ran; it makes of each its place."""
    rest = known.leave_out(places)
    made = ((1, iter([("y", np.array([[place]], np.float32))])) for place in rest)
    found = [
        (count, dict(rows)["y"][0].tolist()) for count, rows in known.weave(places, made, kept)
    ]
    return [row for _, row in found], sum(count for count, _ in found)


def test_rows_lie_in_the_order_of_their_samples(known, kept):
    """Only those that are not known are run."""
    rows, ran = weave(known([0.5], [4.5], [8.5]), kept, [0, 2, 4, 6])

    assert ([[0.5], [2.0], [4.5], [6.0]], 2) == (rows, ran)


def test_a_sample_that_has_no_row_is_run(known, kept):
    """It filled no batch."""
    assert ([[4.5], [8.0]], 1) == weave(known([0.5], [4.5]), kept, [4, 8])


def test_rows_may_differ_in_size(known, kept):
    """As those of a detector that drops boxes; and all may be known."""
    assert ([[4.5, 4.25], [8.5]], 0) == weave(known([0.5], [4.5, 4.25], [8.5]), kept, [4, 8])


def test_what_is_odd_about_known_rows_is_told_again(known, kept):
    """By the name that their sample has."""
    weave(known([0.5], [np.nan], [8.5]), kept, [0, 4])

    assert ["output `y` holds NaN or infinite values for 1 samples (the first: e)"] == [
        *kept.notes()
    ]


def test_files_that_are_gone_are_done_without(known, tmp_path):
    """They save time, and nothing rests on them."""
    known([0.5])
    file, picked = tmp_path / "known.npz", tmp_path / "picked.json"

    assert open_known(file, picked) is None
    picked.write_text(PICKED.model_dump_json())
    assert [4, 8] == open_known(file, picked).leave_out([0, 4, 8])
