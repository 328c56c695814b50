"""The lists against the parser of the TensorRT-RTX that is installed, which needs no GPU.

Nothing is built: of forms of Attention that it has no kernel for, the builder may die.
"""

from __future__ import annotations

import onnx
import pytest

from tests.helpers.rules import FIRES
from tests.quant.rules.test_operator_forms import ONLY_RTX, REFUSED, TAKEN, form
from trtbuild.quant.rules.operator_lists import BY_KIND, KNOWN_BESIDES, NO_PLUGIN

MEASURED = "1.7.1"


@pytest.fixture(scope="module")
def parser():
    """A parser for each question; the lists are of one version."""
    rtx = pytest.importorskip("tensorrt_rtx_bindings")
    if not rtx.__version__.startswith(MEASURED):
        pytest.skip(f"TensorRT-RTX {rtx.__version__} is another than was measured")
    logger = rtx.Logger(rtx.Logger.INTERNAL_ERROR)
    builder = rtx.Builder(logger)
    networks = []  # held, as the logger is: parsers do not

    def made():
        networks.append(builder.create_network(0))
        return rtx.OnnxParser(networks[-1], logger)

    return made


def test_the_parser_lacks_what_the_list_says(parser):
    """Asked for every operator of ONNX, and for those that the parser alone has."""
    asked = parser()
    names = {each.name for each in onnx.defs.get_all_schemas_with_history() if not each.domain}

    assert sorted(BY_KIND["tensorrt_rtx"].lacking) == sorted(
        name for name in names if not asked.supports_operator(name)
    )
    assert [] == [name for name in KNOWN_BESIDES if not asked.supports_operator(name)]
    assert [] == [name for name in NO_PLUGIN if not asked.supports_operator(name)]


def test_the_parser_refuses_the_forms_that_the_rules_refuse(parser):
    """And takes their neighbours; K is counted where a network is built."""

    def parsed(body):
        return parser().parse(form(body).SerializeToString())

    refused = {name: body for name, body in {**REFUSED, **ONLY_RTX}.items() if name != "K"}

    assert [] == [name for name, body in refused.items() if parsed(body)]
    assert [] == [name for name, body in TAKEN.items() if not parsed(body)]


@pytest.mark.parametrize(
    ("expected", "code"),
    [(False, "TB114"), (True, "TB115"), (False, "TB117"), (False, "TB118"), (True, "TB119")],
)
def test_models_that_break_a_rule_are_refused(parser, expected, code):
    """By the parser, or behind it for want of a kernel."""
    assert expected == parser().parse(FIRES[code]().model.SerializeToString())
