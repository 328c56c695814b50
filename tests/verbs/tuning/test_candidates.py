"""What may be changed in a recipe, and how it is written there."""

from __future__ import annotations

import json

import pytest

from trtbuild.core.patterns import find_nodes
from trtbuild.recipe.edit import AddedItem
from trtbuild.recipe.schema import Quantization
from trtbuild.verbs.tuning.candidates import (
    Candidate,
    leave_line_out,
    list_limits,
    list_returns,
    list_stages,
    write_pattern,
)


def test_what_the_recipe_has_is_not_tried_again():
    """Everything else is, from what is cheap to try to what takes long."""
    section = {"calibrator": {"kind": "mse"}, "data": "c", "rounding": "reconstructed"}
    read = Quantization.model_validate_json(json.dumps(section))
    names = [what for stage in list_stages(read, {"smooth"}) for what, _ in stage.choices]

    assert ["calibrator: auto", "weights: mse", "equalize: smooth", "bias_correction"] == names


def test_where_auto_is_taken_the_kinds_it_chose_from_are_tried():
    """Each is a run over the calibration data: nobody else's limits are."""
    section = Quantization(data="c", calibrator={"kind": "auto"})

    assert ["calibrator: mse", "calibrator: minmax"] == [
        what for what, _ in list_stages(section, ())[0].choices
    ]


@pytest.mark.parametrize(("kind", "first"), [("percentile", ["calibrator: auto"]), ("minmax", [])])
def test_what_is_made_for_int8_is_not_tried_for_another_type(kind, first):
    """A recipe could not say it."""
    section = Quantization(data="c", type="fp8", calibrator={"kind": kind})
    names = [what for stage in list_stages(section, {"smooth"}) for what, _ in stage.choices]

    assert [*first, "weights: mse", "equalize: smooth"] == names


def test_limits_are_tried_wider_up_to_the_largest_value_and_narrower():
    """Numbers are short: they are to be read."""
    assert [[1.4, 1.96, 2.0], [0.714, 0.51, 0.364]] == list_limits(1.0, 2.0)
    assert [] == list_limits(1.0, 1.0)[0]


def test_what_a_recipe_keeps_in_float_can_go_line_by_line():
    """Lines of `skip`, and those of `precision` that say so."""
    section = Quantization(data="c", skip=("a", "b*"), precision={"c": "fp32", "d": "int8"})

    assert [("skip", "a"), ("skip", "b*"), ("precision", "c")] == [
        (key, line) for _, key, line in list_returns(section)
    ]
    assert (["a"], {"d": 1}) == (
        leave_line_out(("a", "b*"), "b*"),
        leave_line_out({"c": 2, "d": 1}, "c"),
    )


def test_without_data_to_calibrate_on_only_weights_have_a_choice():
    """Ranges by hand and tables of ranges are somebody's decision."""
    assert ["weights: mse"] == [
        what for s in list_stages(Quantization(), ()) for what, _ in s.choices
    ]


def test_every_choice_is_one_that_a_recipe_may_make():
    """The section takes it as it is written."""
    for stage in list_stages(Quantization(data="c"), {"smooth", "cross_layer"}):
        for _, options in stage.choices:
            written = Candidate().adding(options).options
            Quantization.model_validate_json(json.dumps({"data": "c", **written}))


def test_options_are_lines_and_layers_in_float_are_one_list():
    """Each with what it gives; without a change, it is one less."""
    candidate = Candidate({"rounding": "reconstructed"}, ("a", "b[0]"))
    rounding, skip = candidate.list_changes({"skip": "+ 2 dB"}, {"a": "alone 17 dB"})

    assert ("rounding", "reconstructed", "") == (rounding.key, rounding.value, rounding.remark)
    assert (AddedItem("a", "alone 17 dB"), AddedItem("b[[]0]")) == skip.items
    assert candidate.without("rounding").without("skip").is_plain


@pytest.mark.parametrize("name", ["a/b", "x[1]", "y*", "z?", "op:Conv", "[a]b"])
def test_a_layer_is_written_so_that_no_other_is_meant(name):
    """Names may look like patterns, and like operators."""
    nodes = {name: "Conv", "x1": "Conv", "yy": "Conv", "zz": "Conv", "ab": "Conv"}

    assert [name] == find_nodes(write_pattern(name), nodes)
