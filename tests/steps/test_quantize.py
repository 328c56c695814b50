from __future__ import annotations

import onnx
import pytest

from tests.helpers.quant import normal, observed, seeded
from trtbuild.core.errors import StepInputError
from trtbuild.core.values import Ranges
from trtbuild.quant.account import QuantizationAccount
from trtbuild.steps.base import Context, Pinned, Ref
from trtbuild.steps.quantize import Quantize

MODEL = """g (float[N,4] x) => (float[N,2] y) {
    [one] a = MatMul(x, w)  r = Relu(a)  [two] y = MatMul(r, v)
}"""


def run(folder, **options):
    model = seeded(MODEL, w=(4, 4), v=(4, 2))
    ranges = observed(model, {"x": normal(8, 4)})
    folder.mkdir()
    (folder / "in.onnx").write_bytes(model.SerializeToString())
    (folder / "in.json").write_text(ranges.model_dump_json())
    out = folder / "out"
    out.mkdir()
    inputs = {"fix_graph/model": folder / "in.onnx", "calibrate/ranges": folder / "in.json"}
    context = Context(inputs=inputs, out=out)
    step = Quantize(
        model=Ref(step="fix_graph", output="model"),
        ranges=Ref(step="calibrate", output="ranges"),
        **options,
    )
    Quantize.model_validate_json(step.model_dump_json()).run(context)
    return out, context.events.notes


def test_the_step_writes_model_ranges_and_account(tmp_path):
    """All three can be read back, and nothing else lies there."""
    out, notes = run(tmp_path / "here")

    assert sorted(Quantize.outputs.values()) == sorted(path.name for path in out.iterdir())
    onnx.checker.check_model(onnx.load(out / "model.onnx"), full_check=True)
    assert ["r", "x"] == list(
        Ranges.model_validate_json((out / "ranges.json").read_bytes()).tensors
    )
    account = QuantizationAccount.model_validate_json((out / "quantization.json").read_bytes())
    assert [("one", "MatMul", "int8"), ("two", "MatMul", "int8")] == [
        (layer.name, layer.op, layer.precision) for layer in account.layers
    ]
    assert [] == notes


def test_equal_inputs_give_equal_bytes_anywhere(tmp_path):
    """In another directory too."""
    first, _ = run(tmp_path / "here")
    second, _ = run(tmp_path / "there")

    assert {path.name: path.read_bytes() for path in first.iterdir()} == {
        path.name: path.read_bytes() for path in second.iterdir()
    }


def test_manual_ranges_and_skips_are_laid_over(tmp_path):
    """What is float and what had no effect goes into the notes."""
    out, notes = run(
        tmp_path / "here", manual={"x": (-127.0, 127.0), "a": (-1.0, 1.0)}, skip=("two", "gone")
    )

    account = QuantizationAccount.model_validate_json((out / "quantization.json").read_bytes())
    assert [("x", 1.0)] == [(tensor.name, tensor.scale) for tensor in account.tensors]
    assert [
        "MatMul `two` stays float: skipped by the recipe: `two`",
        "the range for `a` has no effect: nothing reads it in INT8",
        "skip: `gone` matches no node",
    ] == notes
    ranges = Ranges.model_validate_json((out / "ranges.json").read_bytes())
    assert "manual" == ranges.tensors["x"].origin


def by_hand(folder, **options):
    folder.mkdir()
    model = seeded(MODEL, w=(4, 4), v=(4, 2))
    (folder / "in.onnx").write_bytes(model.SerializeToString())
    out = folder / "out"
    out.mkdir()
    context = Context(inputs={"fix_graph/model": folder / "in.onnx"}, out=out)
    Quantize(model=Ref(step="fix_graph", output="model"), **options).run(context)
    return Ranges.model_validate_json((out / "ranges.json").read_bytes()).tensors


def test_no_calibration_is_needed_where_every_range_is_by_hand(tmp_path):
    """From the recipe, and from a file: names of the one win, then the other's, then patterns."""
    limits = tmp_path / "limits.txt"
    limits.write_text("x: 2\nr: 3\nno such tensor: 4\n")

    table = by_hand(
        tmp_path / "here",
        manual={"x": (-1.0, 1.0), "*": (-9.0, 9.0)},
        ranges_file=Pinned(path=str(limits), digest="sha256:aa"),
        allow_missing=False,
    )

    assert {"x": (1.0, "x"), "r": (3.0, "ranges_file"), "a": (9.0, "*"), "y": (9.0, "*")} == {
        name: (each.limit, each.entry) for name, each in table.items()
    }


def test_a_missing_range_is_refused_unless_that_is_allowed(tmp_path):
    """INT8 that was asked for is not left out in silence."""
    with pytest.raises(StepInputError, match="no range for `r`: `two` would stay") as caught:
        by_hand(tmp_path / "here", manual={"x": (-1.0, 1.0)}, allow_missing=False)

    assert "allow_missing: true" in caught.value.hint
    assert ["x"] == list(by_hand(tmp_path / "there", manual={"x": (-1.0, 1.0)}))


def test_two_patterns_that_overlap_are_refused(tmp_path):
    """Both mean r, and each means something else too."""
    with pytest.raises(StepInputError, match="two ranges"):
        by_hand(tmp_path / "here", manual={"[ra]": (-1.0, 1.0), "[rx]": (-2.0, 2.0)})
