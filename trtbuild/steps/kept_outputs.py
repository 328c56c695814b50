"""What a model makes of samples, as rows: a row a sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from trtbuild.core.errors import StepInputError

if TYPE_CHECKING:
    import numpy as np

    from trtbuild.core.values import TensorSpec
    from trtbuild.model.feeds import Feeder

__all__ = ["KeptOutputs"]


class KeptOutputs:
    """What was kept of each output, and what was odd about it."""

    def __init__(self, outputs: Sequence[TensorSpec], feeder: Feeder, *, reference: bool) -> None:
        self._reference = reference
        self._axes = {spec.name: feeder.find_batch_axis(spec) for spec in outputs}
        self._ranks: dict[str, int] = {}
        self._odd: dict[str, list[str]] = {}

    def rows(
        self, outputs: Mapping[str, np.ndarray], samples: Sequence[str]
    ) -> Iterator[tuple[str, np.ndarray]]:
        """Yield each output as rows, a row a sample; those of several feeds may differ in size."""
        for name, values in outputs.items():
            rows = _rows(name, values, len(samples), self._axes.get(name, 0))
            known = self._ranks.setdefault(name, rows.ndim)
            if rows.ndim != known:
                raise StepInputError(
                    f"output `{name}` has shape {list(rows.shape[1:])} for {samples[0]}, and "
                    f"{known - 1} axes for the samples before",
                    hint="outputs whose axes depend on the data cannot be compared",
                )
            yield from self.look_at({name: rows}, samples)

    def look_at(
        self, outputs: Mapping[str, np.ndarray], samples: Sequence[str]
    ) -> Iterator[tuple[str, np.ndarray]]:
        """Yield outputs that are rows already, and remember what is odd about them."""
        for name, rows in outputs.items():
            self._look_at(name, rows, samples)
            yield name, rows

    def _look_at(self, name: str, rows: np.ndarray, samples: Sequence[str]) -> None:
        import numpy as np

        if rows.dtype.kind != "f" or np.isfinite(rows).all():
            return
        for row, sample in zip(rows, samples, strict=True):
            if self._reference and np.isnan(row).any():
                raise StepInputError(
                    f"output `{name}` of the reference is NaN for {sample}: nothing can be "
                    "compared with it",
                    hint="look at that sample, and at the model's weights",
                )
            if not np.isfinite(row).all():
                self._odd.setdefault(name, []).append(sample)

    def notes(self) -> Iterator[str]:
        """Say for which samples an output holds values that are not finite."""
        for name, samples in self._odd.items():
            yield (
                f"output `{name}` holds NaN or infinite values for {len(samples)} samples "
                f"(the first: {samples[0]})"
            )


def _rows(name: str, values: np.ndarray, count: int, axis: int | None) -> np.ndarray:
    """Return an output with axis 0 = samples; one without a batch axis is one sample's whole."""
    import numpy as np

    if values.dtype.kind not in "biuf":
        raise StepInputError(
            f"output `{name}` holds {values.dtype}, which is no number and cannot be compared"
        )
    if axis is not None and axis < values.ndim and values.shape[axis] == count:
        return np.moveaxis(values, axis, 0)
    if count == 1:
        return values[None]
    raise StepInputError(
        f"output `{name}` has shape {list(values.shape)} for a batch of {count}",
        hint="an axis of every output must be the batch, the first unless others are named so",
    )
