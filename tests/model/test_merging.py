"""Samples that share a run: which may, how many, and what happens where one does not go."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.core.errors import StepInputError
from trtbuild.core.values import TensorSpec
from trtbuild.model.feeds import Feed, Feeder
from trtbuild.model.merging import Merging, find_open_axes, gather, merge

X = TensorSpec(name="x", dtype="float32", shape=("N", 2))
Y = TensorSpec(name="y", dtype="float32", shape=("N", 2))


def feed(name, *shape, dtype=np.float32):
    return Feed((name,), {"x": np.full(shape or (1, 2), ord(name), dtype)})


def double(arrays):
    return {"y": arrays["x"] * 2}


def merging(notes, *, shape=("N", 2), most=8):
    spec = TensorSpec(name="x", dtype="float32", shape=shape)
    return Merging(Feeder([spec]), [Y], most=most, note=notes.append)


def size(found):
    """How many samples the next run takes."""
    return len(next(found.group(feed("a") for _ in range(100))))


def names(runs):
    return ["".join(feed.samples) for feed, _ in runs]


def test_neighbours_that_are_alike_run_together():
    """In order, whatever follows."""
    feeds = [
        feed("a", 1, 4), feed("b", 1, 4), feed("c", 1, 4), feed("d", 1, 5),
        feed("e", 1, 4), feed("f", 1, 4, dtype=np.float16),
    ]  # fmt: skip
    groups = gather(feeds, lambda: 2)

    assert ["ab", "c", "d", "e", "f"] == ["".join(f.samples[0] for f in each) for each in groups]


def test_feeds_are_stacked_by_the_axis_that_counts_samples():
    """Names and arrays in order; one alone stays what it is."""
    one = feed("a", 2, 1)
    made = merge([one, feed("b", 2, 1)], {"x": 1})

    assert (("a", "b"), [[97, 98]] * 2) == (made.samples, made.arrays["x"].tolist())
    assert one is merge([one], {})


def test_axes_are_open_where_a_run_may_take_any_number():
    """Of every input, or of none."""
    fixed = TensorSpec(name="z", dtype="float32", shape=(1, 2))

    assert {"x": 0} == find_open_axes(Feeder([X]))
    assert {} == find_open_axes(Feeder([fixed]))


def test_runs_take_as_many_as_may():
    """Each takes what it was given, in order; few numbers of samples are tried before."""
    notes = []
    found = merging(notes)
    feeds = [feed(each) for each in "abcdefghijklmnopq"]
    tried = []
    found.settle(feeds, lambda given: tried.append(len(given["x"])) or double(given))
    runs = [each for group in found.group(feeds) for each in found.run(group, double)]

    assert ["abcdefgh", "ijklmnop", "q"] == names(runs)
    assert [ord(each) * 2 for each in "ijklmnop"] == runs[1][1]["y"][:, 0].tolist()
    assert ([2, 2, 2, 1, 1], []) == (tried, notes)


@pytest.mark.parametrize(
    ("run", "told"),
    [
        (lambda given: {"y": given["x"] - given["x"].mean()}, "change each other's"),
        (lambda given: {"y": given["x"].cumsum(axis=0)}, "change each other's"),
        (lambda given: {"y": given["x"] / len(given["x"])}, "change each other's"),
        (lambda given: {"y": given["x"].sum(axis=0)}, "size of the output `y`"),
        (lambda given: {"y": given["x"].astype(int) // len(given["x"])}, "change each other's"),
    ],
)
def test_samples_that_change_each_other_run_alone(run, told):
    """Whichever of two does it to the other, and be it by their number alone."""
    notes = []
    found = merging(notes)
    found.settle([feed("a"), feed("z")], run)

    assert 1 == size(found)
    assert told in notes[0]
    assert "one at a time" in notes[0]


def test_roundings_of_another_batch_are_no_change():
    """And an infinity or a NaN is what it was alone, too."""

    def run(given):
        x = given["x"] * np.float32(1 + 1e-6 * len(given["x"]))
        x[:, 1] = np.nan
        return {"y": x}

    found = merging([])
    found.settle([feed("a"), feed("z")], run)

    assert 8 == size(found)


def test_a_model_that_takes_one_sample_is_fed_one():
    """Nothing is tried."""
    found = merging([], shape=(1, 2))
    found.settle([feed("a"), feed("b")], lambda _: pytest.fail("it was run"))

    assert 1 == size(found)


def limited(most, told="Failed to allocate memory for requested buffer"):
    def run(given):
        if len(given["x"]) > most:
            raise StepInputError(told)
        return double(given)

    return run


def test_where_memory_ends_runs_take_half_as_many():
    """Nothing is lost, and it is said once."""
    notes = []
    found, run = merging(notes), limited(3)
    feeds = [feed(each) for each in "abcdefghijkl"]
    found.settle(feeds, run)
    runs = [each for group in found.group(feeds) for each in found.run(group, run)]

    assert ["ab", "cd", "ef", "gh", "ij", "kl"] == names(runs)
    assert ["memory is short: runs take 2 samples at most"] == notes


def test_a_sample_that_cannot_be_run_is_named():
    """It is found by halves."""

    def run(given):
        if (given["x"] == ord("c")).any():
            raise StepInputError("no")
        return double(given)

    notes = []
    found = merging(notes)
    found.settle([feed("a"), feed("b")], run)
    with pytest.raises(StepInputError, match=r"sample c \(`x` \[1, 2\]\): no"):
        found.run([feed(each) for each in "abcd"], run)


def test_a_model_that_takes_no_two_is_fed_one():
    """And says so."""
    notes = []
    found = merging(notes)
    found.settle([feed("a"), feed("b")], limited(1))

    assert 1 == size(found)
    assert ["the model does not run on two samples at once: it ran on one at a time"] == notes


def test_outputs_whose_size_is_data_end_it():
    """What was run together is run again, each alone."""

    def run(given):
        x = given["x"] * 2
        return {"y": x[:1] if (given["x"] == ord("c")).any() else x}

    notes = []
    found = merging(notes)
    found.settle([feed("a"), feed("b")], run)

    assert ["c", "d"] == names(found.run([feed("c"), feed("d")], run))
    assert 1 == size(found)
    assert "size of an output" in notes[0]


@pytest.mark.parametrize(("most", "batch"), [(100, 6), (5, 3), (1, 1)])
def test_what_may_share_a_run_can_be_found_out_before(most, batch):
    """No more than the feeds that it was tried with."""
    found, run = merging([]), limited(most)
    feeds = [feed(each) for each in "abcdef"]
    found.settle(feeds, run)
    found.grow(feeds, run)

    assert batch == size(found)
    assert "abcdef" == "".join(found.merge(feeds).samples)
