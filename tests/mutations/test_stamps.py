"""What was said before is said again word for word, and never once something has moved."""

from __future__ import annotations

import os
import shutil
import sys
import time
import types
from pathlib import Path

import pytest

from tests.helpers.mutable import same_size_and_time
from tests.helpers.typed import typed
from trtbuild.cli import start
from trtbuild.core.locks import try_lock
from trtbuild.store import stamp


@pytest.fixture
def applied(unplanned, monkeypatch):
    """A project with its results in place; an apply has found it so, and its answer is kept."""
    monkeypatch.chdir(unplanned.folder)
    assert "no step to run" in typed("apply", "recipe.yaml").out
    assert not typed("apply", "recipe.yaml").stamped
    assert typed("apply", "recipe.yaml").stamped
    return unplanned


def objects():
    store = Path(os.environ["TRTBUILD_STORE"])
    return sorted(path for path in store.glob("objects/*/*") if path.stat().st_size)


COMMANDS = [
    ["apply", "recipe.yaml", "-j3"],
    ["apply", "--quiet", "recipe.yaml"],
    ["apply", "-v", "--jobs=1", "recipe.yaml"],
    ["apply", "recipe.yaml", "../another name/recipe.yaml", "--target", "rtx"],
    ["plan", "recipe.yaml"],
    ["plan", "--format", "markdown", "recipe.yaml"],
    ["plan", "--format=json", "recipe.yaml", "--target=rtx"],
]


def test_what_is_said_again_is_what_was_said(applied):
    """In the same words, to the same streams."""
    for command in COMMANDS:
        first, second = typed(*command), typed(*command)

        assert (False, True) == (first.stamped, second.stamped), command
        assert (0, first.out, first.err) == (second.code, second.out, second.err)


def engine_edited(_):
    engine = Path("build/small/rtx/model.engine")
    same_size_and_time(engine, engine.read_bytes()[40:60], bytes(20))


def object_deleted(_):
    objects()[0].unlink()


def object_damaged(_):
    path = objects()[-1]
    path.chmod(0o644)
    path.write_bytes(bytes(reversed(path.read_bytes())))


def record_deleted(_):
    (Path(os.environ["TRTBUILD_STORE"]) / "records/small.json").unlink()


def module_comes(project):
    (project.path("numpy.py")).write_text("raise ImportError\n")


MOVED = {
    "an engine was edited": engine_edited,
    "a report was removed": lambda _: Path("build/small/report.md").unlink(),
    "all results were removed": lambda _: shutil.rmtree("build"),
    "an object was removed": object_deleted,
    "an object was damaged": object_damaged,
    "the last run was forgotten": record_deleted,
    "a module came before an installed one": module_comes,
    "a picture came": lambda p: shutil.copy(p.path("shots/1.png"), p.path("shots/0b.png")),
    "a picture went": lambda p: p.path("shots/3.png").unlink(),
    "the recipe was touched": lambda p: os.utime(p.recipe),
    "a picture was touched": lambda p: os.utime(p.path("shots/3.png")),
    "the store was removed": lambda _: shutil.rmtree(os.environ["TRTBUILD_STORE"]),
}


@pytest.mark.parametrize("moved", MOVED)
def test_nothing_is_said_again_once_something_has_moved(applied, moved):
    """The long way is gone, whatever it finds."""
    MOVED[moved](applied)

    assert stamp.recall_answer(stamp.make_key(["apply", "recipe.yaml"])) is None
    assert "build" not in moved or typed("apply", "recipe.yaml").code == 0


def test_what_was_removed_is_put_back(applied):
    """And then the answer is kept again."""
    Path("build/small/rtx/model.engine").unlink()

    assert not typed("apply", "recipe.yaml").stamped
    assert Path("build/small/rtx/model.engine").is_file()
    assert not typed("apply", "recipe.yaml").stamped
    assert typed("apply", "recipe.yaml").stamped


def test_another_command_is_another_answer(applied):
    """Each option counts, and so does each way to write it."""
    commands = [
        ["apply", "-q", "recipe.yaml"],
        ["apply", "./recipe.yaml"],
        ["apply", "recipe.yaml", "--build-dir", "elsewhere"],
        ["plan", "recipe.yaml"],
    ]

    assert [] == [each for each in commands if typed(*each).stamped]


def test_another_environment_is_another_answer(applied, monkeypatch, tmp_path):
    """A driver may lie elsewhere, and a store hold other things."""
    for variable in ("TRTBUILD_STORE", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES"):
        with monkeypatch.context() as patch:
            patch.setenv(variable, str(tmp_path / "x"))

            assert stamp.recall_answer(stamp.make_key(["apply", "recipe.yaml"])) is None, variable


def test_another_directory_is_another_answer(applied, monkeypatch, tmp_path):
    """Paths in a command relate to it."""
    monkeypatch.chdir(tmp_path)

    assert 4 == typed("apply", "recipe.yaml").code


def test_another_version_of_a_tool_is_seen(copy, tmp_path, monkeypatch):
    """Tools are known by the folders that their installation leaves."""
    (tmp_path / "installed/onnxruntime-98.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path / "installed")
    first, second = typed("plan", copy.recipe), typed("plan", copy.recipe)
    (tmp_path / "installed/onnxruntime-98.dist-info").rename(
        tmp_path / "installed/onnxruntime-99.dist-info"
    )
    third = typed("plan", copy.recipe)

    assert [False, True, False] == [each.stamped for each in (first, second, third)]
    assert "onnxruntime: 98 → 99" not in third.out  # it was never built with 98
    assert "→ 99" in third.out


def test_a_change_of_trtbuild_itself_is_seen(copy, tmp_path, monkeypatch):
    """So is that of any other module it has loaded."""
    source = tmp_path / "loaded.py"
    source.write_text("one = 1\n")
    module = types.ModuleType("loaded")
    module.__file__ = str(source)
    monkeypatch.setitem(sys.modules, "loaded", module)
    assert [False, True] == [typed("plan", copy.recipe).stamped for _ in range(2)]

    same_size_and_time(source, b"one", b"two")

    assert not typed("plan", copy.recipe).stamped


def test_a_store_that_is_being_swept_is_not_relied_on(applied):
    """The long way says that it is in use."""
    lock = try_lock(Path(os.environ["TRTBUILD_STORE"]) / "in-use")
    try:
        answer = typed("apply", "recipe.yaml")
    finally:
        os.close(lock)

    assert 0 != answer.code
    assert "is being swept" in answer.err


def test_a_recipe_that_moved_along_a_link_is_seen(copy):
    """What counts is the file at its end."""
    link = copy.path("link.yaml")
    link.symlink_to("recipe.yaml")
    copy.path("other.yaml").write_text(copy.recipe.read_text().replace("small", "other"))
    assert [False, True] == [typed("plan", link).stamped for _ in range(2)]

    link.unlink()
    link.symlink_to("other.yaml")

    assert typed("plan", link).out.startswith("other\n")


def test_a_folder_that_a_pattern_asks_for_by_name_is_seen_to_come(copy):
    """`*/more/*.png` lists the folders it matches, and not what is in them."""
    copy.path("groups/a/more").mkdir(parents=True)
    copy.path("groups/b").mkdir()
    shutil.copy(copy.path("shots/1.png"), copy.path("groups/a/more/1.png"))
    copy.edit("path: shots", 'path: "groups/*/more/*.png"')
    again = [False, False, True]  # the first remembers the digest of a picture
    assert again == [typed("plan", copy.recipe).stamped for _ in range(3)]

    shutil.copytree(copy.path("groups/a/more"), copy.path("groups/b/more"))

    assert not typed("plan", copy.recipe).stamped


def test_a_picture_that_comes_deep_below_is_seen(copy):
    """Every folder that was listed counts, and not only the one that the recipe names."""
    copy.path("groups/a/more").mkdir(parents=True)
    shutil.copy(copy.path("shots/1.png"), copy.path("groups/a/more/1.png"))
    copy.edit("path: shots", "path: groups")
    again = [False, False, True]
    assert again == [typed("plan", copy.recipe).stamped for _ in range(3)]

    shutil.copy(copy.path("shots/2.png"), copy.path("groups/a/more/2.png"))

    assert not typed("plan", copy.recipe).stamped


def test_an_answer_with_a_term_is_not_given_after_it(copy, monkeypatch):
    """A fetch that failed is tried again after an hour."""
    soon = time.time() + 60
    from trtbuild.core.watch import note_until

    anew = start._run_anew
    monkeypatch.setattr(start, "_run_anew", lambda arguments: note_until(soon) or anew(arguments))
    typed("plan", "--target=rtx", copy.recipe)
    key = stamp.make_key(["plan", "--target=rtx", str(copy.recipe)])
    # The same terminal as in `typed`: none.
    assert stamp.recall_answer(key) is not None

    monkeypatch.setattr(stamp.time, "time", lambda: soon + 1)

    assert stamp.recall_answer(key) is None


def test_why_tells_of_the_last_run_that_did_something(applied):
    """An answer that is said again is no run: it leaves no trace in the store."""
    before = typed("why", "recipe.yaml").out
    store = Path(os.environ["TRTBUILD_STORE"])
    files = {path: path.stat().st_mtime_ns for path in store.rglob("*") if path.is_file()}

    assert typed("apply", "recipe.yaml").stamped
    assert before == typed("why", "recipe.yaml").out
    assert files == {path: path.stat().st_mtime_ns for path in store.rglob("*") if path.is_file()}


def test_everything_that_is_asked_of_the_disk_is_looked_at(copy, monkeypatch):
    """Whoever asks whether a path is there says so: it could not be heard."""
    asked = set()
    stat = os.stat

    def heard(path, *arguments, **options):
        asked.add(str(Path(path).absolute()) if isinstance(path, str | Path) else "")
        return stat(path, *arguments, **options)

    kept = []
    monkeypatch.chdir(copy.folder)
    typed("apply", "recipe.yaml")
    monkeypatch.setattr(stamp, "keep_answer", lambda _, __, watch, **___: kept.append(watch))
    monkeypatch.setattr(os, "stat", heard)
    typed("apply", "-q", "recipe.yaml")
    monkeypatch.setattr(os, "stat", stat)
    (watch,) = kept
    places = (str(copy.folder.parent), os.path.expanduser("~"))  # noqa: PTH111
    mine = {path for path in asked if path.startswith(places) and ".dist-info" not in path}
    unseen = {path for path in mine if path not in watch.looks and not harmless(path)}

    assert "" == watch.doubt
    assert set() == unseen


def harmless(path):
    """Tell whether it is a folder above what is looked at, or only saves time."""
    return Path(path).is_dir() or Path(path).name in {"digests.json", "README"}
