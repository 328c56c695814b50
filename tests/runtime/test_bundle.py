"""A bundle, folder or archive, runs what is for the machine."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.helpers.models import model_of
from trtbuild.core.digest import digest_of_bytes
from trtbuild.core.errors import CorruptObject, UsageError
from trtbuild.runtime import Engine
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
    monkeypatch.setattr("trtbuild.runtime.bundle.Device", no_driver)
    if name.endswith(".zip"):
        write_archive(tmp_path / name, {f"m/{each}": data for each, data in files.items()})
    else:
        write_files(tmp_path / name, files)

    with Engine(tmp_path / name) as engine:
        assert ("there is no NVIDIA driver here",) == engine.why
        np.testing.assert_array_equal([[2, 4]], engine.run({"x": np.float32([[1, 2]])})["y"])


def no_driver():
    raise OSError


def test_a_gpu_that_is_demanded_and_not_there_is_an_error(files, tmp_path, monkeypatch):
    """With the reason for each engine."""
    write_files(tmp_path / "b", files)

    class Other:
        def find_capability(self):
            return "9.0"

    monkeypatch.setattr("trtbuild.runtime.bundle.Device", Other)
    with pytest.raises(UsageError, match=r"is for compute capability 8\.9, this GPU is 9\.0"):
        Engine(tmp_path / "b", device="cuda")


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 no archive", None])
def test_what_is_no_archive_is_refused(tmp_path, data):
    """Whatever ends in .zip."""
    if data is None:
        write_archive(tmp_path / "x.zip", {"a": b""})
    else:
        (tmp_path / "x.zip").write_bytes(data)

    with pytest.raises(CorruptObject, match=r"is no bundle|holds no bundle\.json"):
        Engine(tmp_path / "x.zip")
