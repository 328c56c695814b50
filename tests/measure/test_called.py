"""Answers of code of the user's, many resamples at once."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.core.errors import StepInputError
from trtbuild.measure.base import Figure, PairedSample
from trtbuild.measure.called import Called, load_called


def test_draws_of_means_are_what_each_folds_to(tmp_path):
    """(1, 3) and (5, 7): the mean of both, and of one twice."""
    (tmp_path / "m.py").write_text("def f(reference, candidate): return reference, candidate")
    figure = Figure("f", "", own=True)
    made = load_called(
        "m.py:f", {}, Called("m.py:f", (tmp_path / "m.py",), (), ("y",), True, (figure,))
    )
    for index, (one, other) in enumerate(((1, 3), (5, 7))):
        made.add(PairedSample(index, {"y": one}, {"y": other}))
    mine, other = made.fold_draws(np.array([[0, 1], [1, 1]]))["f"]

    assert ([5.0, 7.0], [3.0, 5.0]) == (mine.tolist(), other.tolist())


@pytest.mark.parametrize(
    ("code", "named"),
    [
        ("def f(r, c): return 1", True),
        ("class f:\n def update(self, r, c, label): pass\n def fold(self, kept): pass", True),
        ("class f:\n def __init__(self, q): pass", False),
    ],
)
def test_arguments_go_by_their_names(tmp_path, code, named):
    """What is called otherwise is told how, and not where options are what is missing."""
    (tmp_path / "m.py").write_text(code)
    called = Called("m.py:f", (tmp_path / "m.py",), (), ("y",), True, (Figure("f", ""),))

    with pytest.raises(StepInputError) as caught:
        load_called("m.py:f", {}, called)
    assert named == ("name its arguments `reference`, `candidate`" in caught.value.hint)
