"""The JSON Schema that editors complete with."""

from __future__ import annotations

import functools
import json

from trtbuild import api
from trtbuild.core.options import describe_fields
from trtbuild.recipe.json_schema import make_json_schema
from trtbuild.recipe.schema import Compare, ProfileShapes, Quantization, Recipe

schema = functools.cache(make_json_schema)


def test_it_says_which_schema_it_is():
    """Editors choose their reading by it."""
    assert "https://json-schema.org/draft/2020-12/schema" == schema()["$schema"]
    assert "trtbuild recipe" == schema()["title"]
    assert schema()["description"]


def test_each_kind_is_a_choice_by_a_constant():
    """`kind: ` completes, and what follows is checked against that kind alone."""
    union = schema()["$defs"]["Quantization"]["properties"]["calibrator"]
    refs = [each["$ref"].rsplit("/", 1)[1] for each in union["oneOf"]]
    consts = {schema()["$defs"][ref]["properties"]["kind"]["const"] for ref in refs}

    assert set(union["discriminator"]["mapping"]) == consts
    assert consts >= {"minmax", "entropy2", "percentile"}


def test_every_kind_of_the_unions_is_in_it():
    """With its docstring, so that hovering explains."""
    for kinds in api.kinds().values():
        for kind in kinds:
            assert schema()["$defs"][kind.__name__]["description"]
            assert schema()["$defs"][kind.__name__]["additionalProperties"] is False


def test_it_allows_nothing_that_the_reader_refuses():
    """A key without a value is an error to the reader, so null is none of the types."""
    assert '"null"' not in json.dumps(schema())


def test_sizes_and_shares_may_be_text():
    """`4GiB` and `1%` are no errors in an editor."""
    target = schema()["$defs"]["TensorrtRtx"]["properties"]["workspace"]
    gate = schema()["$defs"]["Gate"]["properties"]["drop_at_most"]

    assert "string" in {each["type"] for each in target["anyOf"]}
    assert "string" in {each["type"] for each in gate["anyOf"]}


def test_every_option_of_a_section_is_described():
    """The text below each field is what hovering shows."""
    for section in (Recipe, Quantization, ProfileShapes, Compare):
        assert set(section.model_fields) == set(describe_fields(section))
        for name in section.model_fields:
            shown = schema() if section is Recipe else schema()["$defs"][section.__name__]
            assert shown["properties"][name]["description"]
