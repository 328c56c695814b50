"""InputFeeding: what a recipe says of how a model input is fed."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from trtbuild.core.options import Options

__all__ = ["InputFeeding"]


class InputFeeding(Options):
    """How a model input is fed, where its shape and the samples leave that open."""

    batch_axis: Annotated[int, Field(ge=0)] | Literal["none"] | None = None
    """The axis that counts the samples, from 0 on; `none` where a run takes one array, whole. By
    default it is found: a dimension that inputs share by name, or else axis 0; an input of which a
    sample brings all axes has none."""
    fill: float | None = None
    """The one value that the input is filled with: no sample brings an array for it then, as for
    the first state of a recurrent model."""
    shape: tuple[Annotated[int, Field(ge=0)], ...] | None = None
    """The whole shape that is filled, where the model leaves more of it open than the batch and
    what other inputs decide by name; the batch axis in it is 1."""

    @model_validator(mode="after")
    def _shape_is_filled(self) -> Self:
        if self.shape is not None and self.fill is None:
            raise ValueError("`shape` says how much to fill: give `fill` as well")
        return self
