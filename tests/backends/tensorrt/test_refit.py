"""Engines refitted by a double, which has the real bindings' names; no GPU was ever here."""

from __future__ import annotations

import json

import pytest

from tests.conftest import GOLDEN
from tests.verbs.packaging.conftest import make_result
from trtbuild.core.digest import digest_of_bytes, digest_of_file
from trtbuild.core.records import TargetResult

KINDS = ["tensorrt10", "tensorrt11"]


@pytest.fixture
def refit(double, tmp_path):
    """Have a double carry out the step; returns its report, where it wrote, and its calls."""

    def run(kind, *, changed=("w",), **order):
        paths = {name: tmp_path / name for name in ("e.engine", "e.json", "m.onnx")}
        paths["e.engine"].write_bytes(b"engine")
        told = make_result("it", kind, "11.4", ("9.0",), b"engine")
        paths["e.json"].write_text(told.model_dump_json())
        paths["m.onnx"].write_bytes(b"model")
        (tmp_path / "out").mkdir()
        pinned = [{"path": str(path), "digest": digest_of_file(path)} for path in paths.values()]
        call = {
            "kind": "refit_engine",
            "flavour": kind,
            "engine": pinned[0],
            "result": pinned[1],
            "model": {"step": "quantize", "output": "model"},
            "changed": list(changed),
        }
        step = {
            "name": "build_engine(it)",
            "step": call,
            "inputs": {"quantize/model": str(paths["m.onnx"])},
            "out": str(tmp_path / "out"),
            "log": str(tmp_path / "log"),
        }
        found = double(kind, step=step, **order)
        return found["report"], tmp_path / "out", found["told"]

    return run


@pytest.mark.parametrize("kind", KINDS)
def test_an_engine_takes_the_weights_of_a_model(refit, kind):
    """It can be refitted again, and engine.json says what it was and is."""
    report, out, told = refit(kind, weights=["w", "b"])

    assert "" == report["message"]
    assert b"refitted" == (out / "model.engine").read_bytes()
    assert "ISerializationConfig.set_flag(INCLUDE_REFIT)" in told
    assert "Refitter.refit_cuda_engine()" in told
    found = TargetResult.model_validate_json((out / "engine.json").read_bytes())
    digests = [digest_of_bytes(each) for each in (b"refitted", b"model", b"engine")]
    assert digests == [found.engine_digest, found.model_digest, found.refitted_from]
    assert report["notes"][0].startswith("it: 1 of 2 weights that the engine lets be replaced")


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ({}, "the engine was not built to be refitted"),
        ({"weights": ["b"]}, "as it has folded them into others: w"),
        (
            {"weights": ["w"], "missing": ["v"]},
            "1 weights of the engine would stay as they were: v",
        ),
        ({"weights": ["w"], "refuses": ["odd"]}, "does not take the new weights: odd"),
    ],
)
def test_what_it_does_not_take_is_told(refit, order, said):
    """Nothing is written; the way out is a build."""
    report, out, _ = refit("tensorrt11", **order)

    assert said in report["message"]
    assert 3 == report["code"]
    assert report["hint"].startswith("build it anew")
    assert not (out / "model.engine").exists()


NAMES = {
    "ICudaEngine": (
        *("refittable", "create_serialization_config", "serialize_with_config"),
        *("get_engine_stat", "get_device_memory_size_for_profile_v2"),
    ),
    "Refitter": ("get_all_weights", "get_missing_weights", "refit_cuda_engine"),
    "OnnxParserRefitter": ("refit_from_file", "num_errors", "get_error"),
    "ISerializationConfig": ("set_flag",),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_called_is_in_the_real_bindings(kind):
    """As they are written down."""
    found = json.loads((GOLDEN / f"bindings/{kind}.json").read_text())

    assert {} == {
        owner: lacking
        for owner, names in NAMES.items()
        if (lacking := set(names) - set(found["classes"][owner]))
    }
    assert "INCLUDE_REFIT" in found["enums"]["SerializationFlag"]
