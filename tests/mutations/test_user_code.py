"""Whatever user code reads, lists, asks for or loads: what of it changes runs the code again."""

from __future__ import annotations

import shutil
import sys
import textwrap

import numpy as np
import pytest

from tests.helpers.projects import tiny_project
from trtbuild.core.errors import LockMismatch
from trtbuild.plan.lock import find_lock, write_lock
from trtbuild.recipe.load import load_recipe
from trtbuild.run.inline import Inline
from trtbuild.store.store import Store
from trtbuild.verbs.lock import compare_with_lock, lock_built
from trtbuild.verbs.plan import plan_recipe

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
STEP = "capture_data(calib)"


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


def linked(project):
    project.write("one/x.txt", 1)
    project.write("two/x.txt", 2)
    (project.folder / "data").symlink_to(project.folder / "one")
    project.code(f"value = float(Path({beside('../data/x.txt')}).read_text())")

    def change():
        (project.folder / "data").unlink()
        (project.folder / "data").symlink_to(project.folder / "two")

    return change


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
    declared_variable, declared_folder, without_python, by_a_program, linked, package_undeclared,
]  # fmt: skip


@pytest.fixture
def project(tmp_path, monkeypatch):
    return Project(tmp_path / "project", monkeypatch)


@pytest.fixture
def apply(tmp_path):
    from trtbuild.run.executor import QuietListener
    from trtbuild.verbs.apply import apply_recipe

    def applied(project, store):
        return apply_recipe(
            load_recipe(project.recipe),
            store,
            executor=Inline(),
            directory=tmp_path / "build",
            targets=(),
            listener=QuietListener(),
            pages={},
        )

    return applied


def verdict(project, store):
    found = plan_recipe(load_recipe(project.recipe), store, Inline(), targets=())
    return {each.step: each for each in found.decisions}


def made(applied):
    return {o.step: o.artifacts for o in applied.record.outcomes}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_is_never_stale(kind, project, apply, store, tmp_path):
    """A plan and a lock see the change; what comes of it is what a new store gives."""
    change = kind(project)
    apply(project, store)
    decided = verdict(project, store)
    assert {"reuse"} == {each.verdict for each in decided.values()}
    loaded = load_recipe(project.recipe)
    write_lock(find_lock(project.recipe), lock_built(loaded, store, Inline()))
    compare_with_lock(loaded, store, Inline())

    change()

    decided = verdict(project, store)
    assert "run" == decided[STEP].verdict
    assert any("observed" in reason.path for reason in decided[STEP].reasons)
    with pytest.raises(LockMismatch):
        compare_with_lock(loaded, Store(tmp_path / "empty"), Inline())
    if kind is folder_gone:
        return
    again, honest = apply(project, store), apply(project, Store(tmp_path / "new"))
    assert made(honest) == made(again)
    assert {"reuse"} == {each.verdict for each in verdict(project, store).values()}
