"""The JSON Schema of recipes, with which editors complete, explain and check."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from trtbuild.recipe.schema import EXTENDS, Recipe

__all__ = ["make_json_schema"]


class _Schema(GenerateJsonSchema):
    """What pydantic makes, without null: a recipe leaves out what it does not say."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        made = super().default_schema(schema)
        if made.get("default", ...) is None:
            del made["default"]
        return made

    def field_title_should_be_set(self, schema: Any) -> bool:
        # `Compute Capabilities` says no more than `compute_capabilities`.
        del schema
        return False


def make_json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a recipe."""
    made = Recipe.model_json_schema(schema_generator=_Schema)
    # What a recipe needs, the one that it extends may say.
    needed = made.pop("required")
    made["anyOf"] = [{"required": needed}, {"required": [EXTENDS]}]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "trtbuild recipe",
        **{key: value for key, value in made.items() if key != "title"},
    }
