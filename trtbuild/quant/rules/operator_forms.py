"""TB116, TB117: operators of a form, and tensors of a type, that a target's parser refuses.

Each form was given to TensorRT-RTX 1.7.1.116, whose parser refused it; those without `only_rtx` are
restrictions of the list for TensorRT 10.15 as well (see `operator_lists`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trtbuild.model.nodes import iterate_nodes, name_of
from trtbuild.model.plugins import ONNX
from trtbuild.model.view import GraphView
from trtbuild.quant.quantized_graph import LINEAR, REFUSED
from trtbuild.quant.rules.subject import RuleHits, RuleSubject

if TYPE_CHECKING:
    import onnx

__all__ = ["unsupported_form", "unsupported_type"]

MOST_K = 3840
MOST_RANK = 5
"""Batch, channels and three axes in space."""
MODES = frozenset({"align_corners", "asymmetric", "half_pixel", "pytorch_half_pixel"})
FOR_NEAREST = "tf_half_pixel_for_nn"
ROUNDING = "round_prefer_floor"
NORMS = (1, 2)
PAST = (4, 5)
"""Where an Attention reads `past_key` and `past_value`."""

POOLS = ("AveragePool", "LpPool", "MaxPool")
REDUCTIONS = tuple(
    f"Reduce{what}"
    for what in (
        "L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare"
    )
)  # fmt: skip


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


REFUSED_TYPES = _words(
    """
    string complex64 complex128 int16 uint16 uint32 uint64 int2 uint2 uint4 float8e4m3fnuz
    float8e5m2 float8e5m2fnuz
    """
)
NOT_IN_UINT8 = _words(
    """
    Add Concat Div Gather Greater GreaterOrEqual Less LessOrEqual MatMul Max MaxPool Min Mod Mul
    Reshape Slice Squeeze Sub Transpose Unsqueeze
    """
)
"""Operators that were seen to refuse uint8, which is for inputs and outputs of the model."""


@dataclass(frozen=True)
class _Node:
    """A node, and what a restriction asks of it."""

    node: onnx.NodeProto
    view: GraphView

    def attribute(self, name: str, default: Any) -> Any:
        import onnx

        for each in self.node.attribute:
            if each.name == name:
                value = onnx.helper.get_attribute_value(each)
                return value.decode() if isinstance(value, bytes) else value
        return default

    def operand(self, slot: int) -> str:
        return self.node.input[slot] if slot < len(self.node.input) else ""

    def is_fed(self, slot: int) -> bool:
        """Tell whether an operand is an input of the model, and so no constant for sure."""
        name = self.view.root(self.operand(slot))
        return bool(name) and name in self.view.fed

    def value(self, slot: int) -> Any:
        """Return an operand's only value; None where it is no constant that is held."""
        from onnx import numpy_helper

        held = self.view.held(self.operand(slot))
        if held is None or held.external_data:
            return None
        values = numpy_helper.to_array(held)
        return values.reshape(-1)[0] if values.size == 1 else None

    def has_output(self, slot: int) -> bool:
        return len(self.node.output) > slot and bool(self.node.output[slot])

    def rank(self) -> int:
        return len(self.view.dims(self.operand(0)) or ())


@dataclass(frozen=True)
class _Form:
    """A form of some operators that is refused."""

    ops: tuple[str, ...]
    what: str
    """Behind the operator's name: `with dilations`."""
    holds: Callable[[_Node], Any]
    only_rtx: bool = False


def _reads_unlike(it: _Node) -> bool:
    """Tell whether the two directions of a recurrent node have activations of their own."""
    names = [str(each) for each in it.attribute("activations", ())]
    half = len(names) // 2
    both = it.attribute("direction", "forward") == "bidirectional"
    return both and names[:half] != names[half:]


FORMS = (
    _Form(POOLS, "with dilations", lambda it: set(it.attribute("dilations", ())) - {1}),
    _Form(
        ("AveragePool", "Conv", "ConvTranspose", "MaxPool"),
        "over more than three axes",
        lambda it: it.rank() > MOST_RANK,
    ),
    _Form(("MaxPool",), "with indices as a second output", lambda it: it.has_output(1)),
    _Form(("LayerNormalization",), "with more than one output", lambda it: it.has_output(1)),
    _Form(("Attention",), "with more than one output", lambda it: len(it.node.output) > 1),
    _Form(("Attention",), "with `softcap`", lambda it: it.attribute("softcap", 0.0)),
    _Form(("Attention",), "with past keys and values", lambda it: any(map(it.operand, PAST))),
    _Form(
        ("Attention",),
        "with `is_causal` and a mask",
        lambda it: it.attribute("is_causal", 0) and it.operand(3),
        only_rtx=True,
    ),
    _Form(("Dropout",), "in training mode", lambda it: it.value(2) or it.is_fed(2)),
    _Form(
        ("BatchNormalization",),
        "in training mode",
        lambda it: it.attribute("training_mode", 0),
        only_rtx=True,
    ),
    _Form(
        ("Resize",),
        "with another coordinate transformation than "
        "half_pixel, pytorch_half_pixel, tf_half_pixel_for_nn, asymmetric or align_corners",
        lambda it: (
            it.attribute("coordinate_transformation_mode", "half_pixel")
            not in {*MODES, FOR_NEAREST}
        ),
    ),
    _Form(
        ("Resize",),
        f"with {FOR_NEAREST} and another nearest_mode than {ROUNDING}",
        lambda it: (
            it.attribute("coordinate_transformation_mode", "") == FOR_NEAREST
            and it.attribute("nearest_mode", ROUNDING) != ROUNDING
        ),
        only_rtx=True,
    ),
    _Form(("Resize",), "with `antialias`", lambda it: it.attribute("antialias", 0)),
    _Form(
        ("Resize",),
        "with another `keep_aspect_ratio_policy` than stretch",
        lambda it: it.attribute("keep_aspect_ratio_policy", "stretch") != "stretch",
    ),
    _Form(
        ("ScatterND",), "with a reduction", lambda it: it.attribute("reduction", "none") != "none"
    ),
    _Form(
        ("ScatterElements",),
        "with a reduction",
        lambda it: it.attribute("reduction", "none") != "none",
        only_rtx=True,
    ),
    _Form(("LSTM",), "with `input_forget`", lambda it: it.attribute("input_forget", 0)),
    _Form(("GRU", "LSTM", "RNN"), "with unlike activations in its two directions", _reads_unlike),
    _Form(("TopK",), f"with K above {MOST_K}", lambda it: (it.value(1) or 0) > MOST_K),
    _Form(REDUCTIONS, "whose axes are an input of the model", lambda it: it.is_fed(1)),
    _Form(
        ("Squeeze", "Unsqueeze"), "whose axes are an input of the model", lambda it: it.is_fed(1)
    ),
    _Form(
        ("EyeLike",),
        "of a size that is not fixed",
        lambda it: None in (it.view.dims(it.operand(0)) or ()),
    ),
    _Form(
        ("Constant",),
        "of text, or sparse",
        lambda it: (
            {each.name for each in it.node.attribute}
            & {"sparse_value", "value_string", "value_strings"}
        ),
    ),
    _Form(
        ("LpNormalization", "LpPool"),
        "with another norm than L1 and L2",
        lambda it: it.attribute("p", 2) not in NORMS,
        only_rtx=True,
    ),
    _Form(
        ("TensorScatter",),
        "around the end",
        lambda it: it.attribute("mode", "linear") != "linear",
        only_rtx=True,
    ),
    _Form(("TensorScatter",), "of other than four axes", lambda it: it.rank() not in {0, 4}),
)


def unsupported_form(subject: RuleSubject) -> RuleHits:
    """Operators have attributes, operands and outputs that the target's parser takes."""
    rtx = subject.build_target.kind == "tensorrt_rtx"
    forms: dict[str, list[_Form]] = {}
    for form in FORMS:
        for op in form.ops if rtx or not form.only_rtx else ():
            forms.setdefault(op, []).append(form)
    for node in iterate_nodes(subject.view.nodes):
        for form in forms.get(node.op_type, ()) if node.domain in ONNX else ():
            if form.holds(_Node(node, subject.view)):
                yield name_of(node), f"TensorRT has no {node.op_type} {form.what}"


def unsupported_type(subject: RuleSubject) -> RuleHits:
    """Tensors have types that TensorRT has; uint8 is for inputs and outputs of the model."""
    view = subject.view
    refused = {name for name in view.typed if view.dtype(name) in REFUSED_TYPES}
    for node in view.nodes:
        if node.op_type in LINEAR or node.op_type in REFUSED:
            continue  # rules of their own speak of these
        found = [name for name in (*node.input, *node.output) if name in refused]
        for kind in sorted({str(view.dtype(name)) for name in found}):
            yield name_of(node), f"TensorRT has no tensors of {kind}"
        if not found and _misuses_uint8(view, node):
            yield name_of(node), "TensorRT takes uint8 for inputs and outputs of a model alone"


def _misuses_uint8(view: GraphView, node: onnx.NodeProto) -> bool:
    made = any(
        view.dtype(name) == "uint8" and name not in view.outputs for name in node.output if name
    )
    read = node.op_type in NOT_IN_UINT8 and any(
        view.dtype(name) == "uint8" and not view.is_constant(name) for name in node.input if name
    )
    return (made and node.op_type != "Constant") or read
