"""What is damaged in the store is found, said and made again, and never used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_apply import SAME_BYTES, visible

pytestmark = pytest.mark.usefixtures("steps_here")


@pytest.fixture
def applied(applied_project, tmp_path):
    """The store of a project that was applied, and the files that came of it."""
    return tmp_path / "store", visible(Path("build/small"))


def objects(store):
    return sorted(path for path in (store / "objects").rglob("*") if path.is_file())


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)


def flip_all(store):
    """Flip a bit in every object, and return how many there are."""
    found = [path for path in objects(store) if path.stat().st_size]
    for path in found:
        flip(path)
    return len(found)


def same(files):
    return {name: data for name, data in files.items() if name in SAME_BYTES}


def test_everything_damaged_is_made_again_in_one_go(applied, trtbuild):
    """With nothing delivered and every object wrong, one apply mends all of it."""
    store, before = applied
    flip_all(store)
    for path in Path("build/small").rglob("*"):
        if path.is_file():
            path.unlink()

    answer = trtbuild("apply", "recipe.yaml")

    assert 0 == answer.code, answer.err
    assert "damaged" in answer.out + answer.err
    assert same(before) == same(visible(Path("build/small")))
    assert "all are whole" in trtbuild("store", "verify").out


def test_a_plan_over_damage_tells_what_would_run(applied, trtbuild):
    """It uses nothing that is wrong."""
    store, _ = applied
    flip_all(store)

    answer = trtbuild("plan", "recipe.yaml")

    assert 0 == answer.code, answer.err
    assert "present → gone" in answer.out


def test_verify_finds_every_flipped_bit(applied, trtbuild):
    """It reads everything, says what is wrong, and puts it out of reach."""
    store, _ = applied
    count = flip_all(store)
    flip(next((store / "actions").iterdir()))

    answer = trtbuild("store", "verify")

    assert 5 == answer.code
    assert f"{count} damaged" in answer.out
    assert "1 record" in answer.out
    assert 0 == trtbuild("store", "verify").code
    assert 0 == trtbuild("apply", "-q", "recipe.yaml").code


def test_a_damaged_record_of_a_step_is_not_believed(applied, trtbuild):
    """The step runs again, and makes what it had made."""
    store, before = applied
    for path in [*(store / "actions").iterdir(), *(store / "contents").iterdir()]:
        flip(path)

    answer = trtbuild("apply", "-q", "recipe.yaml")

    assert 0 == answer.code, answer.err
    assert same(before) == same(visible(Path("build/small")))


def test_damaged_memories_cost_time_alone(applied, trtbuild):
    """Digests of files and the last runs are only remembered: without them nothing reruns."""
    store, _ = applied
    flip(store / "records/small.json")
    (store / "digests.json").write_text("[]\n")

    answer = trtbuild("plan", "recipe.yaml")

    assert "to run" not in answer.out


def test_a_user_who_edits_a_result_never_damages_the_store(applied, trtbuild):
    """What is placed is a copy or a clone; the next apply places it again."""
    _, before = applied
    Path("build/small/model.int8.onnx").write_bytes(b"mine now")

    assert 0 == trtbuild("store", "verify").code
    assert 0 == trtbuild("apply", "-q", "recipe.yaml").code
    assert before == visible(Path("build/small"))


@pytest.fixture
def mounted(tmp_path):
    """Mount something at a folder of the test's own; only root may."""
    place = tmp_path / "mounted"
    place.mkdir()

    def mount(*options):
        command = ["mount", *options, str(place)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("mounting is not permitted here")
        return place

    yield mount
    subprocess.run(["umount", str(place)], capture_output=True, check=False)  # noqa: S607


def apply_with(store):
    return subprocess.run(
        [sys.executable, "-m", "trtbuild", "apply", "recipe.yaml"],
        env={
            "TRTBUILD_STORE": str(store), "PATH": "/usr/bin",
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        },
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("size", ["40k", "400k"])
def test_a_full_disk_is_one_clear_error(project, mounted, size):
    """Nothing of it is kept as a result, whichever write it was that failed."""
    store = mounted("-t", "tmpfs", "-o", f"size={size}", "none")

    answer = apply_with(store)

    assert answer.returncode == 4, answer.stderr
    assert "No space left" in answer.stderr
    assert 1 == answer.stderr.count("error:")
    assert "Traceback" not in answer.stderr
    assert not Path("build/small/rtx").exists()


def test_a_full_build_directory_is_not_the_store_s_fault(applied_project, mounted, trtbuild):
    """It is named, with what did not fit; the store has it, and another directory takes it."""
    place = mounted("-t", "tmpfs", "-o", "size=200k", "none")

    answer = trtbuild("apply", "recipe.yaml", "--build-dir", place)

    assert 4 == answer.code
    told = f"error: the build directory {place}/small cannot be written to: rtx/model.engine: No"
    assert told in answer.err
    assert "hint: make room there, or choose another one with --build-dir" in answer.err
    assert [] == list(place.rglob("*.part"))
    assert "placed anew" in trtbuild("apply", "recipe.yaml", "--build-dir", "elsewhere").out


def test_a_store_that_cannot_be_written_is_one_clear_error(applied, applied_project, mounted):
    """It says how to choose another."""
    store, before = applied
    mounted("--bind", "-o", "ro", str(store))
    applied_project.write_text(applied_project.read_text().replace("minmax", "mse"))

    answer = apply_with(applied_project.parent.parent / "mounted")

    assert 4 == answer.returncode
    assert "cannot be written to: Read-only file system" in answer.stderr
    assert "TRTBUILD_STORE" in answer.stderr
    assert before == visible(Path("build/small"))


def test_gc_keeps_what_the_last_runs_reach(applied, applied_project, trtbuild):
    """And nothing else; with what it keeps, nothing runs again."""
    store, _ = applied
    count = len(objects(store))
    applied_project.write_text(applied_project.read_text().replace("minmax", "mse"))
    assert 0 == trtbuild("apply", "-q", "recipe.yaml").code
    grown = len(objects(store))

    kept = trtbuild("store", "gc", "--keep", "2")
    assert grown == len(objects(store)), kept.out
    shown = trtbuild("store", "gc", "--keep", "1", "--dry-run")
    assert "would remove" in shown.out
    assert grown == len(objects(store))
    swept = trtbuild("store", "gc", "--keep", "1")

    assert 0 == swept.code, swept.err
    assert count == len(objects(store)) < grown
    assert "to run" not in trtbuild("plan", "recipe.yaml").out
    assert [] == list((store / "work").iterdir())


def test_gc_stands_back_while_something_is_built(applied, trtbuild):
    """What is being made is not yet reachable from anything."""
    from trtbuild.store.store import Store

    store, _ = applied
    with Store(store).using():
        answer = trtbuild("store", "gc")

    assert 4 == answer.code
    assert "is being built" in answer.err


def test_ls_and_du_say_what_the_store_holds(applied, trtbuild):
    """Each step with its recipe and size; and the sum of it."""
    listed = trtbuild("store", "ls").out
    added = trtbuild("store", "du").out

    assert 10 <= sum(line.strip().startswith("small") for line in listed.splitlines())
    assert "build_engine(rtx)" in listed
    assert "small" in added
    assert "total" in added


def test_gc_keeps_what_a_lock_names(applied, applied_project, trtbuild):
    """Its models and all they were made from, though later runs are of something else."""
    assert 0 == trtbuild("lock", "recipe.yaml").code
    before = applied_project.read_text()
    applied_project.write_text(before.replace("minmax", "mse"))
    assert 0 == trtbuild("apply", "-q", "recipe.yaml").code

    assert 0 == trtbuild("store", "gc").code

    applied_project.write_text(before)
    kept = {line.split()[1] for line in trtbuild("plan", "recipe.yaml").out.splitlines()
            if line.split()[0] == "reuse"}  # fmt: skip
    assert {"import_model", "fix_graph", "calibrate", "quantize"} <= kept
