"""Arrays in a file."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from trtbuild.core.arrays import ArrayFile, write_npz
from trtbuild.core.errors import CorruptObject


def write_rows(path, *rows):
    with write_npz(path) as writer:
        for row in rows:
            writer.append("x", row)


DTYPES = st.sampled_from(["bool", "int8", "uint8", "int64", "float16", "float32", "float64"])


def test_what_was_added_is_read_back(tmp_path):
    """Names, order, dtypes, shapes and values survive, the empty array and the number included."""
    arrays = {
        "/layer1/Relu_output:0": np.arange(6, dtype=np.float32).reshape(2, 3),
        "..": np.zeros((0, 4), np.int64),
        "größe": np.array(7, dtype=np.int8),
    }
    with write_npz(tmp_path / "a.npz") as writer:
        for name, array in arrays.items():
            writer.add(name, array)

    found = ArrayFile(tmp_path / "a.npz")

    assert tuple(arrays) == found.names
    for name, array in arrays.items():
        assert (array.dtype, array.shape) == (found.dtype(name), found.shape(name))
        np.testing.assert_array_equal(array, found.read(name))


RAGGED = [(2, 3), (2, 3), (0, 3), (4, 5)]


@given(
    array=hnp.arrays(DTYPES, hnp.array_shapes(max_dims=3, max_side=4)),
    cut=st.integers(0, 4),
)
def test_growing_by_rows_equals_adding_whole(tmp_path_factory, array, cut):
    """However an array is cut into rows, the file holds the same bytes."""
    folder = tmp_path_factory.mktemp("npz")
    with write_npz(folder / "whole.npz") as writer:
        writer.add("x", array)
    with write_npz(folder / "rows.npz") as writer:
        writer.append("x", array[:cut])
        writer.append("x", array[cut:])

    assert (folder / "whole.npz").read_bytes() == (folder / "rows.npz").read_bytes()


def test_several_arrays_grow_side_by_side(tmp_path):
    """Rows of different arrays may come in turn."""
    with write_npz(tmp_path / "a.npz") as writer:
        for row in range(3):
            writer.append("a", np.full((1, 2), row, np.float32))
            writer.append("b", np.full((1,), row, np.int32))

    found = ArrayFile(tmp_path / "a.npz")

    assert [[0, 0], [1, 1], [2, 2]] == found.read("a").tolist()
    assert [0, 1, 2] == found.read("b").tolist()
    assert ["a.npz"] == [path.name for path in tmp_path.iterdir()]


def test_numpy_reads_it_without_pickle(tmp_path):
    """The file is an ordinary .npz."""
    with write_npz(tmp_path / "a.npz") as writer:
        writer.append("y", np.array([[1.5, -2.0]], np.float16))

    with np.load(tmp_path / "a.npz", allow_pickle=False) as found:
        assert [[1.5, -2.0]] == found["y"].tolist()


def test_big_endian_and_strided_arrays_are_written_plain(tmp_path):
    """The bytes depend on the numbers, not on how memory held them."""
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    for name, array in {"plain": values, "odd": values.astype(">f4").T.copy().T}.items():
        with write_npz(tmp_path / name) as writer:
            writer.add("x", array)

    assert (tmp_path / "plain").read_bytes() == (tmp_path / "odd").read_bytes()


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (np.zeros((1, 3), np.float32), "after rows of float32"),
        (np.zeros((1, 2), np.float64), "after rows of float32"),
        (np.array(1.0, np.float32), "no axis 0"),
        (np.array([["a", "b"]]), "plain numbers"),
        (np.array([[None, None]]), "plain numbers"),
    ],
)
def test_rows_that_do_not_fit_are_refused(tmp_path, second, message):
    """Another dtype, another shape, text and objects raise, and no file is left."""
    with pytest.raises(ValueError, match=message):
        write_rows(tmp_path / "a.npz", np.zeros((1, 2), np.float32), second)

    assert [] == list(tmp_path.iterdir())


def test_a_name_is_used_once(tmp_path):
    """A second array of the same name raises."""
    with write_npz(tmp_path / "a.npz") as writer:
        writer.add("x", np.zeros(1))

        with pytest.raises(ValueError, match="already"):
            writer.append("x", np.zeros(1))


@pytest.mark.parametrize("keep", [0, 40, -30])
def test_a_torn_file_is_corrupt(tmp_path, keep):
    """A file cut anywhere is named, not half read."""
    path = tmp_path / "a.npz"
    with write_npz(path) as writer:
        writer.add("x", np.zeros(100))
    path.write_bytes(path.read_bytes()[:keep])

    with pytest.raises(CorruptObject, match=r"a\.npz: cannot be read as arrays"):
        ArrayFile(path)


def test_an_entry_shorter_than_its_header_says_is_corrupt(tmp_path):
    """Sizes are checked when the file is opened."""
    path = tmp_path / "a.npz"
    np.save(tmp_path / "x.npy", np.zeros(100))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", (tmp_path / "x.npy").read_bytes()[:-8])

    with pytest.raises(CorruptObject, match="does not hold what its header says"):
        ArrayFile(path)


def test_a_pickle_is_corrupt(tmp_path):
    """An object array is refused without being loaded."""
    path = tmp_path / "a.npz"
    np.savez(path, x=np.array([{}], dtype=object))

    with pytest.raises(CorruptObject):
        ArrayFile(path)


def test_an_archive_of_the_future_is_corrupt(tmp_path):
    """Its table says that a reader of version 8.4 is needed: this writer never says so."""
    path = tmp_path / "a.npz"
    write_rows(path, np.zeros((1, 2), np.float32))
    data = bytearray(path.read_bytes())
    data[data.rindex(b"PK\x01\x02") + 6] = 84
    path.write_bytes(data)

    with pytest.raises(CorruptObject, match=r"zip file version 8\.4"):
        ArrayFile(path)


def test_rows_of_several_shapes_are_read_one_by_one(tmp_path):
    """Two rows alike, an empty one, a larger one; another file for rows that are all alike."""
    rows = [np.full(shape, index, np.float32) for index, shape in enumerate(RAGGED)]
    with write_npz(tmp_path / "a.npz") as writer:
        for row in rows:
            writer.append("x/y", row[None], ragged=True)
            writer.append("same", np.ones((1, 2)), ragged=True)

    file = ArrayFile(tmp_path / "a.npz")
    found = file.read_rows("x/y")

    assert ("x/y", "same") == file.names
    assert (RAGGED, 4) == (found.shapes, file.count("x/y"))
    assert all((row == found.row(index)).all() for index, row in enumerate(rows))
    assert (4, 2) == file.read_rows("same").shape


def test_rows_that_do_not_fill_their_array_are_damage(tmp_path):
    """A file that says another shape than it holds."""
    with write_npz(tmp_path / "a.npz") as writer:
        writer.append("x", np.ones((1, 2)), ragged=True)
        writer.append("x", np.ones((1, 3)), ragged=True)
        writer._growing["x"].shapes[1] = (4,)
    with pytest.raises(CorruptObject, match="do not fill"):
        ArrayFile(tmp_path / "a.npz").read_rows("x")
