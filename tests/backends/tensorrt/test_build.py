"""What is refused before a builder sees it."""

from __future__ import annotations

import pytest

from tests.helpers.models import model_of
from tests.helpers.qdq import layer
from trtbuild.backends.model import OnnxModel
from trtbuild.backends.tensorrt.build import check_model, check_names
from trtbuild.core.errors import StepInputError

PAIR = """m (float[1,4] x, float t) => (float[1,4] y) <float s = {{0.1}}, {kind} z = {{0}}> {{
    [q] a = QuantizeLinear({q})  [d] y = DequantizeLinear({d})
}}"""


def pair(q="x, s, z", d="a, s, z", kind="int8"):
    return OnnxModel(model_of(PAIR.format(q=q, d=d, kind=kind)))


def test_a_sound_model_is_not_refused():
    """INT8 pairs with constant scales, and fixed shapes."""
    check_model(OnnxModel(layer()), [])
    check_model(pair(), [])


@pytest.mark.parametrize(
    ("says", "model"),
    [
        ("`q` (QuantizeLinear): its scale `t` is computed", lambda: pair("x, t, z", "a, t, z")),
        ("`q` (QuantizeLinear) is of uint8", lambda: pair(kind="uint8")),
        ("`q` (QuantizeLinear) is of uint8", lambda: pair("x, s", "a, s", "uint8")),
    ],
)
def test_what_tensorrt_would_misread_is_named(says, model):
    """A scale that is no constant, and uint8, with or without a zero point that says so."""
    with pytest.raises(StepInputError) as caught:
        check_model(model(), [])
    assert says in caught.value.message
    assert caught.value.hint


def test_open_shapes_need_a_profile():
    """Before anything else is looked at."""
    with pytest.raises(StepInputError, match=r"input `x` has shape \[n, 8, 8, 8\], but no profile"):
        check_model(OnnxModel(layer(x="n, 8, 8, 8")), [])


def test_an_option_by_name_means_an_input_or_an_output():
    """Polygraphy would only warn of another, and build something else than was asked for."""
    model = OnnxModel(layer())
    check_names(model, {"x": ["linear"], "y": ["chw32"]}, "io_formats")

    with pytest.raises(StepInputError, match="`io_types` names `x_q`") as caught:
        check_names(model, {"x_q": "half"}, "io_types")
    assert "there are: x, y" == caught.value.hint
