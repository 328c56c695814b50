"""The sections of a recipe, found in its schema."""

from __future__ import annotations

from tests.helpers.reference import find_shared_options
from trtbuild.backends.tensorrt10 import Tensorrt10
from trtbuild.backends.tensorrt11 import Tensorrt11
from trtbuild.backends.tensorrt_rtx import TensorrtRtx
from trtbuild.recipe.schema import Recipe
from trtbuild.recipe.sections import find_sections, format_default

SECTIONS = {each.place: each for each in find_sections()}


def test_every_section_is_found_once():
    """Outer ones before what they hold; `calibrators` has no kind of its own."""
    places = list(SECTIONS)

    assert places.index("data") < places.index("data.preprocess")
    assert {"model.weights", "quantization.weights", "compare.gates", "profiles"} <= set(places)
    assert "quantization.calibrators" not in places


def test_some_sections_have_kinds():
    """And are told by them."""
    assert SECTIONS["quantization.weights"].has_kinds
    assert not SECTIONS["model.weights"].has_kinds
    assert "weights" == SECTIONS["model.weights"].name


def test_options_that_kinds_share_are_found_by_those_kinds():
    """Where default and docstring are the same; a default of its own is not shared."""
    shared = find_shared_options(SECTIONS["targets"])

    assert "tf32" in shared[TensorrtRtx, Tensorrt11, Tensorrt10]
    assert "frozen" in shared[Tensorrt11, Tensorrt10]
    assert not any("workspace" in names for kinds, names in shared.items() if TensorrtRtx in kinds)


def test_two_options_alike_are_not_worth_a_table():
    """They are told with each kind."""
    assert {} == find_shared_options(SECTIONS["quantization.calibrator"])


def test_defaults_are_written_as_in_a_recipe():
    """Lists in brackets, sections by their kind, nothing as `none`."""
    fields = SECTIONS["quantization"].classes[0].model_fields
    compare = SECTIONS["compare"].classes[0].model_fields

    assert "required" == format_default(Recipe.model_fields["name"])
    assert "none" == format_default(fields["data"])
    assert "true" == format_default(fields["keep_io_types"])
    assert "{kind: absmax}" == format_default(fields["weights"])
    assert "[cosine, sqnr_db, max_abs, top1_agreement]" == format_default(compare["metrics"])
