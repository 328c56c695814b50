"""Data sources; the union is the registry."""

from typing import Annotated

from pydantic import Field

from trtbuild.data.arrays import Arrays
from trtbuild.data.entrypoint import Python
from trtbuild.data.images import Images
from trtbuild.data.random import Random

__all__ = ["AnyDataSource"]

AnyDataSource = Annotated[Images | Arrays | Python | Random, Field(discriminator="kind")]
