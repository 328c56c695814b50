"""What is typed for two models, as the sections of a recipe."""

from __future__ import annotations

from pathlib import Path

import pytest

from trtbuild.core.errors import RecipeError, UsageError
from trtbuild.verbs.pair_sections import PairRequest, read_sections

RECIPE = """\
version: 1
name: r
model: {kind: onnx, path: m.onnx}
data: {eval: {kind: arrays, path: a.npz}, more: {kind: arrays, path: b.npz}}
targets: {cpu: {kind: onnxruntime}}
compare: {data: eval, metrics: [cosine], gates: [{metric: cosine, at_least: 0.9}]}
"""


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("r.yaml").write_text(RECIPE)
    Path("a.npz").touch()


def read(inputs=("x",), **asked):
    return read_sections(PairRequest(**asked), name="it", model=Path("m.onnx"), inputs=inputs)


def test_arrays_are_for_the_inputs_by_name():
    """An npy file's for the one there is; the data is called after the file."""
    source = read(data="a.npz", labels="l").recipe.data["a.npz"]

    assert ("x", "l", str(Path("a.npz").absolute())) == (source.input, source.labels, source.path)


@pytest.mark.parametrize(
    ("typed", "rule", "value"),
    [
        ("sqnr_db >= 20", "at_least", 20),
        ("sqnr_db ≥ 20", "at_least", 20),
        ("max_abs<=0.5", "at_most", 0.5),
        ("top1_agreement >= 99%", "at_least", 0.99),
        ("top1 drop <= 1%", "drop_at_most", 0.01),
        ("{metric: sqnr_db, at_least: 20, confidence: 95%}", "confidence", 0.95),
    ],
)
def test_a_gate_is_a_rule_in_words_or_a_mapping(typed, rule, value):
    """A share may be in percent."""
    (gate,) = read(data="a.npz", labels="l", gates=[typed]).recipe.compare.gates

    assert value == pytest.approx(getattr(gate, rule))


def test_a_kind_may_stand_by_its_name():
    """As a metric without options does."""
    found = read(data="a.npz", metrics=["sqnr_db", "regression", "{kind: image}"])

    assert ["sqnr_db", "regression", "image"] == [
        getattr(each, "kind", each) for each in found.recipe.compare.metrics
    ]


@pytest.mark.parametrize(
    ("asked", "data"),
    [
        ({"data": "r.yaml:more"}, "more"),
        ({"data": "r.yaml"}, "eval"),
        ({"recipe": Path("r.yaml")}, "eval"),
        ({"recipe": Path("r.yaml"), "data": "more"}, "more"),
        ({"recipe": Path("r.yaml"), "data": "a.npz"}, "a.npz"),
    ],
)
def test_a_recipes_sections_count_where_one_is_named(asked, data):
    """Its metrics and gates with any of its data, or other data; what is typed is added."""
    found = read(metrics=["cosine", "max_abs"], gates=["max_abs <= 1"], **asked).recipe

    assert data == found.compare.data
    assert ("cosine", "max_abs") == found.compare.metrics
    assert ["cosine", "max_abs"] == [each.metric for each in found.compare.gates]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "--data is missing"),
        ({"data": "r.yaml:gone"}, "there is no data set `gone`"),
        ({"data": "r.yaml:eval", "labels": "l"}, "--labels is for the arrays"),
        ({"data": "r.yaml:eval", "recipe": Path("other.yaml")}, "there is --recipe other.yaml too"),
        ({"data": "a.npz", "gates": ["sqnr_db = 20"]}, "is no rule"),
        ({"data": "a.npz", "gates": ["sqnr_db drop >= 20"]}, "is no rule"),
        ({"data": "a.npz", "gates": ["sqn >= 20"]}, "--gate: `sqn` is no metric"),
        ({"data": "a.npz", "gates": ["{metric"]}, "--gate {metric: "),
        ({"data": "a.npz", "metrics": ["sqnr"]}, "--metric: must be `cosine`"),
        ({"data": "a.npz", "metrics": ["{kind: detectio}"]}, "is not a kind of metric"),
    ],
)
def test_what_is_wrong_is_said_of_what_was_typed(asked, said):
    """And not of a recipe that nobody wrote."""
    with pytest.raises(UsageError) as caught:
        read(**asked)

    assert said in caught.value.message
    assert caught.value.hint


def test_a_recipe_that_is_wrong_is_told_at_its_line():
    """It is a file like any other."""
    Path("r.yaml").write_text(RECIPE.replace("cosine]", "cosin]"))

    with pytest.raises(RecipeError, match=r"r\.yaml:6"):
        read(data="r.yaml:eval")
