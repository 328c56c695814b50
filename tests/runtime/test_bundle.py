"""A bundle, folder or archive, runs what is for the machine."""

from __future__ import annotations

import errno
import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from tests.helpers.models import model_of
from trtbuild.core.digest import digest_of_bytes
from trtbuild.core.errors import CorruptObject, NotWritable, UsageError
from trtbuild.machine.facts import Gpu
from trtbuild.runtime import Engine
from trtbuild.runtime.bundle import OpenBundle
from trtbuild.verbs.packaging.writing import write_archive, write_files

DOUBLE = "net (float[n,2] x) => (float[n,2] y) { y = Add(x, x) }"


@pytest.fixture
def files():
    model = model_of(DOUBLE).SerializeToString()
    engine = {
        "file": "engines/a/model.engine",
        "digest": "sha256:0",
        "target": "a",
        "backend": "tensorrt10",
        "tensorrt": "10.1",
        "compute_capabilities": ["8.9"],
        "profiles": [],
    }
    index = {
        "name": "m",
        "inputs": [],
        "outputs": [],
        "model": {"file": "model/m.onnx", "digest": digest_of_bytes(model), "what": "m"},
        "engines": [engine],
    }
    return {"bundle.json": json.dumps(index).encode(), "model/m.onnx": model}


@pytest.mark.parametrize("name", ["b", "b.zip"])
def test_without_a_gpu_its_model_runs_and_says_why(files, tmp_path, name, monkeypatch):
    """Whether a folder or an archive, which is unpacked for as long as it is open."""
    monkeypatch.setattr("trtbuild.runtime.bundle.list_gpus", tuple)
    if name.endswith(".zip"):
        write_archive(tmp_path / name, {f"m/{each}": data for each, data in files.items()})
    else:
        write_files(tmp_path / name, files)

    with Engine(tmp_path / name) as engine:
        assert ("there is no NVIDIA GPU with a driver here",) == engine.why
        assert engine.described.startswith(f"{tmp_path / name}/model/m.onnx in ONNX Runtime")
        np.testing.assert_array_equal([[2, 4]], engine.run({"x": np.float32([[1, 2]])})["y"])


@pytest.mark.parametrize(
    ("installed", "capability", "why"),
    [
        ("10.1", "9.0", r"is for compute capability 8\.9, and this GPU is 9\.0"),
        ("10.2", "8.9", r"needs TensorRT 10\.1, and 10\.2 is here"),
        (None, "8.9", r"needs TensorRT 10\.1: TensorRT 10 cannot be loaded"),
    ],
)
def test_a_gpu_that_is_demanded_and_not_there_is_an_error(
    files, tmp_path, monkeypatch, installed, capability, why
):
    """With the reason for each engine."""
    write_files(tmp_path / "b", files)
    made_up(monkeypatch, installed, capability)

    with pytest.raises(UsageError, match=why):
        Engine(tmp_path / "b", device="cuda")


@pytest.mark.parametrize(("here", "runs"), [("10.9", True), ("10.0", False)])
def test_a_version_compatible_engine_is_for_newer_versions_too(
    files, tmp_path, monkeypatch, here, runs
):
    """And for no older ones."""
    index = json.loads(files["bundle.json"])
    told = {"version_compatible": True, "digest": digest_of_bytes(b"engine")}
    index["engines"][0] |= told
    files |= {"bundle.json": json.dumps(index).encode(), "engines/a/model.engine": b"engine"}
    write_files(tmp_path / "b", files)
    made_up(monkeypatch, here, "8.9")

    assert runs == (OpenBundle(tmp_path / "b").find_engine(demanded=False) is not None)


def made_up(monkeypatch, version, capability):
    """Make up a GPU, and a TensorRT; without a version, none."""
    gpus = (Gpu("made up", capability),)
    monkeypatch.setattr("trtbuild.runtime.bundle.list_gpus", lambda: gpus)
    module = SimpleNamespace(__version__=version) if version else None
    for name in ("tensorrt", "tensorrt_bindings"):
        monkeypatch.setitem(sys.modules, name, module)


@pytest.mark.parametrize(
    ("given", "used"),
    [({}, (False, "eager", "k")), ({"graphs": True, "cache": "c"}, (True, "eager", "c"))],
)
def test_an_engine_runs_as_the_recipe_says(files, tmp_path, monkeypatch, given, used):
    """By the index; what the program says itself counts more. A cache lies beside the bundle."""
    index = json.loads(files["bundle.json"])
    index["engines"][0] |= {
        "digest": digest_of_bytes(b"engine"),
        "runtime": {"graphs": False, "specialize": "eager", "cache": "k"},
    }
    files |= {"bundle.json": json.dumps(index).encode(), "engines/a/model.engine": b"engine"}
    write_files(tmp_path / "b", files)
    made_up(monkeypatch, "10.1", "8.9")
    uses = []
    monkeypatch.setattr("trtbuild.runtime.trt_runner.TrtRunner", lambda *each: uses.append(each))
    monkeypatch.chdir(tmp_path)
    Engine("b", **given)

    ((engine, kind, use),) = uses
    assert ("b/engines/a/model.engine", "tensorrt10") == (engine.as_posix(), kind)
    assert used == (use.graphs, use.specialize, use.cache.name)
    assert use.cache.absolute().parent == tmp_path


def test_a_folder_of_bundles_is_none(files, tmp_path):
    """It names those that are in it."""
    write_files(tmp_path / "all/one", files)

    with pytest.raises(UsageError, match="is a folder, and no bundle") as caught:
        Engine(tmp_path / "all")
    assert f"bundles in it: {tmp_path / 'all/one'}" == caught.value.hint


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 no archive", None])
def test_what_is_no_archive_is_refused(tmp_path, data):
    """Whatever ends in .zip."""
    if data is None:
        write_archive(tmp_path / "x.zip", {"a": b""})
    else:
        (tmp_path / "x.zip").write_bytes(data)

    with pytest.raises(CorruptObject, match=r"is no bundle|holds no bundle\.json"):
        Engine(tmp_path / "x.zip")


@pytest.mark.parametrize(
    ("mark", "place", "value"),
    [(b"bundle.json", 11, 0xFF), (b"PK\x01\x02", 8, 1), (b"PK\x01\x02", 10, 99)],
)
def test_a_damaged_archive_is_refused(tmp_path, mark, place, value):
    """In an entry's data, its flags, or its way of compression: each another error of zipfile."""
    path = tmp_path / "b.zip"
    write_archive(path, {"m/bundle.json": b"{}" * 99})
    data = bytearray(path.read_bytes())
    data[data.index(mark) + place] = value
    path.write_bytes(data)

    with pytest.raises(CorruptObject, match="is no bundle"):
        OpenBundle(path)


def test_an_archive_that_finds_no_room_is_not_called_damaged(files, tmp_path, monkeypatch):
    """Copying it again would not help."""
    write_archive(tmp_path / "b.zip", {f"m/{each}": data for each, data in files.items()})

    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("zipfile.ZipFile.extractall", fail)
    with pytest.raises(NotWritable, match="cannot be unpacked: No space left"):
        OpenBundle(tmp_path / "b.zip")


def test_what_was_unpacked_goes_though_the_engine_ends_in_an_error(files, tmp_path, monkeypatch):
    """As where what was compiled cannot be kept."""
    write_archive(tmp_path / "b.zip", {f"m/{each}": data for each, data in files.items()})
    engine = Engine(tmp_path / "b.zip", device="cpu")

    def fail():
        raise NotWritable("cache")

    monkeypatch.setattr(engine._runner, "close", fail)
    folder = engine._bundle.folder
    with pytest.raises(NotWritable):
        engine.close()
    assert not folder.exists()


def change(files, **more):
    index = json.loads(files["bundle.json"])
    index["model"] |= more
    return files | {"bundle.json": json.dumps(index).encode()}


@pytest.mark.parametrize("file", ["../m.onnx", "{outside}", "link.onnx"])
def test_a_file_outside_of_the_bundle_is_not_run(files, tmp_path, file):
    """Whatever its digest: it was not packed."""
    outside = tmp_path / "m.onnx"
    outside.write_bytes(files["model/m.onnx"])
    write_files(tmp_path / "b", change(files, file=file.format(outside=outside)))
    (tmp_path / "b/link.onnx").symlink_to(outside)

    with pytest.raises(CorruptObject, match=r"which is not in the bundle"):
        OpenBundle(tmp_path / "b")


def test_weights_are_what_was_packed(files, tmp_path):
    """Like the model that names them."""
    more = {"weights": "model/w", "weights_digest": digest_of_bytes(b"weights")}
    write_files(tmp_path / "b", change(files, **more) | {"model/w": b"weights"})
    OpenBundle(tmp_path / "b").close()
    (tmp_path / "b/model/w").write_bytes(b"others!")

    with pytest.raises(CorruptObject, match="model/w is not what was packed"):
        OpenBundle(tmp_path / "b")


@pytest.mark.parametrize(
    ("more", "told", "hint"),
    [
        ({"file": "model/none.onnx"}, r"b: holds no model/none\.onnx", "copy the bundle"),
        ({"file": "model"}, "b: holds no model", "copy the bundle"),
        ({"new": 1}, r"b: bundle\.json was written by another trtbuild", "pack it again"),
    ],
)
def test_what_is_lacking_or_new_is_told_of_the_bundle(files, tmp_path, more, told, hint):
    """And not of where it was unpacked, or of a store."""
    write_files(tmp_path / "b", change(files, **more))

    with pytest.raises(CorruptObject, match=told) as raised:
        OpenBundle(tmp_path / "b")
    assert hint in raised.value.hint


def test_an_archive_of_two_bundles_is_told(files, tmp_path):
    """One is run."""
    write_archive(tmp_path / "b.zip", {f"{n}/{each}": files[each] for n in "ab" for each in files})

    with pytest.raises(CorruptObject, match="holds 2 bundles"):
        OpenBundle(tmp_path / "b.zip")


def test_an_engine_of_an_unknown_kind_is_for_no_machine(files, tmp_path, monkeypatch):
    """A newer trtbuild's, say."""
    index = json.loads(files["bundle.json"])
    index["engines"][0]["backend"] = "tensorrt99"
    write_files(tmp_path / "b", files | {"bundle.json": json.dumps(index).encode()})
    made_up(monkeypatch, "10.1", "8.9")
    bundle = OpenBundle(tmp_path / "b")

    assert bundle.find_engine(demanded=False) is None
    assert "is of tensorrt99, which this trtbuild does not know" in bundle.why[0]
