from __future__ import annotations

import numpy as np

from trtbuild.quant.adjusting.table import AdjustedLayer, Adjustments, AdjustmentsAccount


def test_comes_back_as_it_was_written(tmp_path):
    """Names of layers hold slashes; equal tables are equal bytes."""
    table = Adjustments(
        weights={"/a/Conv": np.arange(6, dtype=np.int8).reshape(2, 3)},
        shifts={"/a/Conv": np.ones(2, np.float32), "b": np.zeros(1, np.float32)},
    )
    table.write(tmp_path / "one.npz")
    table.write(tmp_path / "two.npz")

    found = Adjustments.read(tmp_path / "one.npz")

    assert [[0, 1, 2], [3, 4, 5]] == found.weights["/a/Conv"].tolist()
    assert {"/a/Conv": [1, 1], "b": [0]} == {k: v.tolist() for k, v in found.shifts.items()}
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_gains_are_those_of_layers_that_had_something_to_gain():
    """One whose output is exact has no decibels."""
    layers = (
        AdjustedLayer(name="a", op="Conv", before_db=30.0, after_db=31.5),
        AdjustedLayer(name="b", op="Conv"),
    )

    assert [(1.5, "a")] == list(AdjustmentsAccount(samples=1, layers=layers).list_gains())
