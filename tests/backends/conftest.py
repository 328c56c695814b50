"""TensorRT 10 and 11 where there is neither: doubles, and real bindings over stub libraries."""

from __future__ import annotations

import json

import pytest

from tests.conftest import GOLDEN
from tests.helpers.bindings import Unavailable, bindings, cuda_runtime
from tests.helpers.qdq import layer
from tests.helpers.trt_doubles import Doubles


@pytest.fixture(scope="session")
def doubles():
    """Return the processes that carry out the orders of all tests."""
    made = Doubles()
    yield made
    made.close()


@pytest.fixture
def double(doubles, tmp_path):
    """Have a double of TensorRT 10 or 11 build; returns what it was told and what came of it."""

    def run(kind, model=None, *, options=None, libraries="", **order):
        path = tmp_path / "model.onnx"
        path.write_bytes((layer() if model is None else model).SerializeToString())
        order |= {
            "surface": str(GOLDEN / "bindings" / f"{kind}.json"),
            "target": {"kind": kind, **(options or {})},
            "model": str(path),
            "engine": str(tmp_path / "model.engine"),
            "result": str(tmp_path / "result.json"),
        }
        (tmp_path / "order.json").write_text(json.dumps(order))
        doubles.carry_out(tmp_path / "order.json", str(libraries))
        return json.loads((tmp_path / "result.json").read_text())

    return run


@pytest.fixture(scope="session")
def cuda(tmp_path_factory):
    """Return the folder of a CUDA runtime whose device is the host."""
    try:
        return cuda_runtime(tmp_path_factory.mktemp("cuda"))
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def real(request):
    """Return the real bindings of TensorRT 10 or 11; skips where they cannot be had."""
    cache = getattr(request.config, "cache", None)  # none where the plug-in is off
    folder = (
        request.getfixturevalue("tmp_path_factory").mktemp("trt-bindings")
        if cache is None
        else cache.mkdir("trt-bindings")
    )

    def found(major):
        try:
            return bindings(major, folder)
        except Unavailable as reason:
            pytest.skip(str(reason))

    return found
