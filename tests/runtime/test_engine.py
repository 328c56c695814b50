"""Engine: models, bundles, arrays of every sort, threads."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.models import model_of
from tests.verbs.packaging.conftest import make_result
from trtbuild.core.errors import CorruptObject, MissingFile, UsageError
from trtbuild.runtime import Engine

DOUBLE = "net (float[n,2] x) => (float[n,2] y) { y = Add(x, x) }"
BINDINGS = Path(__file__).parents[1] / "golden/bindings"


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(model_of(DOUBLE).SerializeToString())
    return path


class Lent:
    """What another library has, lent by DLPack."""

    def __init__(self, array):
        self._array = array

    def __dlpack__(self, **options):
        return self._array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self._array.__dlpack_device__()


@pytest.mark.parametrize(
    "given",
    [
        np.float32([[1, 2]]),
        Lent(np.float32([[1, 2]])),
        np.float32([[1, 0, 2]])[:, ::2],
        np.asfortranarray(np.float32([[1, 2]])),
    ],
    ids=["array", "dlpack", "strided", "fortran"],
)
def test_a_model_runs_on_arrays_of_every_sort(model, given):
    """On the CPU, where it was asked to."""
    with Engine(model, device="cpu") as engine:
        np.testing.assert_array_equal([[2, 4]], engine.run({"x": given})["y"])
        assert "CPUExecutionProvider" in engine.described
        assert ("x", ("n", 2)) == (engine.inputs[0].name, engine.inputs[0].shape)


def test_a_copy_of_a_model_that_a_target_is_runs_as_the_model(model):
    """`kind: onnxruntime` leaves one, called as engines are; engine.json says so."""
    data, copy = model.read_bytes(), model.with_name("model.engine")
    copy.write_bytes(data)
    told = make_result("it", "onnxruntime", "1.0", ("cpu",), data)
    copy.with_name("engine.json").write_text(told.model_dump_json())

    with Engine(copy, device="cpu") as engine:
        assert [[2, 4]] == engine.run({"x": np.float32([[1, 2]])})["y"].tolist()


def test_threads_share_it(model):
    """Each gets the answer to what it asked."""
    wrong = []

    def ask(number):
        for each in range(20):
            array = np.full((3, 2), number + each, np.float32)
            if not np.array_equal(2 * array, engine.run({"x": array})["y"]):
                wrong.append(number)

    with Engine(model, device="cpu", threads=1) as engine:
        threads = [threading.Thread(target=ask, args=(100 * each,)) for each in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()

    assert [] == wrong


def test_a_closed_engine_says_so(model):
    """And can be closed twice."""
    engine = Engine(model, device="cpu")
    engine.close()
    engine.close()

    with pytest.raises(UsageError, match="is closed"):
        engine.run({"x": np.zeros((1, 2), "f")})


def test_what_is_no_engine_is_told(tmp_path, model):
    """What it could be, and what looks at it."""
    (tmp_path / "it").write_bytes(b"no plan")

    with pytest.raises(UsageError, match="is neither an engine nor an ONNX model"):
        Engine(tmp_path / "it")
    with pytest.raises(UsageError, match="is an engine, which no CPU runs"):
        Engine(tmp_path / "it", device="cpu")
    with pytest.raises(MissingFile, match="no such file"):
        Engine(tmp_path / "none.zip")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.onnx")
        with pytest.raises(MissingFile, match="is a pipe or a device"):
            Engine(tmp_path / "pipe.onnx")
    with pytest.raises(UsageError, match="`threads` is -1"):
        Engine(model, threads=-1)
    with pytest.raises(UsageError, match="`contexts` is 0"):
        Engine(model, contexts=0)
    with pytest.raises(UsageError, match="one of lazy, eager, none, not 'soon'"):
        Engine(model, specialize="soon")
    with pytest.raises(UsageError, match="one of auto, cpu, cuda, not 'gpu'"):
        Engine(model, device="gpu")


def test_every_call_is_in_the_bindings():
    """What feeds an engine asks for nothing that TensorRT 10, 11 or RTX lacks."""
    used = {
        "ICudaEngine": ["num_io_tensors", "get_tensor_name", "get_tensor_mode", "get_tensor_dtype",
                        "get_tensor_profile_shape", "num_optimization_profiles",
                        "create_execution_context", "is_shape_inference_io"],
        "IExecutionContext": ["set_input_shape", "get_tensor_shape", "get_max_output_size",
                              "set_tensor_address", "set_optimization_profile_async",
                              "execute_async_v3"],
        "Runtime": ["deserialize_cuda_engine", "get_plugin_registry", "engine_host_code_allowed"],
    }  # fmt: skip
    lacking = [
        f"{path.stem}: {owner}.{name}"
        for path in sorted(BINDINGS.glob("*.json"))
        for owner, names in used.items()
        for name in names
        if name not in json.loads(path.read_text())["classes"][owner]
    ]

    assert [] == lacking


def test_a_bundle_that_was_changed_is_refused(tmp_path):
    """By the digest of what would run."""
    folder = tmp_path / "b"
    (folder / "model").mkdir(parents=True)
    (folder / "model/m.onnx").write_bytes(b"other")
    told = {
        "name": "m",
        "inputs": [],
        "outputs": [],
        "model": {"file": "model/m.onnx", "digest": "sha256:0", "what": "m"},
        "engines": [],
    }
    (folder / "bundle.json").write_text(json.dumps(told))

    with pytest.raises(CorruptObject, match="is not what was packed"):
        Engine(folder)
