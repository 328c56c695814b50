"""Whatever user code reads, lists, asks for or loads: what of it changes runs the code again."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import sys
import textwrap
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.projects import tiny_project
from tests.helpers.typed import planned, typed
from trtbuild.core.errors import LockMismatch, StepFailed
from trtbuild.plan.explain import decide
from trtbuild.plan.lock import find_lock, write_lock
from trtbuild.recipe.load import load_recipe
from trtbuild.run.executor import QuietListener
from trtbuild.run.inline import Inline
from trtbuild.run.walk import walk_plan
from trtbuild.store.store import Store
from trtbuild.verbs.build import compile_for_machine
from trtbuild.verbs.lock import compare_with_lock, make_static_lock

RECIPE = """\
version: 1
name: tiny
model: {kind: onnx, path: model.onnx}
data:
  calib: {kind: python, entrypoint: "code/samples.py:samples"%s}
quantization: {data: calib, calibrator: {kind: minmax}}
targets:
  ort: {kind: onnxruntime}
"""
HEAD = """\
import os, subprocess, sys
from pathlib import Path
import numpy as np

def samples(**options):
"""
YIELD = """
    for _ in range(2):
        yield {"x": np.full([4], value, np.float32)}
"""
STEP, FIXED = "capture_data(calib)", "fix_graph"


class Project:
    """A tiny project whose samples come from code."""

    def __init__(self, folder, monkeypatch):
        self.folder, self.patch = folder, monkeypatch
        self.recipe = tiny_project(folder)

    def code(self, body, more=""):
        """Write the recipe and its code, which sets `value`."""
        self.recipe.write_text(RECIPE % more)
        lines = textwrap.indent(textwrap.dedent(body), "    ")
        self.write("code/samples.py", f"{HEAD}{lines}{YIELD}")

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(text))
        return path


def beside(name):
    return f"os.path.join(os.path.dirname(__file__), {name!r})"


def checkpoint(project):
    project.write("code/weights.txt", 1)
    project.code(f"value = float(Path({beside('weights.txt')}).read_text())")
    return lambda: project.write("code/weights.txt", 2)


def arrays(project):
    np.save(project.folder / "a.npy", np.float32(1))
    project.code(f"value = np.load({beside('../a.npy')})")
    return lambda: np.save(project.folder / "a.npy", np.float32(2))


def _folder(project):
    for number in range(3):
        project.write(f"photos/{number}.txt", number + 1)
    project.code(
        """
        from pathlib import Path
        value = sum(float(p.read_text()) for p in Path(options["at"]).glob("*.txt"))
        """,
        f', options: {{at: "{project.folder}/photos"}}',
    )


def picture_added(project):
    _folder(project)
    return lambda: project.write("photos/3.txt", 10)


def picture_removed(project):
    _folder(project)
    return (project.folder / "photos/1.txt").unlink


def picture_changed(project):
    _folder(project)
    return lambda: project.write("photos/1.txt", 10)


def folder_gone(project):
    _folder(project)
    return lambda: shutil.rmtree(project.folder / "photos")


def only_asked_for(project):
    project.code(f"value = 2 if os.path.exists({beside('flag')}) else 1")
    return lambda: project.write("code/flag", "")


def missing_read(project):
    project.code(
        f"""
        try:
            value = float(Path({beside("flag")}).read_text())
        except OSError:
            value = 1
        """
    )
    return lambda: project.write("code/flag", "3")


def inserted_path(project):
    project.write("lib/helper.py", "VALUE = 1\n")
    project.code(f"sys.path.insert(0, {beside('../lib')})\nimport helper\nvalue = helper.VALUE")
    return lambda: project.write("lib/helper.py", "VALUE = 2\n")


def inserted_path_shadowed(project):
    project.write("lib/helper.py", "VALUE = 1\n")
    (project.folder / "first").mkdir()
    project.code(
        f"sys.path[:0] = [{beside('../first')}, {beside('../lib')}]\n"
        "import helper\nvalue = helper.VALUE"
    )
    return lambda: project.write("first/helper.py", "VALUE = 2\n")


def shadowed_library(project):
    project.code("import colorsys\nvalue = getattr(colorsys, 'VALUE', 1)")
    return lambda: project.write("code/colorsys.py", "VALUE = 2\n")


def python_path(project):
    project.write("lib/far.py", "VALUE = 1\n")
    project.patch.setenv("PYTHONPATH", str(project.folder / "lib"))
    project.patch.syspath_prepend(project.folder / "lib")
    project.code("import far\nvalue = far.VALUE")
    return lambda: project.write("lib/far.py", "VALUE = 2\n")


def other_python_path(project):
    python_path(project)
    project.write("other/far.py", "VALUE = 3\n")

    def change():
        project.patch.setenv("PYTHONPATH", str(project.folder / "other"))
        project.patch.setattr(sys, "path", [str(project.folder / "other"), *sys.path])

    return change


def editable(project):
    """As setuptools makes them: a `.pth`, or a finder."""
    project.write("src/edited/__init__.py", "VALUE = 1\n")
    project.patch.setattr(sys, "path", [*sys.path, str(project.folder / "src")])
    project.code("import edited\nvalue = edited.VALUE")
    return lambda: project.write("src/edited/__init__.py", "VALUE = 2\n")


def by_name(project):
    project.write("code/plugins/one.py", "VALUE = 1\n")
    project.code(
        "import importlib\nvalue = importlib.import_module('plugins.' + options['name']).VALUE",
        ", options: {name: one}",
    )
    return lambda: project.write("code/plugins/one.py", "VALUE = 2\n")


def same_second_and_size(project):
    """A compiled module that Python would take for the new source."""
    import os

    path = project.write("code/helper.py", "VALUE = 1\n")
    project.code("import helper\nvalue = helper.VALUE")

    def change():
        before = path.stat()
        project.write("code/helper.py", "VALUE = 2\n")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    return change


def executed(project):
    project.write("code/settings.cfg", "value = 1\n")
    project.code(f"import runpy\nvalue = runpy.run_path({beside('settings.cfg')})['value']")
    return lambda: project.write("code/settings.cfg", "value = 2\n")


def forked(project):
    project.write("code/part.txt", 1)
    project.code(
        f"""
        read, write = os.pipe()
        if os.fork() == 0:
            os.write(write, Path({beside("part.txt")}).read_bytes())
            os._exit(0)
        os.wait()
        value = float(os.read(read, 9))
        """
    )
    return lambda: project.write("code/part.txt", 2)


def declared_variable(project):
    project.patch.setenv("MY_SCALE", "1")
    project.code("value = float(os.environ['MY_SCALE'])", ", environment: [MY_SCALE]")
    return lambda: project.patch.setenv("MY_SCALE", "2")


def given_variable(project):
    """Of those that every program is given: asked for by name, it counts."""
    project.patch.setenv("XDG_MY_SCALE", "1")
    project.code("value = float(os.getenv('XDG_MY_SCALE'))")
    return lambda: project.patch.setenv("XDG_MY_SCALE", "2")


def declared_folder(project):
    """Read by a library that says nothing of it."""
    project.write("photos/in/1.txt", 1)
    project.code(
        f"value = len(subprocess.check_output('cat {project.folder}/photos/in/*', shell=True))",
        ", files: [photos]",
    )
    return lambda: project.write("photos/in/2.txt", 22)


def without_python(project):
    """Read by a library of C."""
    project.write("photos/1.txt", 1)
    project.code(
        f"""
        import ctypes
        libc = ctypes.CDLL(None)
        libc.fopen.restype = ctypes.c_void_p
        file, data = libc.fopen({str(project.folder / "photos/1.txt").encode()!r}, b"r"), b" " * 9
        libc.fread(data, 1, 9, ctypes.c_void_p(file))
        libc.fclose(ctypes.c_void_p(file))
        value = float(data.strip())
        """
    )
    return lambda: project.write("photos/1.txt", 2)


def by_a_program(project):
    project.write("photos/1.txt", 1)
    project.code(
        f"value = float(subprocess.check_output(['cat', '{project.folder}/photos/1.txt']))"
    )
    return lambda: project.write("photos/1.txt", 2)


def compiled_module(project):
    """One of Python's own that nobody has loaded yet, copied beside the code."""
    there = sorted((Path(textwrap.__file__).parent / "lib-dynload").iterdir())
    found = next(path for path in there if path.name.partition(".")[0] not in sys.modules)
    path = project.folder / "code" / found.name
    project.code(f"import {found.name.partition('.')[0]}\nvalue = 1")
    shutil.copy(found, path)
    return lambda: path.write_bytes(path.read_bytes() + b" ")


def zipped(project):
    path = project.folder / "lib.zip"

    def packed(value):
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("within.py", f"VALUE = {value}")

    packed(1)
    project.code(f"sys.path.insert(0, {beside('../lib.zip')})\nimport within\nvalue = within.VALUE")
    return lambda: packed(2)


def database(project):
    def filled(value):
        with contextlib.closing(sqlite3.connect(project.folder / "d.db")) as base, base:
            base.execute("create table if not exists t (x)")
            base.execute("insert into t values (?)", [value])

    filled(1)
    project.code(
        f"import contextlib, sqlite3\npath = {beside('../d.db')}\n"  # noqa: S608  # our own
        "with contextlib.closing(sqlite3.connect(path)) as base:\n"
        "    value = base.execute('select sum(x) from t').fetchone()[0]"
    )
    return lambda: filled(2)


def linked(project):
    project.write("one/x.txt", 1)
    project.write("two/x.txt", 2)
    (project.folder / "data").symlink_to(project.folder / "one")
    project.code(f"value = float(Path({beside('../data/x.txt')}).read_text())")

    def change():
        (project.folder / "data").unlink()
        (project.folder / "data").symlink_to(project.folder / "two")

    return change


def newest(project):
    """Of several files, the one that was written last."""
    import os

    for number in (1, 2):
        path = project.write(f"runs/{number}.txt", number)
        os.utime(path, (1e9 + number, 1e9 + number))
    project.code(
        f"""
        there = Path({beside("../runs")}).iterdir()
        value = float(max(there, key=lambda path: path.stat().st_mtime).read_text())
        """
    )
    return lambda: os.utime(project.folder / "runs/1.txt", (1.1e9, 1.1e9))


def linked_name(project):
    (project.folder / "latest").symlink_to("epoch_1")
    project.code(f"value = float(os.readlink({beside('../latest')}).removeprefix('epoch_'))")

    def change():
        (project.folder / "latest").unlink()
        (project.folder / "latest").symlink_to("epoch_2")

    return change


def folder_made(project):
    """By the code itself, which then takes what others put there."""
    project.code(
        f"""
        there = Path({beside("../extra")})
        there.mkdir(exist_ok=True)
        value = 1 + len(list(there.iterdir()))
        """
    )
    return lambda: project.write("extra/1.txt", 1)


def inner_shadowed(project):
    """A module of a package that lies in two folders."""
    project.write("first/both/other.py", "")
    project.write("lib/both/helper.py", "VALUE = 1\n")
    project.code(
        f"sys.path[:0] = [{beside('../first')}, {beside('../lib')}]\n"
        "import both.helper\nvalue = both.helper.VALUE"
    )
    return lambda: project.write("first/both/helper.py", "VALUE = 2\n")


def entry_becomes_folder(project):
    """Told by `os.scandir`, which opens nothing."""
    path = project.write("photos/1.txt", 1)
    project.code(f"value = 1 + sum(e.is_dir() for e in os.scandir({beside('../photos')}))")

    def change():
        path.unlink()
        path.mkdir()

    return change


def entry_becomes_file(project):
    (project.folder / "photos/in").mkdir(parents=True)
    project.code(f"value = 1 + sum(len(files) for _, _, files in os.walk({beside('../photos')}))")

    def change():
        (project.folder / "photos/in").rmdir()
        project.write("photos/in", 1)

    return change


def entry_grows(project):
    """Asked by a function of its own, not by the one that lists."""
    project.write("photos/1.txt", 1)
    project.code(
        f"""
        def size(entry):
            return entry.stat().st_size
        value = sum(map(size, os.scandir({beside("../photos")})))
        """
    )
    return lambda: project.write("photos/1.txt", 11)


def may_be_run(project):
    path = project.write("code/tool.sh", 1)
    project.code(f"value = 2 if os.access({beside('tool.sh')}, os.X_OK) else 1")
    return lambda: path.chmod(0o755)


def asked_of_the_system(project):
    """As `os` itself does."""
    path = project.write("code/sized.bin", 1)
    project.code(f"import posix\nvalue = posix.stat({beside('sized.bin')}).st_size")
    return lambda: path.write_text("11")


def hidden_folder(project):
    """Read by a library of C, under a name that stands nowhere."""
    project.write("code/.cache/set/1.bin", 1)
    project.code(
        """
        import ctypes
        name = "/".join([os.path.dirname(__file__), ".ca" + "che", "set", f"{1}.bin"])
        libc = ctypes.CDLL(None)
        libc.fopen.restype = ctypes.c_void_p
        file, data = libc.fopen(name.encode(), b"r"), b" " * 9
        libc.fread(data, 1, 9, ctypes.c_void_p(file))
        libc.fclose(ctypes.c_void_p(file))
        value = float(data.strip())
        """
    )
    return lambda: project.write("code/.cache/set/1.bin", 2)


def package_undeclared(project):
    """One that nothing names, in a folder of installed ones."""
    site = project.folder / "venv/site-packages"
    project.write("venv/site-packages/watchedlib/__init__.py", "VALUE = 1\n")
    project.write(
        "venv/site-packages/watchedlib-1.0.dist-info/RECORD", "watchedlib/__init__.py,,\n"
    )
    project.patch.setattr(sys, "path", [*sys.path, str(site)])
    project.code("import watchedlib\nvalue = watchedlib.VALUE")

    def change():
        project.write("venv/site-packages/watchedlib/__init__.py", "VALUE = 2\n")
        (site / "watchedlib-1.0.dist-info").rename(site / "watchedlib-2.0.dist-info")

    return change


KINDS = [
    checkpoint, arrays, picture_added, picture_removed, picture_changed, folder_gone,
    only_asked_for, missing_read, inserted_path, inserted_path_shadowed, shadowed_library,
    python_path, other_python_path, editable, by_name, same_second_and_size, executed, forked,
    declared_variable, given_variable, declared_folder, without_python, by_a_program, linked,
    zipped, database, package_undeclared, newest, linked_name, folder_made, inner_shadowed,
    entry_becomes_folder, entry_becomes_file, entry_grows, may_be_run, asked_of_the_system,
    hidden_folder,
]  # fmt: skip


@pytest.fixture
def project(tmp_path, monkeypatch, store):
    monkeypatch.setenv("TRTBUILD_STORE", str(store.root))
    return Project(tmp_path / "project", monkeypatch)


def compiled(project, store, step=STEP):
    """Return the plan of the one step that runs code, and of those before it."""
    loaded = load_recipe(project.recipe)
    made, _ = compile_for_machine(loaded, store, Inline(), targets=(), fetch=False)
    return made.cut_after((step,))


def capture(project, store):
    """Run the code, where that is to be done, as a process of its own would."""
    store = Store(store.root)
    store.prepare()
    (outcome,) = walk_plan(compiled(project, store), store, Inline(), QuietListener())
    if outcome.message:
        raise StepFailed(outcome.message, step=STEP, hint=outcome.hint, code=outcome.code)
    return outcome


def decided(project, store):
    """Say what is to be done with the step."""
    store = Store(store.root)
    (decision,) = decide(compiled(project, store), store)
    return decision


def lock(project, store):
    loaded = load_recipe(project.recipe)
    made, _ = compile_for_machine(loaded, store, Inline(), targets=(), fetch=False)
    write_lock(find_lock(project.recipe), make_static_lock(loaded, made))
    return loaded


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_is_never_stale(kind, project, store, tmp_path, at_once):
    """Plan, kept answer and lock see the change; what comes of it is what a new store gives."""
    change = kind(project)
    capture(project, store)
    loaded = lock(project, store)
    compare_with_lock(loaded, Store(tmp_path / "empty"), Inline())
    assert "reuse" == planned(project.recipe)[STEP]
    assert typed("plan", "--format", "json", project.recipe).stamped

    change()

    assert "run" == planned(project.recipe)[STEP]
    if kind is not folder_gone:  # calibration data that is not here does not matter to a lock
        with pytest.raises(LockMismatch):
            compare_with_lock(loaded, Store(tmp_path / "empty"), Inline())
        again, honest = capture(project, store), capture(project, Store(tmp_path / "new"))
        assert honest.artifacts == again.artifacts
        assert "reuse" == planned(project.recipe)[STEP]


def test_a_compiled_module_beside_counts(project, store):
    """It is loaded once in a process: what it makes is not compared."""
    change = compiled_module(project)
    capture(project, store)
    assert "reuse" == decided(project, store).verdict

    change()

    assert "run" == decided(project, store).verdict


def test_what_was_there_before_comes_back_from_the_store(project, store):
    """One state, another, and the first again: it is known, and nothing runs."""
    change = checkpoint(project)
    capture(project, store)
    change()
    capture(project, store)
    checkpoint(project)

    assert "reuse" == decided(project, store).verdict


def test_a_reason_names_the_file(project, store):
    """A plan says which of the files that were read has changed."""
    change = picture_changed(project)
    capture(project, store)
    change()

    (reason,) = decided(project, store).reasons

    assert "observed.file photos/1.txt" == reason.path


def test_of_other_code_it_is_not_told_what_the_former_read(project, store):
    """What it will read is not known before it runs; that it is another is reason enough."""
    picture_changed(project)
    capture(project, store)
    project.code("value = 3.0")

    told = [reason.path for reason in decided(project, store).reasons]

    assert [] == [path for path in told if path.startswith("observed.")]
    assert told


def test_another_file_of_the_folder_of_the_code_does_not_matter(project, store):
    """What is neither read, listed nor asked for may change as it likes."""
    checkpoint(project)
    capture(project, store)
    project.write("code/notes.txt", "none of its business")
    project.write("photos/1.txt", 1)

    assert "reuse" == decided(project, store).verdict


def test_what_the_step_leaves_behind_does_not_matter(project, store):
    """A scratch folder of its own, a log that it writes: they are nobody's ingredients."""
    project.code(
        """
        import tempfile
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "x").write_text("1")
            value = float(Path(folder, "x").read_text())
        """
    )
    capture(project, store)

    assert "reuse" == decided(project, store).verdict


@pytest.mark.parametrize("how", ["a program", "in place"])
def test_a_file_that_changes_while_it_is_read_fails_the_step(how, project, store):
    """Though all its bytes and times are as before when the step ends: it was another file."""
    project.write("code/weights.txt", 1)
    project.write("code/other.txt", 2)
    path = project.folder / "code"
    swap = {
        "a program": f"cd {path} && mv weights.txt aside && cp -p other.txt weights.txt",
        "in place": f"cd {path} && cp weights.txt aside && cat other.txt > weights.txt",
    }[how]
    back = {
        "a program": f"cd {path} && mv aside weights.txt",
        "in place": f"cd {path} && cat aside > weights.txt && touch -r aside weights.txt",
    }[how]
    project.code(
        f"""
        subprocess.run({swap!r}, shell=True, check=True)
        value = float(Path({beside("weights.txt")}).read_text())
        subprocess.run({back!r}, shell=True, check=True)
        """
    )

    with pytest.raises(StepFailed, match=r"weights\.txt: was changed while it was read"):
        capture(project, store)


def test_a_variable_that_is_not_declared_is_not_given(project, store):
    """And the error says how to be given it."""
    project.patch.setenv("MY_SCALE", "1")
    project.code("value = float(os.environ['MY_SCALE'])")

    with pytest.raises(StepFailed, match="MY_SCALE") as failed:
        capture(project, store)

    assert "declare it under `environment:`" in failed.value.hint


def test_what_is_asked_of_the_environment_in_c_is_the_same_for_all(project, store):
    """A time zone that is not declared, say: in every one, the same comes of it."""
    project.code("import time\nvalue = time.localtime(0).tm_hour")
    made = set()
    for zone in ("UTC-3", "UTC-5"):
        project.patch.setenv("TZ", zone)
        made.add(capture(project, Store(project.folder.parent / zone)).artifacts)

    assert 1 == len(made)


def test_what_cannot_be_followed_is_said(project, store):
    """Of the network and of programs only that they were asked is known."""
    by_a_program(project)

    outcome = capture(project, store)

    assert ("starts programs",) == outcome.caveats
    told = "starts programs (cat): what they read is not part of the build's digest"
    assert (told,) == outcome.notes


def test_a_digest_does_not_depend_on_where_the_project_lies(project, store, tmp_path):
    """A copy elsewhere has nothing to do: names count from the recipe on."""
    checkpoint(project)
    capture(project, store)
    project.recipe = shutil.copytree(project.folder, tmp_path / "elsewhere") / "recipe.yaml"

    assert "reuse" == decided(project, store).verdict


def test_a_fix_in_python_is_code_like_any_other(project, store):
    """Its file is an ingredient, and so is what it reads."""
    project.code("value = 1.0")
    text = project.recipe.read_text()
    project.recipe.write_text(
        text.replace("\ndata:", '\nfixes: [{kind: python, entrypoint: "code/surgery.py:f"}]\ndata:')
    )
    project.write("code/name.txt", "renamed")
    surgery = project.write(
        "code/surgery.py",
        f"import os\nfrom pathlib import Path\n\ndef f(graph):\n    graph.nodes[-1].name = "
        f"Path({beside('name.txt')}).read_text()\n",
    )

    def verdict():
        return decide(compiled(project, store, FIXED), Store(store.root))[-1].verdict

    walk_plan(compiled(project, store, FIXED), store, Inline(), QuietListener())
    before = verdict()
    project.write("code/name.txt", "renamed_again")
    after = verdict()
    project.write("code/name.txt", "renamed")
    surgery.write_text(surgery.read_text() + "    graph.nodes[0].name = 'first'\n")

    assert ("reuse", "run", "run") == (before, after, verdict())
