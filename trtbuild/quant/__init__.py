"""Which tensors become INT8, and the Q/DQ pairs that make them so."""

from typing import Annotated

from pydantic import Field

from trtbuild.quant.weights import Absmax, Mse

__all__ = ["Weights"]

Weights = Annotated[Absmax | Mse, Field(discriminator="kind")]
