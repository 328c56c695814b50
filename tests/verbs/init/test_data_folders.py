"""What lies at a place, and which parts it makes."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.sorts import save_pictures
from trtbuild.core.errors import MissingFile, UsageError
from trtbuild.core.values import TensorSpec
from trtbuild.verbs.init.data_folders import find_data
from trtbuild.verbs.init.feeding import find_fed_inputs
from trtbuild.verbs.init.model_look import ModelLook


def inputs(*shape, name="x", dtype="float32"):
    spec = TensorSpec(name=name, dtype=dtype, shape=shape)
    return find_fed_inputs(ModelLook("m", (), inputs=(spec,)))


def found_in(path, fed):
    return find_data(path, path.parent, fed, ModelLook("m", ()))


PICTURES = inputs("n", 3, 32, 32)


def test_pictures_are_parted(tmp_path):
    """No picture is in both parts."""
    save_pictures(tmp_path, 8)
    found = found_in(tmp_path, PICTURES)

    assert ("images", ("x",), 4, 4) == (
        found.kind, found.brings, found.first.count, found.second.count,
    )  # fmt: skip
    assert ["1/2", "2/2"] == [each.options["part"] for each in (found.first, found.second)]


def test_folders_that_say_what_they_are_for_are_taken(tmp_path):
    """train and val, with a folder for each class in them."""
    for part in ("train", "val"):
        for name in ("cat", "dog"):
            save_pictures(tmp_path / part / name, 2)
    found = found_in(tmp_path, PICTURES)

    assert [f"{tmp_path.name}/train", f"{tmp_path.name}/val"] == [
        p.options["path"] for p in (found.first, found.second)
    ]
    assert ("folders", 2) == (found.labels, found.classes)


def test_one_picture_cannot_be_parted(tmp_path):
    """It calibrates, and nothing is compared."""
    save_pictures(tmp_path, 1)

    assert found_in(tmp_path, PICTURES).second is None


def test_arrays_are_taken_by_their_names(tmp_path):
    """An array that is no input is labels, if it is called so."""
    np.savez(tmp_path / "a.npz", x=np.zeros((5, 3), np.float32), labels=np.zeros(5))
    found = found_in(tmp_path / "a.npz", inputs("n", 3))

    assert ("arrays", ("x",), "labels", 3, 2) == (
        found.kind, found.brings, found.labels, found.first.count, found.second.count,
    )  # fmt: skip


def test_two_files_of_arrays_are_two_parts(tmp_path):
    """Which is which, their names say."""
    for name in ("eval", "calib"):
        np.save(tmp_path / f"{name}.npy", np.zeros((4, 3), np.float32))
    found = found_in(tmp_path, inputs("n", 3))

    assert (f"{tmp_path.name}/calib.npy", f"{tmp_path.name}/eval.npy") == (
        found.first.options["path"], found.second.options["path"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "told"),
    [("x.abc", r"reads by itself \(\.abc\)"), ("", "is empty"), ("a.npz", "for no input")],
)
def test_what_does_not_fit_is_refused(name, told, tmp_path):
    """With what would."""
    if name == "a.npz":
        np.savez(tmp_path / name, x=np.zeros((5, 3)), z=np.zeros(5))
    elif name:
        (tmp_path / name).write_text("words")
    with pytest.raises(UsageError, match=told) as raised:
        found_in(tmp_path, inputs("n", 3))

    assert raised.value.hint


def test_pictures_for_a_model_of_numbers_are_refused(tmp_path):
    """And what is not there is missing."""
    save_pictures(tmp_path, 2)
    with pytest.raises(UsageError, match="no input of the model takes any"):
        found_in(tmp_path, inputs("n", 3))
    with pytest.raises(MissingFile, match="no such file or folder"):
        found_in(tmp_path / "gone", PICTURES)


def test_a_fixed_batch_takes_whole_batches(tmp_path):
    """Three of seven are a rest."""
    np.save(tmp_path / "x.npy", np.zeros((7, 3), np.float32))

    assert 4 == found_in(tmp_path / "x.npy", inputs(4, 3)).first.count
