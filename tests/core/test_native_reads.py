from __future__ import annotations

import subprocess
import sys

import pytest

from trtbuild.core import native_reads
from trtbuild.core.native_reads import NativeReads

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")


def opened(folder, *names, tree=False):
    """Return which files are heard of, by their names, when a program reads some."""
    reads = NativeReads()
    (reads.watch_tree if tree else reads.watch)(str(folder))
    subprocess.run(
        ["/bin/cat", *(folder / name for name in names)], check=True, capture_output=True
    )
    reads.close()
    return {path.removeprefix(f"{folder}/") for path in reads.opened}


def test_hears_of_what_a_program_reads(tmp_path):
    """Of that file, and of no other in its folder."""
    (tmp_path / "read.bin").write_text("1")
    (tmp_path / "not read.bin").write_text("1")

    assert {"read.bin"} == opened(tmp_path, "read.bin")


def test_hears_of_folders_in_a_folder(tmp_path):
    """But not in those where tools keep what is theirs."""
    heard = ("in/deeper/1.bin", ".cache/in/1.bin", "build/1.bin")
    unheard = (".git/1.bin", "build/tiny/1.bin", "env/lib/1.bin")
    for name in (*heard, *unheard, "build/tiny/.trtbuild.json", "env/pyvenv.cfg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")

    assert {*heard} == opened(tmp_path, *heard, *unheard, tree=True)


def test_hidden_folders_come_last_and_what_is_left_out_is_told(tmp_path, monkeypatch):
    """Where not all can be watched, those that people see are; of a home, no others are."""
    for name in (".a/1.bin", "b/1.bin", "c/1.bin"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("1")

    def heard(most):
        monkeypatch.setattr(native_reads, "MOST_IN_TREES", most)
        return opened(tmp_path, ".a/1.bin", "b/1.bin", "c/1.bin", tree=True)

    assert {"b/1.bin", "c/1.bin"} == heard(3)
    assert {".a/1.bin", "b/1.bin", "c/1.bin"} == heard(4)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert {"b/1.bin", "c/1.bin"} == heard(4)


def test_passes_over_sources_and_recipes(tmp_path):
    """Python says itself what it loads; editors and trtbuild read the others at any time."""
    (tmp_path / "a.py").write_text("1")
    (tmp_path / "a.yaml").write_text("1")

    assert set() == opened(tmp_path, "a.py", "a.yaml")


def test_a_folder_that_is_not_there_does_no_harm(tmp_path):
    """Code may ask for files in it."""
    reads = NativeReads()
    reads.watch(str(tmp_path / "absent"))
    reads.close()

    assert set() == reads.opened


def test_hears_of_what_links_lead_to(tmp_path):
    """Large files often lie elsewhere, as those of DVC and git-annex; so do folders."""
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/1.bin").write_text("1")
    (tmp_path / "data").mkdir()
    (tmp_path / "data/link.bin").symlink_to(tmp_path / "cache/1.bin")
    (tmp_path / "data/folder").symlink_to(tmp_path / "cache")

    heard = opened(tmp_path / "data", "link.bin", tree=True)

    assert {"link.bin", "folder/1.bin", f"{tmp_path}/cache/1.bin"} == heard


def test_hears_of_yaml_that_opencv_reads(tmp_path):
    """As it keeps what cameras are like: no code of Python's opens that."""
    (tmp_path / "camera.yml").write_text("%YAML:1.0\n---\n")

    assert {"camera.yml"} == opened(tmp_path, "camera.yml")
