"""An input of a model that is exported, as a recipe describes it."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from pydantic import Field

from trtbuild.core.options import Options
from trtbuild.core.values import TensorSpec

__all__ = ["InputSpec", "find_clash", "list_specs"]

DimensionName = Annotated[str, Field(pattern="^[A-Za-z_][A-Za-z0-9_]*$")]
Extent = Annotated[int, Field(ge=1)]


class InputSpec(Options):
    """An input of the exported model: its dtype and shape; a text names a dynamic dimension."""

    dtype: Literal["float32", "float16", "int64", "int32", "uint8", "bool"] = "float32"
    """NumPy's word for the type of its values."""
    shape: tuple[Extent | DimensionName, ...]
    """Sizes, or names for dimensions that stay dynamic; equal names are equal sizes."""


def list_specs(inputs: Mapping[str, InputSpec]) -> tuple[TensorSpec, ...]:
    """Return inputs as other models have them."""
    return tuple(
        TensorSpec(name=name, dtype=each.dtype, shape=each.shape) for name, each in inputs.items()
    )


def find_clash(inputs: Iterable[str], outputs: Iterable[str]) -> str:
    """Say which output has the name of an input, or of another output; nothing where none has."""
    names = [*inputs, *outputs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is None:
        return ""
    other = "an input" if twice in inputs else "another output"
    return f"the output `{twice}` is called like {other}; write `{twice}_out` for it"
