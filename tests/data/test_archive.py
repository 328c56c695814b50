"""Stored samples come back as they were."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from trtbuild.core.arrays import write_npz
from trtbuild.core.errors import CorruptObject
from trtbuild.data.archive import read_names, read_samples, write_samples
from trtbuild.data.base import Sample

ARRAYS = hnp.arrays(
    st.sampled_from(["?", "u1", "<i8", "<f2", "<f4"]), hnp.array_shapes(min_dims=0, max_side=3)
)


def name_of(index: int) -> str:
    return f"code.py:samples[{index}]"


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.dictionaries(st.text(min_size=1, max_size=5), ARRAYS, min_size=1, max_size=3)),
    st.booleans(),
)
def test_samples_come_back_as_they_were_stored(tmp_path, arrays, labelled):
    """Any names (slashes too), dtypes and shapes, of different size from sample to sample."""
    samples = [
        Sample(name_of(index), each, index if labelled else None)
        for index, each in enumerate(arrays)
    ]
    labels = "the label" if labelled else None
    with write_samples(tmp_path / "s.npz", labels) as store:
        for sample in samples:
            store(sample)

    found = list(read_samples(tmp_path / "s.npz", labels=labels, name_of=name_of))

    assert [(each.name, each.label) for each in samples] == [
        (each.name, each.label) for each in found
    ]
    for sample, other in zip(samples, found, strict=True):
        assert sorted(sample.arrays) == sorted(other.arrays)
        for key, array in sample.arrays.items():
            assert (array.dtype, array.shape) == (other.arrays[key].dtype, other.arrays[key].shape)
            assert array.tobytes() == other.arrays[key].tobytes()


def test_an_empty_archive_is_a_valid_npz(tmp_path):
    """Sources that are not stored leave one."""
    with write_samples(tmp_path / "s.npz"):
        pass

    assert [] == list(np.load(tmp_path / "s.npz"))
    assert [] == list(read_samples(tmp_path / "s.npz", labels=None, name_of=name_of))


def test_samples_come_in_the_order_of_their_storing(tmp_path):
    """Ten comes after nine."""
    with write_samples(tmp_path / "s.npz") as store:
        for index in range(12):
            store(Sample("s", {"x": np.array(index)}))

    found = read_samples(tmp_path / "s.npz", labels=None, name_of=name_of)

    assert list(range(12)) == [int(sample.arrays["x"]) for sample in found]


def test_a_label_may_be_an_array(tmp_path):
    """Of its own shape in each sample."""
    with write_samples(tmp_path / "s.npz", "y") as store:
        for rows in (2, 0):
            store(Sample("s", {"x": np.array(1)}, truth=np.ones((rows, 5), np.float32)))

    found = list(read_samples(tmp_path / "s.npz", labels="y", name_of=name_of))

    assert [None, None] == [each.label for each in found]
    assert [(2, 5), (0, 5)] == [each.truth.shape for each in found]


@pytest.mark.parametrize("arrays", [{"x": 1}, {"x": 1, "y": -1}])
def test_a_damaged_label_is_a_corrupt_object(tmp_path, arrays):
    """A label that is gone, or is no class, was never stored so."""
    with write_npz(tmp_path / "s.npz") as writer:
        for name, value in arrays.items():
            writer.add(f"000000/{name}", np.array(value))

    with pytest.raises(CorruptObject, match=r"the stored label of code.py:samples\[0\]"):
        list(read_samples(tmp_path / "s.npz", labels="y", name_of=name_of))


def test_samples_may_be_named(tmp_path):
    """By names that are not in their arrays; others have none."""
    samples = [Sample(name, {"x": np.arange(2)}) for name in ("cat.jpg", "ünï.png")]
    with write_samples(tmp_path / "s.npz", named=True) as store:
        for sample in samples:
            store(sample)
    names = read_names(tmp_path / "s.npz")

    found = read_samples(tmp_path / "s.npz", labels=None, name_of=names.__getitem__)

    assert ["cat.jpg", "ünï.png"] == [each.name for each in found]
    with write_samples(tmp_path / "t.npz") as store:
        store(samples[0])
    assert [] == read_names(tmp_path / "t.npz")
