"""A model card says what those who only get the engines have to know."""

from __future__ import annotations

from tests.helpers import records
from trtbuild.core.records import Record
from trtbuild.core.values import TensorSpec
from trtbuild.report.html import render_page
from trtbuild.report.markdown import render_markdown_page
from trtbuild.report.model_card import make_card_page

ENDS = {
    "inputs": (TensorSpec(name="input", dtype="float32", shape=("batch", 3, 224, 224)),),
    "outputs": (TensorSpec(name="logits", dtype="float32", shape=("batch", 1000)),),
}


def card(**fields):
    told = {"recipe": "<net>", "file": "net.yaml", "facts": {}, "outcomes": (), "model": "onnx m"}
    return make_card_page(Record(**{**told, **fields}), **ENDS)


def test_limits_are_those_of_its_engines_and_figures():
    """GPU, version, shapes, INT8 that was not delivered, gates that fail."""
    layers = (records.layer("a"), records.layer("b", "fp32"))
    text = render_markdown_page(card(targets=(records.target(layers),)))

    assert "runs on compute capability 8.6, 8.9, 12.0 alone, in tensorrt_rtx 1.7.1.116" in text
    assert "`input` from [1, 3, 224, 224] to [32, 3, 224, 224]; nothing beyond" in text
    assert "runs 50.00 % of the layers in INT8 for which that was asked" in text


def test_what_was_not_measured_is_said():
    """In its section, and among the limits."""
    text = render_markdown_page(card(caveats=("seeded weights",)))

    assert "how well it does is not known" in text
    assert "- seeded weights." in text


def test_a_page_in_a_browser_escapes_names():
    """As reports do."""
    page = render_page(card())

    assert "&lt;net&gt;" in page
    assert "<net>" not in page
