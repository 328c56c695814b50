"""What is said again at once is what would be found out anew, whatever was done in between.

The oracle is the long way without a memory: stamps and remembered digests are removed first. Of an
apply it is that, and that all it placed lies there as it was. An answer that is not given is never
wrong: it only takes longer.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
import types
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest

from tests.helpers.mutable import Project, same_size_and_time
from tests.helpers.typed import typed
from trtbuild.core import digest
from trtbuild.core.watch import describe_state
from trtbuild.store import stamp


@dataclass
class Kept:
    """Folders and links below one root, and what two commands said and looked at there."""

    root: Path
    answers: dict[str, tuple[list[str], stamp.KeptAnswer, object]]
    placed: dict[str, bytes]

    @property
    def far(self) -> Path:
        return self.root / "real/far"

    @property
    def home(self) -> Path:
        """Where the recipe really lies."""
        return self.far / "recipes"

    @property
    def build(self) -> Path:
        return self.root / "build/small"

    @property
    def store(self) -> Path:
        return self.root / "store"

    def edit(self, before, after, file="recipe.yaml"):
        Project(self.home).edit(before, after, file=file)

    def recall(self, verb):
        """Return what a command said, if that would be said again."""
        return stamp.recall_answer(stamp.make_key(self.answers[verb][0]))

    def find_anew(self):
        """Plan the long way, without a memory."""
        shutil.rmtree(self.store / "stamps", ignore_errors=True)
        (self.store / "digests.json").unlink(missing_ok=True)
        return typed(*self.answers["plan"][0])

    def look(self):
        files = (path for path in self.build.rglob("*") if path.is_file())
        return {str(path): path.read_bytes() for path in files if path.name[0] != "."}


@pytest.fixture(scope="module")
def pristine(built, tmp_path_factory):
    """An applied project that is reached by links.

    `work/recipes` leads by `way` to `real/far/recipes`, whose recipe names its pictures by
    `../pictures`: they lie in `real/far`, and others in `work`, where the text alone would lead.
    """
    project, store = built
    root = tmp_path_factory.mktemp("oracle") / "root"
    shutil.copytree(store, root / "store")
    folder = project.copied(root / "real/far/recipes").folder
    (folder / "shots").rename(root / "real/far/pictures")
    shutil.copytree(root / "real/far/pictures", root / "work/pictures")
    Project(folder).edit("path: shots", "path: ../pictures")
    (folder / "model.onnx").rename(folder / "real.onnx")
    (folder / "model.onnx").symlink_to("real.onnx")
    (root / "way").symlink_to("real/far")
    (root / "work/recipes").symlink_to("../way/recipes")
    recipe = str(root / "work/recipes/recipe.yaml")
    commands = {
        "plan": ["plan", recipe],
        "apply": ["apply", "-q", recipe, "--build-dir", str(root / "build")],
    }
    heard: dict[str, tuple] = {}

    def keep(key, said, watch, *, began):
        heard[key[2]] = (said, watch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRTBUILD_STORE", str(root / "store"))
        patch.setenv("XDG_CONFIG_HOME", str(root / "config"))
        patch.chdir(root)
        patch.setattr(stamp, "SETTLED_SECONDS", -3600)
        # Else the second command remembers what was too young for the first, which is a change.
        patch.setattr(digest, "SETTLED_SECONDS", -3600)
        typed(*commands["apply"])
        patch.setattr(stamp, "keep_answer", keep)
        for command in commands.values():
            assert 0 == typed(*command).code
    shutil.rmtree(root / "store/stamps", ignore_errors=True)
    answers = {verb: (commands[verb], *heard[verb]) for verb in commands}
    assert ["", ""] == [watch.doubt for _, _, watch in answers.values()]
    kept = Kept(root, answers, {})
    kept.placed.update(kept.look())
    root.rename(root.with_name("pristine"))
    return kept


@pytest.fixture
def kept(pristine, monkeypatch, at_once):
    """The project as it was, what both commands said of it kept as if it had been said just now."""
    root = pristine.root
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(root.with_name("pristine"), root, symlinks=True)
    monkeypatch.setenv("TRTBUILD_STORE", str(root / "store"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(root / "config"))
    monkeypatch.chdir(root)
    for command, said, watch in pristine.answers.values():
        watch.looks = {path: describe_state(path) for path in watch.looks if str(root) in path}
        key = stamp.make_key(command)
        # A process of pytest's has thousands of modules, which stay what they are.
        with mock.patch.object(stamp, "sys", types.SimpleNamespace(modules={})):
            assert "" == stamp.keep_answer(key, said, watch, began=time.time())
    assert [True, True] == [pristine.recall(verb) is not None for verb in pristine.answers]
    return pristine


def again(path):
    """Replace a file by another, with its size and times."""
    seen, aside = path.stat(), path.with_name(".aside")
    aside.write_bytes(path.read_bytes()[::-1])
    os.utime(aside, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    aside.replace(path)


def lead(link, target):
    link.unlink()
    link.symlink_to(target)


def lead_to_copy(link, change, *, copied=None):
    """Let a link lead to a copy of what it led to, in which something is another."""
    place = link.with_name("a copy")
    shutil.copytree(copied or link.resolve(), place, symlinks=True)
    change(place)
    lead(link, place)


def move_behind_link(path):
    """Let a part of a way be a link to where it was moved: all files stay what they are."""
    path.rename(path.with_name("moved"))
    path.symlink_to("moved")


def swap(first, second):
    first.rename(first.with_name(".aside"))
    second.rename(first)
    first.with_name(".aside").rename(second)


def actions(kept):
    return sorted((kept.store / "actions").iterdir())


def objects(kept):
    return [path for path in (kept.store / "objects").rglob("*") if path.is_file()]


def damage(path):
    data = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(data[::-1])


def configure(kept):
    (kept.root / "config/trtbuild").mkdir(parents=True)
    (kept.root / "config/trtbuild/config.yaml").write_text("pythons: {tensorrt_rtx: /nowhere}\n")


def pictures_by_link(kept):
    shutil.move(kept.far / "pictures", kept.far / "others")
    shutil.copytree(kept.far / "others", kept.far / "third")
    again(kept.far / "third/2.png")
    (kept.far / "pictures").symlink_to("third")


OTHER = {
    "a picture behind `..` behind links": lambda k: again(k.far / "pictures/1.png"),
    "its bytes, in place, at its time": lambda k: same_size_and_time(
        k.far / "pictures/1.png", b"IDAT", b"IDAU"
    ),
    "a picture went": lambda k: (k.far / "pictures/4.png").unlink(),
    "a picture came": lambda k: shutil.copy(k.far / "pictures/1.png", k.far / "pictures/1b.png"),
    "two pictures swapped": lambda k: swap(k.far / "pictures/1.png", k.far / "pictures/2.png"),
    "the pictures' folder led elsewhere": pictures_by_link,
    "the recipe": lambda k: k.edit("{b: 2.5}", "{b: 2.25}"),
    "the recipe, by its first link": lambda k: lead_to_copy(
        k.root / "work/recipes", lambda c: Project(c).edit("{b: 2.5}", "{b: 2.25}")
    ),
    "a picture, by the second link": lambda k: lead_to_copy(
        k.root / "way", lambda c: again(c / "pictures/1.png")
    ),
    "the model behind its link": lambda k: again(k.home / "real.onnx"),
    "the model's link led elsewhere": lambda k: (
        shutil.copy(k.home / "real.onnx", k.home / "other.onnx"),
        again(k.home / "other.onnx"),
        lead(k.home / "model.onnx", "other.onnx"),
    ),
    "the model's link led nowhere": lambda k: lead(k.home / "model.onnx", "nowhere"),
    "a file of ranges": lambda k: again(k.home / "more.ranges"),
    "a file of ranges went": lambda k: (k.home / "more.ranges").unlink(),
    "an entrypoint": lambda k: k.edit("range(4)", "range(5)", "samples.py"),
    "a module beside it": lambda k: k.edit("size=(3", "size=(+3", "beside.py"),
    "a module in a package": lambda k: k.edit("1.0", "2.0", "pack/inner.py"),
    "a setting": configure,
    "the store went": lambda k: shutil.rmtree(k.store),
    "all objects went": lambda k: shutil.rmtree(k.store / "objects"),
    "an action went": lambda k: actions(k)[0].unlink(),
    "an action was damaged": lambda k: damage(actions(k)[0]),
    "two actions swapped": lambda k: swap(*actions(k)[:2]),
}
"""After which a plan says something else, or fails."""

PLACED = {
    "an engine went": lambda k: (k.build / "rtx/model.engine").unlink(),
    "an engine was edited": lambda k: same_size_and_time(
        k.build / "rtx/model.engine", (k.build / "rtx/model.engine").read_bytes()[40:60], bytes(20)
    ),
    "an engine was replaced": lambda k: again(k.build / "rtx/model.engine"),
    "a model went": lambda k: (k.build / "model.int8.onnx").unlink(),
    "a report went": lambda k: (k.build / "report.md").unlink(),
    "all went": lambda k: shutil.rmtree(k.build),
    "a folder went behind a link": lambda k: move_behind_link(k.build / "rtx"),
    "the build folder is another's": lambda k: lead_to_copy(
        _linked(k.build), lambda c: again(c / "report.md")
    ),
}
"""After which a plan says the same, and an apply has something to do."""


def _linked(path):
    move_behind_link(path)
    return path


SAME = {
    "a picture was touched": lambda k: os.utime(k.far / "pictures/1.png"),
    "the recipe was touched": lambda k: os.utime(k.home / "recipe.yaml"),
    "a picture where only the text leads": lambda k: again(k.root / "work/pictures/1.png"),
    "a hidden file came": lambda k: (k.far / "pictures/.hidden").write_text("x"),
    "a picture was made readable to its owner alone": lambda k: (k.far / "pictures/1.png").chmod(
        0o600
    ),
    "a part of the way is a link now": lambda k: move_behind_link(k.root / "real"),
    "an object was damaged": lambda k: damage(objects(k)[0]),
    "the last runs were forgotten": lambda k: shutil.rmtree(k.store / "records"),
    "an unrelated module": lambda k: (k.home / "unrelated.py").write_text("ANSWER = 1\n"),
}
"""After which nothing is said otherwise, at once or not."""


def demand_equal(kept):
    """Hold what would be said at once to the oracle."""
    said = {verb: kept.recall(verb) for verb in kept.answers}
    before = "".join(text for _, text in kept.answers["plan"][1])
    anew = kept.find_anew()
    idle = (0, before) == (anew.code, anew.out + anew.err) and kept.placed == kept.look()
    if said["plan"] is not None:
        assert (0, anew.out + anew.err) == (anew.code, "".join(text for _, text in said["plan"]))
    if said["apply"] is not None:
        assert idle
    return said, anew.code != 0 or before != anew.out + anew.err


@pytest.mark.parametrize("change", OTHER)
def test_what_would_be_planned_otherwise_is_not_said_again(kept, change):
    """By neither command: files, links at each level, the store, settings, code."""
    OTHER[change](kept)

    said, differs = demand_equal(kept)

    assert differs
    assert {"plan": None, "apply": None} == said


@pytest.mark.parametrize("change", PLACED)
def test_what_would_be_placed_anew_is_not_passed_over(kept, change):
    """The plan may say what it said; the apply has something to do."""
    PLACED[change](kept)

    said, _ = demand_equal(kept)

    assert said["apply"] is None


@pytest.mark.parametrize("change", SAME)
def test_what_changes_nothing_is_said_as_before(kept, change):
    """At once or the long way."""
    SAME[change](kept)

    _, differs = demand_equal(kept)

    assert not differs


def test_nothing_else_that_an_answer_depends_on_goes_unseen(kept, monkeypatch):
    """Another Python, user, terminal, environment, trtbuild, or time."""
    key = stamp.make_key(kept.answers["plan"][0])
    others = {
        "another Python": mock.patch.object(sys, "executable", "/usr/bin/other"),
        "another way to modules": mock.patch.object(sys, "path", [*sys.path, "/elsewhere"]),
        "another trtbuild": mock.patch.object(stamp, "__version__", "99"),
        "another user": mock.patch.object(os, "geteuid", return_value=4711),
        "another group": mock.patch.object(os, "getgroups", return_value=[4711]),
        "a variable": mock.patch.dict(os.environ, TRTBUILD_PYTHON_TENSORRT10="/usr/bin/python"),
        "where programs lie": mock.patch.dict(os.environ, PATH="/elsewhere"),
    }
    for change in others.values():
        with change:
            assert stamp.recall_answer(stamp.make_key(kept.answers["plan"][0])) is None
    with mock.patch.object(stamp.time, "time", return_value=1_000_000_000.0):
        assert stamp.recall_answer(key) is None  # the clock was set back
    assert stamp.recall_answer(key) is not None
