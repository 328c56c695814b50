"""Arrays from npy and npz files: lazily, exactly, and with a clear word where they are damaged."""

from __future__ import annotations

import io
import json
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pydantic import ValidationError

from tests.helpers.sources import source_of
from trtbuild.core.errors import MissingFile, StepInputError

LABELS = ', "labels": "y"'
DTYPES = ["?", "i1", "u1", "<i2", ">i4", "<i8", "<f2", ">f4", "<f8"]


def arrays(path="a.npz", extra=""):
    return source_of(f'{{"kind": "arrays", "path": "{path}"{extra}}}')


def read(folder, name="a.npz", extra=""):
    source = arrays(name, extra)
    return list(source.samples(source.find_files(folder)))


def header(text: str, data=b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + data


def npy_of(array, **options) -> bytes:
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def archive(path, members: dict[str, bytes], method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    array=hnp.arrays(
        st.sampled_from(DTYPES), hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=5)
    ),
    fortran=st.booleans(),
    form=st.sampled_from(["npy", "stored", "compressed"]),
)
def test_arrays_come_back_as_they_were_saved(tmp_path, array, fortran, form):
    """Any dtype, shape, byte order and memory order; every sample is its row, bit for bit."""
    array = np.asfortranarray(array) if fortran else array
    if form == "npy":
        np.save(tmp_path / "a", array)
        samples = read(tmp_path, "a.npy")
    else:
        save = np.savez if form == "stored" else np.savez_compressed
        save(tmp_path / "a", input=array)
        samples = read(tmp_path)

    assert [f"a.np{'y' if form == 'npy' else 'z'}[{n}]" for n in range(len(array))] == [
        sample.name for sample in samples
    ]
    for row, sample in zip(array, samples, strict=True):
        found = sample.arrays["input"]
        assert array.dtype.newbyteorder("=") == found.dtype
        assert np.asarray(row, found.dtype).tobytes() == found.tobytes()
        assert array.shape[1:] == found.shape


def test_an_npz_names_its_inputs(tmp_path):
    """Keys are sorted; the labels are taken out."""
    np.savez(tmp_path / "a", b=np.zeros((2, 1)), a=np.ones((2, 3)), y=np.array([4, 5]))

    samples = read(tmp_path, extra=LABELS)

    assert ["a", "b"] == list(samples[0].arrays)
    assert [4, 5] == [sample.label for sample in samples]


def test_a_count_is_spread_over_the_file(tmp_path):
    """Two of six are 0 and 3, and keep their index in their names."""
    np.save(tmp_path / "a", np.arange(6))

    samples = read(tmp_path, "a.npy", ', "count": 2')

    assert ["a.npy[0]", "a.npy[3]"] == [sample.name for sample in samples]
    assert [0, 3] == [int(sample.arrays["input"]) for sample in samples]


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_memory_does_not_grow_with_the_samples(tmp_path, save):
    """8 MB of samples are read within 2 MB."""
    save(tmp_path / "a", input=np.arange(2_000_000, dtype=np.float32).reshape(200, 10_000))
    source = arrays()
    tracemalloc.start()
    count = sum(1 for _ in source.samples(source.find_files(tmp_path)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert 200 == count
    assert peak < 2_000_000


def test_a_directory_without_arrays_is_refused(tmp_path):
    """With the names that files of arrays have."""
    (tmp_path / "a.npz").mkdir()

    with pytest.raises(MissingFile, match=r"a.npz: holds no arrays"):
        arrays().find_files(tmp_path)


def refusal(folder, name="a.npz", extra="") -> str:
    with pytest.raises(StepInputError) as caught:
        read(folder, name, extra)
    assert caught.value.hint
    return caught.value.message


@pytest.mark.parametrize(
    ("saved", "extra", "message"),
    [
        (
            {"x": np.zeros((2, 1)), "y": np.zeros(3)},
            "",
            "its arrays differ in the number of samples: a.npz['x'] 2, a.npz['y'] 3",
        ),
        ({"x": np.zeros((0, 2))}, "", "a.npz: holds no samples"),
        ({}, "", "a.npz: holds no samples"),
        ({"x": np.zeros((2, 0))}, "", "a.npz['x']: its samples are empty: [2, 0]"),
        ({"x": np.zeros(())}, "", "a.npz['x']: is a single number"),
        ({"x": np.array(["cat"])}, "", "a.npz['x']: holds values of type <U3; numbers are needed"),
        ({"x": np.array([1j])}, "", "a.npz['x']: holds values of type complex128; numbers"),
        ({"x": np.zeros(2)}, ', "count": 3', "a.npz: holds 2 samples, and `count` asks for 3"),
        ({"x": np.zeros(2)}, LABELS, "a.npz: has no array `y` for the labels beside the inputs"),
        ({"y": np.zeros(2)}, LABELS, "a.npz: has no array `y` for the labels beside the inputs"),
        (
            {"x": np.zeros(2), "y": np.full(2, np.nan)},
            LABELS,
            "a.npz[0]: its label holds NaN or infinity",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path, saved, extra, message):
    """The file and the array are named, with what is wrong."""
    np.savez(tmp_path / "a", **saved)

    assert message in refusal(tmp_path, extra=extra)


def test_pickled_objects_are_never_read(tmp_path):
    """Neither in an npz, nor in an npy, nor as a bare pickle; nothing is loaded to find out."""
    held = np.array([{"a": 1}], object)
    np.savez(tmp_path / "a", x=held)
    np.save(tmp_path / "b", held)
    (tmp_path / "c.npz").write_bytes(held.dumps())

    assert "a.npz['x']: holds pickled objects; numbers are needed" == refusal(tmp_path)
    assert "b.npy: holds pickled objects; numbers are needed" == refusal(tmp_path, "b.npy")
    assert "c.npz: is neither an npz nor an npy file" == refusal(tmp_path, "c.npz")


@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_files_cut_short_are_refused(tmp_path, name, share):
    """However much is there, a part is never taken for the whole."""
    np.savez(tmp_path / "a", input=np.arange(1000))
    np.save(tmp_path / "a", np.arange(1000))
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: int(len(data) * share)])

    assert f"{name}: " in refusal(tmp_path, name)


@pytest.mark.parametrize("extra", ["", ', "count": 1'])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_flipped_bit_is_found(tmp_path, save, extra):
    """The archive's check sum is held even where only a few samples are taken."""
    save(tmp_path / "a", input=np.arange(4000, dtype=np.int32).reshape(40, 100))
    data = bytearray((tmp_path / "a.npz").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "a.npz").write_bytes(data)

    assert "a.npz: is damaged or cut short" in refusal(tmp_path, extra=extra)


def test_an_archive_that_asks_for_a_later_reader_is_refused(tmp_path):
    """One byte of its table says so."""
    np.savez(tmp_path / "a", input=np.arange(6))
    data = bytearray((tmp_path / "a.npz").read_bytes())
    data[data.rindex(b"PK\x01\x02") + 6] = 84
    (tmp_path / "a.npz").write_bytes(data)

    assert "a.npz: is damaged or cut short: zip file version 8.4" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "a.npy: is neither an npz nor an npy file"),
        (b"\x93NUMPY\x01\x00\x10\x00broken", "is not an npy array, or its header is damaged"),
        (b"\x93NUMPY\x03\x00" + bytes(100), "a.npy: is of an unknown npy version"),
        (
            header("{'descr': '<f4', 'fortran_order': False, 'shape': (2, -3)}\n"),
            "a.npy: declares the shape [2, -3]",
        ),
        (
            header("{'descr': '<f4', 'fortran_order': False, 'shape': (9999999, 9999999)}\n"),
            "a.npy: declares float32 of shape [9999999, 9999999], which takes 399999920000",
        ),
        (
            header("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}\n", bytes(9)),
            "which takes 74 bytes, and is 75 bytes long",
        ),
        (header("__import__('os').system('true')\n"), "or its header is damaged"),
    ],
)
def test_damaged_headers_are_refused(tmp_path, data, message):
    """What a header declares is held against the file before anything is read."""
    (tmp_path / "a.npy").write_bytes(data)

    assert message in refusal(tmp_path, "a.npy")


def test_a_sample_that_fills_the_memory_is_refused(tmp_path):
    """A sparse file of 3 GB with a single sample is not read."""
    text = "{'descr': '<f4', 'fortran_order': %s, 'shape': (%s)}\n"
    for name, order, shape in (("a.npy", False, "1, 800000000"), ("b.npy", True, "800000, 1000")):
        data = header(text % (order, shape))
        with (tmp_path / name).open("wb") as file:
            file.write(data)
            file.truncate(len(data) + 3_200_000_000)

    sentence = "bytes of memory at once; more than 1073741824 are refused"
    assert f"a.npy: takes 3200000000 {sentence}" == refusal(tmp_path, "a.npy")
    assert sentence in refusal(tmp_path, "b.npy")


def test_strange_members_are_refused(tmp_path):
    """Other files, other compression, and names that are there twice."""
    whole = npy_of(np.zeros(2))
    archive(tmp_path / "a.npz", {"readme.txt": b"hello"})
    archive(tmp_path / "b.npz", {"x.npy": whole}, zipfile.ZIP_LZMA)
    archive(tmp_path / "d.npz", {"x.npy": b"hello"})
    archive(tmp_path / "e.npz", {f"{n}.npy": whole for n in range(1001)})

    assert "a.npz['readme.txt']: is no npy array" == refusal(tmp_path)
    assert "b.npz['x.npy']: is encrypted or compressed in a way that is not read" == refusal(
        tmp_path, "b.npz"
    )
    assert "d.npz['x']: is not an npy array" in refusal(tmp_path, "d.npz")
    assert "e.npz: holds 1001 arrays; more than 1000 are refused" == refusal(tmp_path, "e.npz")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_is_there_twice_is_refused(tmp_path):
    """Which of the two is meant cannot be known."""
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as file:
        file.writestr("x.npy", npy_of(np.zeros(2)))
        file.writestr("x.npy", npy_of(np.ones(2)))

    assert "a.npz['x.npy']: is there twice" == refusal(tmp_path)


def test_an_archive_that_claims_too_much_is_refused(tmp_path):
    """No deflate stream expands more than 1032 times."""
    path = archive(tmp_path / "a.npz", {"x.npy": npy_of(np.zeros(9))}, zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    central = data.index(b"PK\x01\x02")
    data[central + 24 : central + 28] = struct.pack("<I", 2_000_000_000)
    path.write_bytes(data)

    assert "a.npz['x.npy']: declares 2000000000 bytes, packed into" in refusal(tmp_path)


def test_a_file_that_vanished_is_named(tmp_path):
    """Its whole path, since it may be the folder that went."""
    with pytest.raises(StepInputError, match=r"/a.npz: cannot be read: No such file"):
        list(arrays().samples([tmp_path / "a.npz"]))


def test_files_follow_each_other(tmp_path):
    """In name order, each with its own number of samples; a count is spread over all of them."""
    for name, values in (("b", [3, 4, 5]), ("a", [1, 2])):
        np.savez(tmp_path / f"{name}.npz", x=np.array(values), y=np.array(values))
    (tmp_path / "readme.txt").write_text("")
    source = arrays("*.npz", LABELS)
    files = source.find_files(tmp_path)

    wanted = [("a.npz[0]", 1), ("a.npz[1]", 2), ("b.npz[0]", 3), ("b.npz[1]", 4), ("b.npz[2]", 5)]
    assert wanted == [(each.name, each.label) for each in source.samples(files)]
    some = arrays("*.npz", LABELS + ', "count": 2')
    assert [1, 3] == [each.label for each in some.samples(files)]
    with pytest.raises(StepInputError, match="2 files: holds 5 samples, and `count` asks for 6"):
        list(arrays(".", ', "count": 6').samples(files))


def test_a_file_may_be_one_sample(tmp_path):
    """Whole, with as many inputs as it has arrays; only the chosen ones are pinned."""
    for index in range(4):
        np.savez(tmp_path / f"{index}.npz", x=np.full((2, index + 1), index), m=index, y=index % 2)
    source = arrays(".", LABELS + ', "one_a_file": true, "count": 2')
    files = source.find_files(tmp_path)

    first, second = source.samples(files)

    assert ["0.npz", "2.npz"] == [path.name for path in files]
    assert ({"m": (), "x": (2, 1)}, 0) == ({k: v.shape for k, v in first.arrays.items()}, 0)
    assert ([[2, 2, 2]] * 2, 0) == (second.arrays["x"].tolist(), second.label)
    assert 2 == source.expected(files)


def test_a_file_of_one_sample_needs_to_be_said_to_be_one(tmp_path):
    """Where arrays count differently, the hint says how."""
    np.savez(tmp_path / "0.npz", ids=np.zeros(7), size=np.zeros(2))

    with pytest.raises(StepInputError, match="differ in the number of samples") as caught:
        list(arrays("0.npz").samples([tmp_path / "0.npz"]))
    assert "one_a_file: true" in caught.value.hint


def test_axes_are_turned_to_what_the_model_takes(tmp_path):
    """Of samples in a file of many, and of files of one; labels stay as they are."""
    pictures = np.arange(24, dtype=np.float32).reshape(2, 2, 2, 3)
    np.savez(tmp_path / "a.npz", input=pictures, labels=[0, 1])
    np.savez(tmp_path / "b.npz", input=pictures[0])
    turn = ', "transpose": {"input": [2, 0, 1]}'
    for name, extra in (("a.npz", ', "labels": "labels"'), ("b.npz", ', "one_a_file": true')):
        first = read(tmp_path, name, extra + turn)[0]

        assert np.array_equal(pictures[0].transpose(2, 0, 1), first.arrays["input"])


@pytest.mark.parametrize(
    ("turn", "message"),
    [
        ({"x": [0]}, "has no array `x`, which `transpose` names"),
        ({"input": [1, 0]}, r"`input` is \[2, 2, 3\], and `transpose` names 2 axes"),
        ({"input": [0, 0, 1]}, "must name each axis once"),
    ],
)
def test_a_transpose_that_fits_no_array_is_refused(tmp_path, turn, message):
    """In the recipe where that can be told, else where samples are read."""
    np.savez(tmp_path / "a.npz", input=np.zeros((2, 2, 2, 3), np.float32))
    with pytest.raises((StepInputError, ValidationError), match=message):
        read(tmp_path, "a.npz", f', "transpose": {json.dumps(turn)}')
