"""A built model, fed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.models import model_of
from tests.run.test_inspection import beside
from trtbuild.core.digest import digest_of_file
from trtbuild.core.errors import MissingFile, StepInputError
from trtbuild.run.feeding import run_model

MODEL = "net (float[n, 2] x) => (float[n, 2] y) { y = Add(x, x) }"
ONES = np.ones((3, 2), np.float32)


@pytest.fixture
def built(tmp_path):
    """A recipe that is built: its model, an engine and its engine.json."""
    (tmp_path / "r.yaml").write_text(
        "version: 1\nname: small\nmodel: {kind: onnx, path: m.onnx}\n"
        "targets: {it: {kind: onnxruntime}}\n"
    )
    model = tmp_path / "build/small/model.fp32.onnx"
    engine = tmp_path / "build/small/it/model.engine"
    engine.parent.mkdir(parents=True)
    model.write_bytes(model_of(MODEL).SerializeToString())
    engine.write_bytes(b"engine")
    beside(engine, model_digest=digest_of_file(model))
    np.savez(tmp_path / "x.npz", x=ONES)
    return tmp_path


@pytest.mark.parametrize("what", ["r.yaml", "build/small/it/model.engine"])
def test_a_recipe_or_an_engine_runs_by_its_model(built, what):
    """In ONNX Runtime, and it says that this is not the engine."""
    ran = run_model(built / what, built / "x.npz", build_dir=built / "build")

    assert (2 * ONES == ran.outputs["y"]).all()
    assert "not the engine itself" in ran.told


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"z": ONES}, "`z` is no input of model.fp32.onnx, which has x"),
        ({}, "there is no array for the input `x`"),
        ({"x": ONES[:, :1]}, r"`x` is float32 \[3, 1\]; the model takes float32 \[n, 2\]"),
        ({"x": ONES.astype(np.float64)}, "`x` is float64"),
    ],
)
def test_arrays_that_do_not_fit_are_named(built, arrays, message):
    """Before ONNX Runtime sees them."""
    np.savez(built / "x.npz", **arrays)

    with pytest.raises(StepInputError, match=message):
        run_model(built / "r.yaml", built / "x.npz", build_dir=built / "build")


def test_what_is_not_there_is_told(built):
    """No model, no engine, no input, no arrays in it."""
    for what, inputs, folder in (
        ("r.yaml", "x.npz", "elsewhere"),
        ("gone.engine", "x.npz", "build"),
        ("r.yaml", "gone.npz", "build"),
    ):
        with pytest.raises(MissingFile):
            run_model(built / what, built / inputs, build_dir=built / folder)
    (built / "x.npz").write_bytes(b"no archive")
    with pytest.raises(StepInputError, match="is no npz file"):
        run_model(built / "r.yaml", built / "x.npz", build_dir=built / "build")


def test_an_engine_whose_model_is_gone_cannot_be_run_here(built):
    """Another model in its place is not taken for it."""
    (built / "build/small/model.fp32.onnx").write_bytes(b"another")

    with pytest.raises(MissingFile, match="does not lie beside it"):
        run_model(built / "build/small/it/model.engine", built / "x.npz", build_dir=built)
