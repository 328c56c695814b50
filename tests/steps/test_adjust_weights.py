from __future__ import annotations

import json

import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of
from tests.helpers.quant import normal, observed, seeded
from trtbuild.data.base import Manifest, Sample
from trtbuild.quant.adjusting.table import Adjustments, AdjustmentsAccount
from trtbuild.steps.adjust_weights import AdjustWeights
from trtbuild.steps.base import Context, Ref
from trtbuild.steps.capture_data import DataInput
from trtbuild.steps.quantize import Quantize

MODEL = """g (float[N,4] x) => (float[N,2] y) {
    [one] a = MatMul(x, w)  p = Add(a, b)  r = Relu(p)  [two] y = MatMul(r, v)
}"""
HALF = MODEL.replace("float[", "float16[").replace(
    "g (", '<ir_version: 8, opset_import: ["" : 19]> g ('
)
DATA = """{
    "source": {"kind": "arrays", "path": "x.npy"},
    "files": [],
    "manifest": {"step": "capture", "output": "manifest"},
    "stored": {"step": "capture", "output": "samples"}
}"""


@pytest.fixture
def stage(tmp_path, monkeypatch):
    """Lay out a model, its ranges and its data; returns a function that runs a step on them."""
    model = seeded(MODEL, w=(4, 4), b=(4,), v=(4, 2))

    def run(step, *, rows=12, peaks=None, out="out", threads=1, inputs=None, changed=None):
        samples = [Sample(f"x[{i}]", {"x": normal(4, seed=i)}) for i in range(rows)]
        monkeypatch.setattr(DataInput, "samples", lambda *_, **__: iter(samples))
        manifest = Manifest(count=rows, samples=(), tensors=(), labelled=False, peaks=peaks or {})
        folder = tmp_path / out
        folder.mkdir()
        (folder / "manifest.json").write_text(manifest.model_dump_json())
        (folder / "ranges.json").write_text(observed(model, {"x": normal(99, 4)}).model_dump_json())
        onnx.save(changed or model, folder / "model.onnx")
        made = folder / "made"
        made.mkdir()
        paths = {
            "fix_graph/model": folder / "model.onnx",
            "calibrate/ranges": folder / "ranges.json",
            "capture/manifest": folder / "manifest.json",
            **(inputs or {}),
        }
        context = Context(inputs=paths, out=made, threads=threads)
        type(step).model_validate_json(step.model_dump_json()).run(context)
        return made, context.events

    return run


def fitting(**options):
    return AdjustWeights(
        quantize=Quantize(
            model=Ref(step="fix_graph", output="model"),
            ranges=Ref(step="calibrate", output="ranges"),
            **options,
        ),
        data=DataInput.model_validate_json(DATA),
        rounding=True,
        bias=True,
    )


def test_writes_a_table_that_quantize_reads(stage):
    """What is in it is in the model then; the notes say what was gained, and what was left."""
    step = fitting()
    made, events = stage(step)
    table = {"adjust_weights/table": made / "adjustments.npz"}
    adjusted = Ref(step="adjust_weights", output="table")

    out, _ = stage(step.quantize.model_copy(update={"adjusted": adjusted}), out="q", inputs=table)

    found = Adjustments.read(made / "adjustments.npz")
    tensors = onnx.load(out / "model.onnx").graph.initializer
    stored = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in tensors}
    assert {"one", "two"} == set(found.weights)
    assert np.array_equal(found.weights["two"], stored["v_quantized"])
    account = AdjustmentsAccount.model_validate_json((made / "adjustments.json").read_bytes())
    assert (12, ["one", "two"]) == (account.samples, [each.name for each in account.layers])
    first, second = events.notes
    assert first.startswith("adjusted 2 of 2 layers on 12 samples; what they make is clos")
    assert second.startswith("not all of `two` was adjusted: it has no bias")


def test_equal_inputs_give_equal_bytes(stage):
    """On any number of threads."""
    one, other = (stage(fitting(), out=str(n), threads=n)[0] for n in (1, 4))

    for name in ("adjustments.npz", "adjustments.json"):
        assert (one / name).read_bytes() == (other / name).read_bytes()


def test_beside_16_bits_it_is_fitted_to_their_scales(stage):
    """And written into what is 16-bit then."""
    step = fitting(high_precision="fp16")
    made, _ = stage(step)
    table = {"adjust_weights/table": made / "adjustments.npz"}
    adjusted = Ref(step="adjust_weights", output="table")

    out, _ = stage(step.quantize.model_copy(update={"adjusted": adjusted}), out="q", inputs=table)

    model = onnx.load(out / "model.onnx")
    (bias,) = (t for t in model.graph.initializer if t.name.startswith("a_bias"))
    assert onnx.TensorProto.FLOAT16 == bias.data_type


def test_a_broken_sample_is_not_looked_at(stage):
    """Its peak says so; means would be its own."""
    _, events = stage(fitting(), peaks={"x": (1.0,) * 11 + (1e6,)})

    assert "on 11 samples" in events.notes[0]


def test_a_model_that_came_quantized_is_left_as_it_is(stage):
    """Its float weights are not known; a warning says so."""
    first, _ = stage(fitting().quantize, out="q")

    made, events = stage(fitting(), changed=onnx.load(first / "model.onnx"))

    assert ["nothing was adjusted: the model came quantized"] == [
        each.split(", and")[0] for each in events.warnings
    ]
    assert [] == json.loads((made / "adjustments.json").read_text())["layers"]


def test_a_model_of_16_bits_is_adjusted_by_its_twin(stage):
    """Which rounds behind each node, as the model does; biases stay 16-bit."""
    shapes = {"w": (4, 4), "b": (4,), "v": (4, 2)}
    weights = {name: normal(*shape, seed=3).astype(np.float16) for name, shape in shapes.items()}
    model = model_of(HALF, weights)

    made, events = stage(fitting(), changed=model)

    found = Adjustments.read(made / "adjustments.npz")
    assert ("two" in found.weights, {"one"}) == (True, set(found.shifts))
    assert events.notes[0].startswith("adjusted 2 of 2 layers")


def test_where_nothing_is_int8_a_warning_says_so(stage):
    """The options have no use then."""
    _, events = stage(fitting(skip=("*",)))

    assert ["nothing was adjusted: no layer with a weight is INT8"] == events.warnings
