"""Answers that are kept, and when they are given again."""

from __future__ import annotations

import os
import sys
import time
import types
import zlib
from pathlib import Path

import pytest

from trtbuild.core.watch import Watch
from trtbuild.store import stamp
from trtbuild.store.stamp import keep_answer, make_key, recall_answer

SAID = [("out", "a line\n"), ("err", "ä\tß\n"), ("out", "")]
LONG_AGO = 1_000_000_000


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A file that a run will have looked at; the store is beside it."""
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "store"))
    path = tmp_path / "file"
    path.write_text("x")
    return path


def kept(file, *, began=None, said=SAID, during=lambda: None):
    """Keep what a run said that looked at a file alone; return the key and why it was not kept."""
    key = make_key(["plan", "x.yaml"])
    with Watch() as watch:
        file.read_text()
        during()
    return key, keep_answer(key, said, watch, began=began or time.time() + 3600)


def test_what_was_said_is_said_again(file):
    """Text by text."""
    key, reason = kept(file)

    assert "" == reason
    assert SAID == recall_answer(key)


def test_another_key_has_another_answer(file):
    """Though it should fall on the same file."""
    kept(file)
    (place,) = (file.parent / "store/stamps").iterdir()
    other = make_key(["plan", "y.yaml"])
    place.rename(stamp._place(other))

    assert recall_answer(other) is None


@pytest.mark.parametrize("seconds", [0, 1.9])
def test_what_has_just_been_changed_is_not_relied_on(file, seconds):
    """A second change within the clock's granularity would go unseen."""
    key, reason = kept(file, began=os.stat(file).st_ctime + seconds)  # noqa: PTH116

    assert "has just been changed" in reason
    assert recall_answer(key) is None


def test_what_changes_during_the_run_is_not_relied_on(file):
    """It may have been read before or after."""
    _, reason = kept(file, during=lambda: file.write_text("y and more"))

    assert f"open {file}" == reason  # this process did it
    with Watch() as watch:
        file.read_text()
    file.write_text("z")
    assert f"{file} moved" == keep_answer(make_key(["plan"]), SAID, watch, began=time.time() + 3600)


def test_a_time_in_the_future_is_not_relied_on(file):
    """It says nothing of when the file was changed."""
    os.utime(file, (LONG_AGO * 4, LONG_AGO * 4))

    assert "has just been changed" in kept(file)[1]


CHANGES = {
    "written": lambda file: file.write_text("y"),
    "touched": os.utime,
    "set to a time long ago": lambda file: os.utime(file, (LONG_AGO, LONG_AGO)),
    "removed": Path.unlink,
    "made readable to all": lambda file: file.chmod(0o777),
    "replaced": lambda file: (
        (file.parent / "new").write_text("x") and (file.parent / "new").replace(file)
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_no_answer_outlives_what_it_rests_on(file, change):
    """Whatever happens to the file, the answer is gone."""
    key, _ = kept(file)
    time.sleep(0.02)  # the clock of a file system may stand still for 10 ms
    CHANGES[change](file)

    assert recall_answer(key) is None


def test_what_was_not_there_must_not_be_there(file):
    """A file that comes is a change like any other."""
    absent = file.parent / "absent"
    key, reason = kept(file, during=lambda: stamp.describe_state(str(absent)) and _sought(absent))
    assert ("", SAID) == (reason, recall_answer(key))

    absent.write_text("")

    assert recall_answer(key) is None


def _sought(path):
    from trtbuild.core.watch import note_path

    note_path(path)


def test_a_link_in_a_listed_folder_is_followed(file):
    """Where it leads may come and go without a trace in the folder."""
    folder = file.parent / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(file.parent / "elsewhere")
    key, _ = kept(file, during=lambda: list(folder.iterdir()))
    assert recall_answer(key) == SAID

    (file.parent / "elsewhere").write_text("")

    assert recall_answer(key) is None


@pytest.mark.parametrize("harm", ["flip", "cut", "empty", "other", "folder", "pipe"])
def test_a_damaged_stamp_is_no_stamp(file, harm):
    """Whatever is in it, nothing is said and nothing raised."""
    key, _ = kept(file)
    place = Path(stamp._place(key))
    data = bytearray(place.read_bytes())
    if harm == "folder":
        place.unlink()
        place.mkdir()
    elif harm == "pipe":
        place.unlink()
        os.mkfifo(place)
    elif harm == "flip":
        for position in range(0, len(data), len(data) // 97):  # it may be long: all modules' files
            flipped = data.copy()
            flipped[position] ^= 4
            place.write_bytes(flipped)
            assert recall_answer(key) is None
    else:
        harmed = {"cut": data[:-3], "empty": b"", "other": b"\x00\xff\n" * 9}
        place.write_bytes(harmed[harm])

    assert recall_answer(key) is None


def test_a_text_that_cannot_be_kept_is_not(file):
    """What separates texts in a stamp is no text."""
    key, reason = kept(file, said=[("out", "a\0b")])

    assert "separates" in reason
    assert recall_answer(key) is None


def test_odd_names_are_kept(file):
    """A file's name may be any bytes."""
    odd = file.parent / os.fsdecode(b"\xff\n \xc3\xa4")
    odd.write_text("x")
    key, reason = kept(odd)
    assert ("", SAID) == (reason, recall_answer(key))

    odd.write_text("longer")

    assert recall_answer(key) is None


def test_the_oldest_stamps_go(file, monkeypatch):
    """A store is no archive of commands."""
    monkeypatch.setattr(stamp, "MOST_STAMPS", 2)
    keys = []
    for name in "abc":
        with Watch() as watch:
            file.read_text()
        keys.append(make_key(["plan", name]))
        keep_answer(keys[-1], SAID, watch, began=time.time() + 3600)
        time.sleep(0.02)

    assert [None, SAID, SAID] == [recall_answer(key) for key in keys]


def test_what_nobody_has_kept_for_a_month_goes(file):
    """The folders and commands of a year are not asked for again."""
    kept(file)
    (place,) = (file.parent / "store/stamps").iterdir()
    os.utime(place, (LONG_AGO, LONG_AGO))
    with Watch() as watch:
        file.read_text()
    keep_answer(make_key(["plan", "y"]), SAID, watch, began=time.time() + 3600)

    assert place not in (file.parent / "store/stamps").iterdir()


def test_one_is_kept_for_a_folder_and_a_command(file, monkeypatch):
    """Other users, environments and Pythons take each other's place."""
    for number in range(5):
        monkeypatch.setenv("TRTBUILD_TRIES", str(number))
        key, _ = kept(file)

    assert SAID == recall_answer(key)
    assert 1 == len(list((file.parent / "store/stamps").iterdir()))


def test_a_stamp_of_many_files_is_small(file, monkeypatch):
    """A folder is named once, and states have one digest: 5000 pictures took 500 kB."""
    monkeypatch.setattr(stamp, "sys", types.SimpleNamespace(**{**vars(sys), "modules": {}}))
    key = make_key(["plan"])
    with Watch() as watch:
        for number in range(5000):
            watch.see(file.parent / f"a folder/picture{number:05}.png")

    assert "" == keep_answer(key, SAID, watch, began=time.time() + 3600)
    (place,) = (file.parent / "store/stamps").iterdir()
    assert place.stat().st_size < 20_000
    assert SAID == recall_answer(key)
    (file.parent / "a folder").mkdir()
    (file.parent / "a folder/picture04999.png").touch()
    assert recall_answer(key) is None


def test_what_would_be_too_long_is_not_kept(file):
    """Whoever writes megabytes has something to do; a stamp that is longer is none."""
    key, reason = kept(file, said=[("out", os.urandom(2 << 20).hex())])
    assert "too long" in reason
    assert recall_answer(key) is None

    kept(file)
    (place,) = (file.parent / "store/stamps").iterdir()
    packed = zlib.compress(bytes(stamp.MOST_TEXT_BYTES + 1))
    place.write_bytes(f"{zlib.crc32(packed):08x}\n".encode() + packed)
    assert recall_answer(key) is None


def test_an_answer_from_the_future_is_none(file, monkeypatch):
    """The clock was set back: what has a term may hold no more."""
    key, _ = kept(file)
    now = time.time()
    monkeypatch.setattr(stamp.time, "time", lambda: now - 60)

    assert recall_answer(key) is None


def test_a_store_that_cannot_be_written_to_keeps_nothing(file, monkeypatch):
    """Losing a stamp only costs time: it is no error."""
    monkeypatch.setenv("TRTBUILD_STORE", str(file / "below a file"))
    key, reason = kept(file)

    assert reason
    assert recall_answer(key) is None
