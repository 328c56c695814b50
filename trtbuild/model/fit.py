"""Whether arrays fit the tensors that they are for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from trtbuild.core.errors import StepInputError
from trtbuild.core.values import TensorSpec

if TYPE_CHECKING:
    import numpy as np

__all__ = ["demand_fit", "fits"]


def fits(shape: Sequence[int | str], wanted: Sequence[int | str]) -> bool:
    """Tell whether a shape has as many axes as wanted, and the sizes that are not left open."""
    return len(shape) == len(wanted) and all(
        isinstance(size, str) or size == given for size, given in zip(wanted, shape, strict=True)
    )


def demand_fit(feed: Mapping[str, np.ndarray], specs: Sequence[TensorSpec], *, of: str) -> None:
    """Demand an array for every input, of its dtype and shape, and none beside; `of` has them.

    Raises:
        StepInputError: names the first array that does not fit, and what would.
    """
    for told in _misfits(feed, {spec.name: spec for spec in specs}, of):
        raise StepInputError(told, hint="an array a model input, batch axis first")


def _misfits(
    feed: Mapping[str, np.ndarray], specs: Mapping[str, TensorSpec], of: str
) -> Iterator[str]:
    for name in sorted(feed.keys() - specs.keys()):
        yield f"`{name}` is no input of {of}, which has {', '.join(specs)}"
    for name, spec in specs.items():
        array = feed.get(name)
        if array is None:
            yield f"there is no array for the input `{name}`"
            continue
        if not fits(array.shape, spec.shape) or array.dtype.name != spec.dtype:
            wanted = ", ".join(map(str, spec.shape))
            yield (
                f"`{name}` is {array.dtype.name} {list(array.shape)}; it must be "
                f"{spec.dtype} [{wanted}]"
            )
