"""What is seen of a run from within."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from trtbuild.core import watch as module
from trtbuild.core.watch import (
    Watch,
    describe_state,
    exclude,
    find_last_change,
    look_apart,
    note_driver,
    note_path,
    note_until,
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current directory, with a file and a folder in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("x")
    (tmp_path / "below").mkdir()
    (tmp_path / "below/other").write_text("y")
    return tmp_path


LOOKS = {
    "opened": (lambda: Path("file").read_bytes(), "file"),
    "opened by descriptor": (lambda: os.close(os.open("file", os.O_RDONLY)), "file"),
    "opened as bytes": (lambda: open(b"file").close(), "file"),  # noqa: PTH123
    "listed": (lambda: list(Path("below").iterdir()), "below"),
    "listed here": (os.listdir, "."),
    "walked": (lambda: list(os.walk("below")), "below"),
    "found by a pattern": (lambda: list(Path().glob("below/*")), "below"),
    "said": (lambda: note_path("file"), "file"),
    "not there": (lambda: note_path("nothing"), "nothing"),
    "not there to open": (lambda: Path("nothing").exists() or _tried("nothing"), "nothing"),
}


def _tried(path):
    try:
        Path(path).read_bytes()
    except FileNotFoundError:
        return


@pytest.mark.parametrize("way", LOOKS)
def test_a_look_is_seen(folder, way):
    """Whichever way it is done; and nothing is in doubt for it."""
    act, path = LOOKS[way]

    with Watch() as watch:
        act()

    assert os.path.normpath(folder / path) in watch.looks
    assert describe_state(str(folder / path)) == watch.looks[os.path.normpath(folder / path)]
    assert "" == watch.doubt


def test_a_thread_s_look_is_seen(folder):
    """A run is all that its process does."""
    with Watch() as watch:
        thread = threading.Thread(target=Path("file").read_bytes)
        thread.start()
        thread.join()

    assert str(folder / "file") in watch.looks


ACTS = {
    "writes": lambda: Path("file").write_text("z"),
    "appends": lambda: open("file", "a").close(),  # noqa: PTH123
    "makes a file": lambda: Path("new").touch(),
    "makes a folder": lambda: Path("new").mkdir(),
    "removes": lambda: Path("file").unlink(),
    "moves": lambda: Path("file").rename("moved"),
    "links": lambda: Path("link").symlink_to("file"),
    "starts a process": lambda: subprocess.run([sys.executable, "-c", ""], check=True),
    "makes a temporary file": lambda: tempfile.TemporaryFile(dir=".").close(),
}


@pytest.mark.parametrize("way", ACTS)
def test_whoever_does_more_than_look_is_doubted(folder, way):
    """What such a run says is not what the next would say."""
    with Watch() as watch:
        ACTS[way]()

    assert watch.doubt


def test_probes_and_locks_are_told_apart_from_work(folder):
    """They leave nothing: what counts is that they succeed."""
    with Watch() as watch:
        (folder / "below").mkdir(exist_ok=True)
        probe = folder / "below/.probe-7"
        probe.touch()
        probe.unlink()
        (folder / "in-use").touch()

    assert "" == watch.doubt
    assert {str(folder / "below")} == watch.writable
    assert {str(folder / "in-use")} == watch.locks


def test_what_only_saves_time_is_not_looked_at(folder):
    """It may change without changing an answer."""
    with Watch() as watch:
        exclude("file")
        Path("file").read_bytes()

    assert {} == watch.looks


def test_nothing_is_seen_afterwards(folder):
    """A watch ends with its block."""
    with Watch() as watch:
        pass
    Path("file").read_bytes()

    assert {} == watch.looks


def test_the_first_look_counts(folder):
    """What came between it and a second one would go unseen."""
    with Watch() as watch:
        note_path("file")
        before = watch.looks[str(folder / "file")]
        (folder / "file").write_text("longer")
        note_path("file")

    assert before == watch.looks[str(folder / "file")]
    assert before != describe_state(str(folder / "file"))


def test_the_shortest_term_holds():
    """An answer is as good as the least of what it rests on."""
    with Watch() as watch:
        note_until(7.0)
        note_until(3.0)
        note_until(5.0)

    assert 3.0 == watch.until


def test_devices_without_a_driver_are_doubted(monkeypatch):
    """A driver may be installed without a trace in the kernel's files."""
    monkeypatch.setattr(module, "describe_devices", lambda: "devices:\nnvidia0\n")
    with Watch() as with_driver:
        note_driver(found=True)
    with Watch() as without:
        note_driver(found=False)

    assert ("devices:\nnvidia0\n", "") == (with_driver.devices, with_driver.doubt)
    assert without.doubt


def test_no_devices_are_an_answer(monkeypatch):
    """And they are no file, whose times could be compared."""
    monkeypatch.setattr(module, "_names", lambda _: [])
    monkeypatch.setattr(module, "_text", lambda _: "")
    with Watch() as watch:
        note_driver(found=False)

    assert module.NO_DEVICES == watch.devices
    assert ("", {}) == (watch.doubt, watch.looks)


def test_a_way_up_behind_a_link_is_left_to_the_kernel(folder):
    """`..` is what lies above the end of the link, and not where the link lies."""
    (folder / "far/away").mkdir(parents=True)
    (folder / "far/file").write_text("the other")
    (folder / "link").symlink_to("far/away")
    with Watch() as watch:
        Path("link/../file").read_bytes()
        note_path("link/../file")

    assert [str(folder / "link/../file")] == list(watch.looks)
    assert describe_state(str(folder / "far/file")) == watch.looks[str(folder / "link/../file")]


def test_what_keeps_a_claim_alive_is_no_part_of_an_answer(folder):
    """It goes on beside whatever is found out."""

    def beat():
        look_apart()
        (folder / "lease").write_text("here")

    with Watch() as watch:
        thread = threading.Thread(target=beat)
        thread.start()
        thread.join()
    module._apart.clear()

    assert ("", {}) == (watch.doubt, watch.looks)


def test_a_link_s_state_is_its_own_and_that_of_its_end(folder):
    """Led elsewhere it is another, though the end should be the same."""
    os.link("file", "same")
    link = folder / "link"
    link.symlink_to("file")
    first = describe_state(str(link))
    link.unlink()
    link.symlink_to("same")

    assert first != describe_state(str(link))
    assert first.startswith(describe_state("file"))
    assert find_last_change(first) >= find_last_change(describe_state("file")) > 0


def test_what_is_not_there_never_changed(folder):
    """A link that leads nowhere did, when it was made."""
    (folder / "link").symlink_to("nowhere")

    assert 0 == find_last_change(describe_state("nothing"))
    assert 0 < find_last_change(describe_state("link"))
