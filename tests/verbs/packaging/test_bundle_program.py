"""The program in a bundle: what it picks, and what it says where nothing fits."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from trtbuild.verbs.packaging import bundle_program
from trtbuild.verbs.packaging.bundle_program import find_engine, main

ENGINES = [
    {"file": file, "backend": backend, "tensorrt": version, "compute_capabilities": ["8.9"]}
    for file, backend, version in (
        ("a", "tensorrt10", "10.16.1.11"),
        ("b", "tensorrt_rtx", "1.7.1.116"),
    )
]


@pytest.mark.parametrize(
    ("installed", "capability", "file", "why"),
    [
        ({"tensorrt": "10.16.1.11"}, "8.9", "a", []),
        ({"tensorrt": "11.4", "tensorrt_rtx": "1.7.1.116"}, "8.9", "b", ["not 11.4"]),
        ({}, "8.9", None, ["10.16.1.11, which is not installed", "tensorrt_rtx 1.7.1.116, which"]),
        ({"tensorrt": "10.16.1.11"}, "9.0", None, ["capability 8.9, this GPU is 9.0"] * 2),
    ],
)
def test_the_engine_for_the_device_is_picked(monkeypatch, installed, capability, file, why):
    """By compute capability and the very version; what is none says why."""
    for name in ("tensorrt", "tensorrt_rtx"):
        module = SimpleNamespace(__version__=installed[name]) if name in installed else None
        monkeypatch.setitem(sys.modules, name, module)

    engine, _, told = find_engine({"engines": ENGINES}, capability)

    assert file == (engine and engine["file"])
    assert len(why) == len(told)
    assert all(part in line for part, line in zip(why, told, strict=True))


def test_arrays_that_cannot_be_read_are_told(tmp_path, monkeypatch):
    """In a sentence: another name, another format, nothing."""
    index = {"inputs": [{"name": "x"}], "model": {"file": "m.onnx"}}
    (tmp_path / "bundle.json").write_text(json.dumps(index))
    monkeypatch.setattr(bundle_program, "HERE", tmp_path)
    np.savez(tmp_path / "other.npz", y=np.zeros(1))
    np.save(tmp_path / "array.npy", np.zeros(1))
    (tmp_path / "text.npz").write_text("no arrays")

    for name in ("other.npz", "array.npy", "text.npz", "none.npz"):
        with pytest.raises(SystemExit, match=rf"error: .*{name}"):
            main(["--onnx", str(tmp_path / name)])


def test_it_speaks_tensorrts_own_interface():
    """Every name that it asks of TensorRT is there: in stubs of 10 and 11, and in RTX."""
    trt = pytest.importorskip("tensorrt_rtx_bindings")
    engine, context = trt.ICudaEngine, trt.IExecutionContext

    for owner, names in {
        trt: ["Runtime", "Logger", "TensorIOMode", "nptype"],
        trt.Runtime: ["deserialize_cuda_engine"],
        engine: ["create_execution_context", "get_tensor_name", "get_tensor_mode",
                 "get_tensor_dtype", "num_io_tensors"],
        context: ["set_input_shape", "get_tensor_shape", "set_tensor_address", "execute_async_v3"],
    }.items():  # fmt: skip
        assert [] == [name for name in names if not hasattr(owner, name)]
