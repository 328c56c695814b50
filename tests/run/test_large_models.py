"""Models over 2 GB: the same results, with the weights in a file beside each model."""

from __future__ import annotations

import numpy as np
import onnx
import onnx.printer
import pytest

from tests.helpers.models import model_of
from trtbuild.core.errors import StepFailed
from trtbuild.core.records import Comparison
from trtbuild.model import onnx_file
from trtbuild.recipe.load import load_recipe
from trtbuild.run.executor import QuietListener
from trtbuild.run.inline import Inline
from trtbuild.store.store import Store
from trtbuild.verbs.build import build_plan, compile_for_machine
from trtbuild.verbs.deliver import deliver_files
from trtbuild.verbs.result_places import list_placed_files

WIDTH = 160  # a weight of 25 KB in INT8: large enough to lie in a file
MODEL = """<ir_version: 7, opset_import: ["" : 12]>
g (float[n, 160] x) => (float[n, 160] y) {
  h = Gemm (x, w, b)
  s = BatchNormalization <epsilon: float = 1.0> (h, gain, shift, mean, spread)
  r = Relu (s)  v2 = Identity (v)
  y = MatMul (r, v2)
}"""
RECIPE = """\
version: 1
name: large
model: {{kind: onnx, path: model.onnx}}
fixes: [{{kind: drop_identity}}, {{kind: fold_constants}}, {{kind: fold_batchnorm}}]
data:
  calib: {{kind: arrays, path: x.npy, input: x}}
  eval: {{kind: arrays, path: z.npy, input: x}}
quantization:
  data: calib
  calibrator: {{kind: minmax}}
  high_precision: {high}
profiles: [{{x: {{min: [1, 160], opt: [2, 160], max: [4, 160]}}}}]
targets:
  {target}
compare: {{data: eval, metrics: [sqnr_db]}}
"""


def whole(*shape, seed):
    """Return small integers: their sums are exact in any order, by any kernel."""
    return np.random.default_rng(seed).integers(-3, 4, shape).astype(np.float32)


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Build a small model, whose weights are external data, with another limit."""

    def run(limit_bytes, *, high="fp32", target="ort: {kind: onnxruntime}", upto=("compare",)):
        folder = tmp_path / f"{limit_bytes}-{high}"
        folder.mkdir()
        weights = {name: whole(WIDTH, WIDTH, seed=i) for i, name in enumerate("wv")}
        weights |= {name: whole(WIDTH, seed=i) for i, name in enumerate(("b", "shift", "mean"))}
        weights |= {"gain": np.full(WIDTH, 0.5, "f"), "spread": np.full(WIDTH, 3, "f")}
        model = model_of(MODEL, weights)
        onnx.save(model, folder / "model.onnx", save_as_external_data=True, location="model.data")
        np.save(folder / "x.npy", whole(4, WIDTH, seed=7))
        np.save(folder / "z.npy", whole(4, WIDTH, seed=6))
        (folder / "recipe.yaml").write_text(RECIPE.format(high=high, target=target))
        monkeypatch.setattr(onnx_file, "LIMIT_BYTES", limit_bytes)
        store, loaded = Store(folder / "store"), load_recipe(folder / "recipe.yaml")
        store.prepare()
        plan, _ = compile_for_machine(loaded, store, Inline(), targets=(), fetch=False)
        outcomes = build_plan(loaded, plan.cut_after(upto), store, Inline(), QuietListener())
        place = folder / "build"
        place.mkdir()
        artifacts = list_placed_files(outcomes, loaded.recipe)
        deliver_files(place, store, artifacts=artifacts, pages={}, basis="", whole=True)
        return place

    return run


def told(path):
    """Return a model with all its weights, wherever they lay."""
    model = onnx.load(path)
    del model.metadata_props[:]
    tensors = sorted(model.graph.initializer, key=lambda tensor: tensor.name)
    kept = [onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(t), t.name) for t in tensors]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    return onnx.printer.to_text(model), [tensor.raw_data for tensor in kept]


def measured(place):
    found = Comparison.model_validate_json((place / "comparison.json").read_bytes())
    return found.measures[0].value


@pytest.mark.parametrize("high", ["fp32", "fp16"])
def test_a_large_model_is_quantized_as_a_small_one_is(made, high):
    """Ranges, numbers and comparison are equal; only where the weights lie differs."""
    one, split = made(2**31, high=high), made(50_000, high=high)

    assert (one / "ranges.json").read_bytes() == (split / "ranges.json").read_bytes()
    assert measured(one) == pytest.approx(measured(split), abs=1e-4)  # other kernels, last bits
    for name in ("model.fp32.onnx", "model.int8.onnx"):
        assert told(one / name) == told(split / name)


def test_no_weight_is_in_a_large_model(made):
    """What is delivered names a file beside it, and nothing else in the folder is needed."""
    place = made(50_000)
    model = onnx.load(place / "model.int8.onnx", load_external_data=False)
    beside = [t for t in model.graph.initializer if t.data_location == onnx.TensorProto.EXTERNAL]

    assert ["model.int8.weights"] == sorted({e.value for t in beside for e in t.external_data[:1]})
    assert [onnx.TensorProto.INT8] * 2 == [tensor.data_type for tensor in beside]
    assert all(int(t.external_data[1].value) % 4096 == 0 for t in beside)
    assert not any(len(t.raw_data) > 2**14 for t in model.graph.initializer)
    onnx.checker.check_model(place / "model.int8.onnx", full_check=True)


def test_equal_large_models_are_equal_bytes(made, tmp_path):
    """The model and its weights alike, wherever they were made."""
    first = made(50_000)
    second = made(50_001)

    for name in ("model.int8.onnx", "model.int8.weights", "model.fp32.weights"):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_other_weights_are_another_model(made):
    """The model names the digest of its weights, so that its own covers them."""
    place = made(50_000)
    model = onnx.load(place / "model.int8.onnx", load_external_data=False)
    (noted,) = model.metadata_props

    assert "trtbuild_weights" == noted.key
    assert noted.value.startswith("sha256:")


def test_an_engine_of_onnx_runtime_is_one_file(made):
    """A large model would need two: said so, with what to do instead."""
    with pytest.raises(StepFailed, match="over 2 GB") as raised:
        made(50_000, upto=("build_engine(ort)",))
    assert "leave this target out" in raised.value.hint
