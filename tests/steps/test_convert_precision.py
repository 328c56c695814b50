from __future__ import annotations

import onnx

from tests.helpers.models import outputs_of
from tests.helpers.quant import normal, seeded
from trtbuild.quant.account import QuantizationAccount
from trtbuild.quant.half.convert import Peaks
from trtbuild.steps.base import Context, Ref
from trtbuild.steps.convert_precision import ConvertPrecision

MODEL = """g (float[N,4] x) => (float[N,2] y) {
    [one] a = MatMul(x, w)  [square] b = Mul(a, a)  [two] y = MatMul(b, v)
}"""


def run(folder, **options):
    folder.mkdir()
    model = seeded(MODEL, w=(4, 4), v=(4, 2))
    (folder / "in.onnx").write_bytes(model.SerializeToString())
    (folder / "peaks.json").write_text(Peaks(tensors={"b": 30000.0}).model_dump_json())
    inputs = {"fix_graph/model": folder / "in.onnx", "measure_peaks/peaks": folder / "peaks.json"}
    context = Context(inputs=inputs, out=folder / "out")
    (folder / "out").mkdir()
    step = ConvertPrecision(model=Ref(step="fix_graph", output="model"), **options)
    ConvertPrecision.model_validate_json(step.model_dump_json()).run(context)
    account = (folder / "out/precision.json").read_bytes()
    model = onnx.load(folder / "out/model.onnx")
    return model, QuantizationAccount.model_validate_json(account), context.events.notes


def test_it_writes_a_model_of_the_type_asked_for(tmp_path):
    """And the account of its layers; without measured values it says so."""
    model, account, notes = run(tmp_path / "a", type="fp16")
    feed = {"x": normal(3, 4)}
    before = outputs_of(tmp_path / "a/in.onnx", feed)["y"]

    assert ["fp16", "fp16"] == [layer.precision for layer in account.layers]
    assert ["nothing was measured: what overflows fp16 is known of constants alone"] == notes
    assert abs(before - outputs_of(model, feed)["y"]).max() < 0.01


def test_peaks_and_wishes_keep_nodes_in_float32(tmp_path):
    """Each with its reason in the notes."""
    peaks = Ref(step="measure_peaks", output="peaks")
    _, account, notes = run(tmp_path / "a", type="fp16", peaks=peaks, fp32=("one",))

    assert ["one", "square", "two"] == [node.name for node in account.kept]
    measured = (
        "Mul `square`, MatMul `two` stay float32: `b` reaches 3e+04 in calibration, and fp16 ends "
        "at 6.55e+04"
    )
    assert ["MatMul `one` stays float32: the recipe asks for fp32: `one`", measured] == notes


def test_bf16_raises_the_opset_and_says_so(tmp_path):
    """Its convolutions are in ONNX from 22 on."""
    model, account, notes = run(tmp_path / "a", type="bf16")

    assert 22 == account.opset
    assert "opset raised from 17 to 22: bf16 needs it" == notes[0]
    assert {"w_bf16", "v_bf16"} == {each.name for each in model.graph.initializer}
