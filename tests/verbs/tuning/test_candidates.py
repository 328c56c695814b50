"""What may be changed in a recipe, and how it is written there."""

from __future__ import annotations

import json

import pytest

from trtbuild.core.patterns import find_nodes
from trtbuild.recipe.edit import Item
from trtbuild.recipe.schema import Quantization
from trtbuild.verbs.tuning.candidates import Candidate, list_stages, write_pattern


def test_what_the_recipe_has_is_not_tried_again():
    """Everything else is, from what is cheap to try to what takes long."""
    section = {"calibrator": {"kind": "mse"}, "data": "c", "rounding": "reconstructed"}
    stages = list_stages(Quantization.model_validate_json(json.dumps(section)))
    names = [what for stage in stages for what, _ in stage.choices]

    assert ["calibrator as it was", "calibrator: auto", "calibrator: minmax"] == names[:3]
    assert "calibrator: mse" not in names
    assert "rounding: reconstructed" not in names
    assert "bias_correction" == names[-1]


def test_without_data_to_calibrate_on_only_weights_have_a_choice():
    """Ranges by hand and tables of ranges are somebody's decision."""
    assert ["weights: mse"] == [what for s in list_stages(Quantization()) for what, _ in s.choices]


def test_every_choice_is_one_that_a_recipe_may_make():
    """The section takes it as it is written."""
    for stage in list_stages(Quantization(data="c")):
        for _, options in stage.choices:
            written = Candidate().adding(options).options
            Quantization.model_validate_json(json.dumps({"data": "c", **written}))


def test_options_are_lines_and_layers_in_float_are_one_list():
    """Each with what it gives; without a change, it is one less."""
    candidate = Candidate({"rounding": "reconstructed"}, ("a", "b[0]"))
    rounding, skip = candidate.list_changes({"skip": "+ 2 dB"}, {"a": "alone 17 dB"})

    assert ("rounding", "reconstructed", "") == (rounding.key, rounding.value, rounding.remark)
    assert (Item("a", "alone 17 dB"), Item("b[[]0]")) == skip.items
    assert candidate.without("rounding").without("skip").is_plain


@pytest.mark.parametrize("name", ["a/b", "x[1]", "y*", "z?", "op:Conv", "[a]b"])
def test_a_layer_is_written_so_that_no_other_is_meant(name):
    """Names may look like patterns, and like operators."""
    nodes = {name: "Conv", "x1": "Conv", "yy": "Conv", "zz": "Conv", "ab": "Conv"}

    assert [name] == find_nodes(write_pattern(name), nodes)
