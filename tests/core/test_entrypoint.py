"""Entrypoints: their sources are found without running them, their callables loaded fresh."""

from __future__ import annotations

import subprocess
import sys

import pytest

from trtbuild.core.entrypoint import find_source_files, load_entrypoint
from trtbuild.core.errors import MissingDependency, MissingFile, UsageError


@pytest.fixture(autouse=True)
def _imports_as_they_were(monkeypatch):
    """What a test puts on the import path or loads is gone after it."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.fixture
def write(tmp_path):
    """Write a file below the temporary folder."""

    def to(name: str, text: str):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return to


def names(entrypoint, base):
    return [str(file.relative_to(base)) for file in find_source_files(entrypoint, base)]


@pytest.mark.parametrize(
    "text", ["resnet50", "a.py", "a.py:", ":name", "a.py:two words", "a b:c", "a..b:c", "a/b:c"]
)
def test_a_malformed_entrypoint_says_how_to_write_one(tmp_path, text):
    """The hint shows both forms."""
    with pytest.raises(UsageError, match="is not an entrypoint") as caught:
        find_source_files(text, tmp_path)
    assert "path/to/file.py:callable or package.module:callable" in caught.value.hint


def test_a_file_alone_is_its_own_source(write, tmp_path):
    """Installed libraries are facts, not sources."""
    write("models/net.py", "import torch, json\nfrom numpy import array\n")

    assert ["models/net.py"] == names("models/net.py:make", tmp_path)


def test_modules_beside_it_are_sources_however_imported(write, tmp_path):
    """Plain, from, inside functions, packages with all on the way, and what those import."""
    write("m/net.py", "import a\nfrom b import x\nfrom p.q import r\ndef f():\n import late\n")
    write("m/a.py", "import deeper")
    write("m/b.py", "")
    write("m/deeper.py", "import net")
    write("m/late.py", "")
    write("m/p/__init__.py", "from . import side")
    write("m/p/side.py", "from .more import y")
    write("m/p/more.py", "from .. import elsewhere")
    write("m/p/q/__init__.py", "")
    write("m/p/q/r.py", "from ..up import z")
    write("m/p/up.py", "")
    write("m/unrelated.py", "")
    found = names("m/net.py:make", tmp_path)

    assert "m/net.py" == found[0]
    assert sorted(
        f"m/{name}.py"
        for name in ("a", "b", "deeper", "late", "p/__init__", "p/side", "p/more",
                     "p/q/__init__", "p/q/r", "p/up")
    ) == found[1:]  # fmt: skip


def test_finding_sources_runs_nothing(write, tmp_path, monkeypatch):
    """Neither a file nor the package around a module is executed, however broken."""
    monkeypatch.syspath_prepend(tmp_path)
    write("loud/__init__.py", "raise SystemExit('ran')")
    write("loud/net.py", "raise SystemExit('ran')")
    write("broken.py", "def (")

    assert ["loud/net.py", "loud/__init__.py"] == names("loud.net:make", tmp_path)
    assert ["loud/net.py"] == names("loud/net.py:make", tmp_path)
    assert ["broken.py"] == names("broken.py:make", tmp_path)
    assert "loud" not in sys.modules


def test_a_module_is_found_with_its_package(write, tmp_path, monkeypatch):
    """`package.module:callable`: sources are looked up from where the package lies."""
    monkeypatch.syspath_prepend(tmp_path)
    write("pack/__init__.py", "")
    write("pack/net.py", "from pack.layers import x\nfrom .blocks import y")
    write("pack/layers.py", "")
    write("pack/blocks.py", "")
    write("spaced/deep/net.py", "")

    assert ["pack/net.py", "pack/__init__.py", "pack/blocks.py", "pack/layers.py"] == names(
        "pack.net:make", tmp_path
    )
    assert ["spaced/deep/net.py"] == names("spaced.deep.net:make", tmp_path)


def test_an_installed_module_is_its_own_file_alone(tmp_path):
    """The rest of its package is a version."""
    files = find_source_files("onnx.helper:make_node", tmp_path)

    assert ["helper.py"] == [file.name for file in files]


@pytest.mark.parametrize("place", ["gone.py", "folder.py", "no_such_package.net", "json.gone"])
def test_a_missing_place_is_a_missing_file(tmp_path, place):
    """Files, folders with such a name, packages and modules in packages alike."""
    (tmp_path / "folder.py").mkdir()

    with pytest.raises(MissingFile, match="no such"):
        find_source_files(f"{place}:make", tmp_path)
    with pytest.raises(MissingFile, match="no such"):
        load_entrypoint(f"{place}:make", tmp_path)


def test_the_callable_is_loaded_with_what_lies_beside_it(write, tmp_path):
    """Also what it imports only when it is called."""
    write("m/net.py", "def make(n):\n    from beside import factor\n    return n * factor\n")
    write("m/beside.py", "factor = 7\n")
    make = load_entrypoint("m/net.py:make", tmp_path)

    assert 21 == make(3)


def test_a_module_of_a_package_is_loaded(write, tmp_path, monkeypatch):
    """By its name, relative imports and all."""
    monkeypatch.syspath_prepend(tmp_path)
    write("pack/__init__.py", "")
    write("pack/net.py", "from .beside import factor\ndef make(n):\n    return n * factor\n")
    write("pack/beside.py", "factor = 7\n")

    assert 21 == load_entrypoint("pack.net:make", tmp_path)(3)


def test_an_edit_is_seen_at_once(write, tmp_path):
    """In one process, within one second, with the same size: no stale module, no bytecode."""
    write("m/net.py", "from beside import factor\ndef make():\n    return factor\n")
    write("m/beside.py", "factor = 1\n")
    before = load_entrypoint("m/net.py:make", tmp_path)()
    write("m/beside.py", "factor = 2\n")
    after = load_entrypoint("m/net.py:make", tmp_path)()

    assert (1, 2) == (before, after)
    assert not list(tmp_path.rglob("__pycache__"))


def test_folders_do_not_borrow_each_others_modules(write, tmp_path):
    """Two recipes may both have a `beside.py`."""
    for name, value in (("one", 1), ("two", 2)):
        write(f"{name}/net.py", "import beside\ndef make():\n    return beside.value\n")
        write(f"{name}/beside.py", f"value = {value}\n")
    found = [load_entrypoint(f"{name}/net.py:make", tmp_path)() for name in ("one", "two", "one")]

    assert [1, 2, 1] == found


def test_a_file_may_be_called_like_a_library(write, tmp_path):
    """`json.py` as an entrypoint takes nothing away from json."""
    import json

    write("json.py", "def make():\n    return 'mine'\n")

    assert "mine" == load_entrypoint("json.py:make", tmp_path)()
    assert json is sys.modules["json"]


def test_a_missing_callable_lists_those_there(write, tmp_path):
    """Private ones and imported ones are left out."""
    write("net.py", "from json import loads\ndef big(): ...\ndef small(): ...\ndef _no(): ...\n")

    with pytest.raises(UsageError, match=r"net\.py has no callable `huge`") as caught:
        load_entrypoint("net.py:huge", tmp_path)
    assert "callables there: big, small" == caught.value.hint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def (", r"net\.py:1: invalid syntax"),
        ("1 / 0", "importing it fails: ZeroDivisionError: division by zero"),
        ("from json import nothing", "importing it fails: ImportError: cannot import name"),
        ("make = 3", "has no callable `make`"),
    ],
)
def test_code_that_does_not_load_says_why(write, tmp_path, text, message):
    """One sentence, no traceback."""
    write("net.py", text)

    with pytest.raises(UsageError, match=message):
        load_entrypoint("net.py:make", tmp_path)


def test_a_missing_library_is_named(write, tmp_path):
    """With the command that installs it."""
    write("net.py", "import no_such_library.part")

    with pytest.raises(MissingDependency, match="`no_such_library`") as caught:
        load_entrypoint("net.py:make", tmp_path)
    assert caught.value.hint.startswith("pip install no_such_library")


def test_finding_sources_is_cheap(tmp_path):
    """A plan does it every time: torch, onnx and numpy stay out."""
    (tmp_path / "net.py").write_text("import torch")
    code = (
        "import sys; from pathlib import Path; "
        "from trtbuild.core.entrypoint import find_source_files;"
        f"find_source_files('net.py:make', Path({str(tmp_path)!r})); print(*sys.modules)"
    )
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split()

    assert set() == {"torch", "onnx", "numpy", "pydantic"} & set(loaded)
