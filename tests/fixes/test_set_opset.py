"""set_opset: up, and never down."""

from __future__ import annotations

import onnx
import onnx.parser
import onnx_graphsurgeon as gs
import pytest

from tests.helpers.models import graph_of, model_of
from trtbuild.core.errors import StepInputError
from trtbuild.fixes.apply import apply_fixes
from trtbuild.fixes.set_opset import SetOpset

OLD = '<ir_version: 8, opset_import: ["" : 12]>\n'
TEXT = (
    OLD
    + "g (float[N, 3, 4] x) => (float[N, 3] y) { [sum] y = ReduceSum<axes = [2], keepdims = 0>(x) }"
)


def raised(opset):
    return SetOpset(kind="set_opset", opset=opset)


def test_the_opset_is_raised():
    """Axes are an input since 13; names stay, and results are held to those before."""
    fixed, accounts = apply_fixes(model_of(TEXT), [raised(18)])

    assert 18 == fixed.opset_import[0].version
    assert (["sum"], 2) == (
        [node.name for node in fixed.graph.node],
        len(fixed.graph.node[0].input),
    )
    assert (("opset: 12 → 18",), ()) == (accounts.fixes[0].changed, accounts.fixes[0].remarks)


def test_the_last_opset_stays_within_ir_10():
    """What every TensorRT and ONNX Runtime reads."""
    fixed, _ = apply_fixes(model_of(TEXT), [raised(22)])

    assert (22, 8) == (fixed.opset_import[0].version, fixed.ir_version)


def test_down_is_refused():
    """An operator cannot be lowered."""
    with pytest.raises(StepInputError, match="written in opset 12, later than 11"):
        raised(11).apply(graph_of(TEXT))


def test_what_is_so_already_is_remarked():
    """Twice is once."""
    remarks = raised(12).apply(graph_of(TEXT)).remarks

    assert ["set_opset: the model is written in opset 12 already"] == remarks


def test_what_the_converter_cannot_carry_over_is_refused():
    """In its own words."""
    model = onnx.parser.parse_model(
        """<ir_version: 4, opset_import: ["" : 8]>
        g (float[2] x) => (float[2] y) { y = Relu<consumed_inputs = [1]>(x) }"""
    )
    with pytest.raises(StepInputError, match="opset 8 cannot be raised to 13"):
        raised(13).apply(gs.import_onnx(model))
