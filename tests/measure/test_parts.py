"""Parts of outputs: NumPy's slices, read without running anything."""

from __future__ import annotations

import re

import numpy as np
import pytest

from trtbuild.core.arrays import RaggedRows
from trtbuild.measure.parts import parse_part

WHOLE = np.arange(48).reshape(2, 4, 6)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("y[:, 1:]", WHOLE[:, 1:]),
        ("y[..., 0]", WHOLE[..., 0]),
        ("y[:, -1, ::2]", WHOLE[:, -1, ::2]),
        (" y [ : , 3:0:-1 ]", WHOLE[:, 3:0:-1]),
        ("y[:]", WHOLE),
    ],
)
def test_slices_mean_what_numpy_means(text, same):
    """The name before, axis 0 the batch."""
    part = parse_part(text)

    assert "y" == part.output
    assert same.tolist() == part.cut(WHOLE).tolist()
    assert "" == part.explain_misfit((None, 4, 6))


def test_a_name_may_hold_brackets():
    """What stands last is the slices."""
    assert "a[0]/b:1" == parse_part("a[0]/b:1[:, 2]").output


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("y", "is no part of an output"),
        ("[:, 1]", "is no part of an output"),
        ("y[1:]", "cuts axis 0, the batch"),
        ("y[:, a]", "`a` is no slice"),
        ("y[:, __import__('os')]", "is no slice"),
        ("y[:, ::0]", "step 0 has no end"),
        ("y[:, 1:2:3:4]", "is no slice"),
        ("y[..., ...]", "has two `...`"),
        ("y[:, ]x", "is no part"),
        ("y[" + ":," * 40 + ":]", "more axes than any array"),
    ],
)
def test_what_is_no_slice_is_refused(text, told):
    """And never evaluated."""
    with pytest.raises(ValueError, match=re.escape(told)):
        parse_part(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("y[:, 4]", "axis 1 has 4 places, so there is no 4"),
        ("y[:, 4:]", "axis 1 has 4 places, and 4: is none of them"),
        ("y[:, :, :, 0]", "it has 4 slices, and the output 3 axes"),
        ("y[..., 0, 0, 0]", "it cuts the batch axis"),
    ],
)
def test_what_selects_nothing_is_told(text, told):
    """An empty part would compare well with anything."""
    assert told in parse_part(text).explain_misfit((None, 4, 6))


def test_rows_that_differ_in_size_are_cut_alike():
    """Detections: boxes in front, the score behind."""
    rows = RaggedRows(np.arange(9), np.array([[1, 3], [2, 3]]))
    cut = parse_part("y[:, :, 2:]").cut(rows)

    assert [(1, 1), (2, 1)] == cut.shapes
    assert [[[2]], [[5], [8]]] == [cut.row(index).tolist() for index in (0, 1)]
