"""What samples must have in common, checked once for all sources; their manifest."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from trtbuild.core.digest import digest_of_bytes, digest_of_tree
from trtbuild.core.errors import StepInputError
from trtbuild.core.values import TensorSpec
from trtbuild.data.base import Manifest, Sample, SizeSpan, ValueSpan

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Survey", "digest_of_sample"]


def digest_of_sample(sample: Sample) -> str:
    """Return the digest of a sample's arrays (names, dtypes, shapes, values) and label."""
    arrays = {
        name: [array.dtype.name, list(array.shape), digest_of_bytes(_little_endian(array))]
        for name, array in sample.arrays.items()
    }
    if sample.truth is None:
        return digest_of_tree({"arrays": arrays, "label": sample.label})
    kind, shape = sample.truth.dtype.name, list(sample.truth.shape)
    truth = [kind, shape, digest_of_bytes(_little_endian(sample.truth))]
    return digest_of_tree({"arrays": arrays, "label": truth})


def _little_endian(array: NDArray[Any]) -> bytes:
    return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


class Survey:
    """Looks at every sample of a source once, and remembers no array."""

    def __init__(self) -> None:
        self._digests: list[str] = []
        self._labels: list[int | None] = []
        self._tensors: tuple[TensorSpec, ...] = ()
        self._spans: dict[tuple[str, int], SizeSpan] = {}
        self._peaks: dict[str, list[float]] = {}
        self._moments: dict[str, list[float]] = {}

    def add(self, sample: Sample) -> None:
        """Check a sample and count it.

        Raises:
            StepInputError: it holds NaN or infinity, or has other arrays, dtypes or axes than those
                before.
        """
        for name, array in sample.arrays.items():
            _demand_finite(sample.name, name, array)
            if array.dtype.kind == "f" or array.dtype == "uint8":
                self._measure(name, array)
                self._peaks.setdefault(name, []).append(_find_peak(array))
        tensors = tuple(
            TensorSpec(name=name, dtype=array.dtype.name, shape=array.shape)
            for name, array in sorted(sample.arrays.items())
        )
        if self._digests and tensors != self._tensors:
            self._widen(sample.name, tensors)
        else:
            self._tensors = tensors
        self._digests.append(digest_of_sample(sample))
        self._labels.append(sample.label)

    def _widen(self, sample: str, tensors: tuple[TensorSpec, ...]) -> None:
        """Note the axes on which a sample differs from the first."""
        kinds, before = (
            [(spec.name, spec.dtype, len(spec.shape)) for spec in specs]
            for specs in (tensors, self._tensors)
        )
        if kinds != before:
            raise _odd(sample, tensors, self._tensors)
        for mine, first in zip(tensors, self._tensors, strict=True):
            for axis, (size, usual) in enumerate(zip(mine.shape, first.shape, strict=True)):
                assert isinstance(size, int) and isinstance(usual, int)  # noqa: S101, PT018
                place = (mine.name, axis)
                if size == usual and place not in self._spans:
                    continue
                span = self._spans.get(place) or SizeSpan(
                    tensor=mine.name,
                    axis=axis,
                    least=usual,
                    most=usual,
                    first=len(self._digests),
                )
                self._spans[place] = span.model_copy(
                    update={"least": min(span.least, size), "most": max(span.most, size)}
                )

    def _describe(self, spec: TensorSpec) -> TensorSpec:
        spans = {axis: span for (name, axis), span in self._spans.items() if name == spec.name}
        shape = tuple(
            f"{spans[axis].least}..{spans[axis].most}" if axis in spans else size
            for axis, size in enumerate(spec.shape)
        )
        return spec.model_copy(update={"shape": shape})

    def manifest(self) -> Manifest:
        """Return what was found.

        Raises:
            StepInputError: there was no sample.
        """
        if not self._digests:
            raise StepInputError("the data holds no samples", hint="look at the source's files")
        labels = tuple(label for label in self._labels if label is not None)
        labelled = len(labels) == len(self._labels)
        return Manifest(
            count=len(self._digests),
            samples=tuple(self._digests),
            tensors=tuple(map(self._describe, self._tensors)),
            sizes=tuple(span for _, span in sorted(self._spans.items())),
            labelled=labelled,
            labels=labels if labelled else (),
            peaks={name: tuple(peaks) for name, peaks in sorted(self._peaks.items())},
            spans={name: _span(*found) for name, found in sorted(self._moments.items())},
        )

    def _measure(self, name: str, array: NDArray[Any]) -> None:
        import numpy as np

        if array.size:
            wide = array.astype(np.float64)
            found = [wide.min(), wide.max(), wide.sum(), np.square(wide).sum(), wide.size]
            low, high, *sums = self._moments.get(name, [math.inf, -math.inf, 0, 0, 0])
            self._moments[name] = [
                min(low, float(found[0])),
                max(high, float(found[1])),
                *(float(old + new) for old, new in zip(sums, found[2:], strict=True)),
            ]


def _span(low: float, high: float, total: float, squares: float, count: float) -> ValueSpan:
    mean = total / count
    deviation = math.sqrt(max(squares / count - mean * mean, 0.0))
    # The last bits of a sum depend on the processor.
    rounded = (float(f"{value:.5g}") for value in (low, high, mean, deviation))
    return ValueSpan(
        **dict(zip(("low", "high", "mean", "deviation"), rounded, strict=True)), values=int(count)
    )


def _find_peak(array: NDArray[Any]) -> float:
    return max(abs(float(array.min())), abs(float(array.max()))) if array.size else 0.0


def _demand_finite(sample: str, name: str, array: NDArray[Any]) -> None:
    import numpy as np

    if array.dtype.kind != "f" or np.isfinite(array).all():
        return
    nans, infinities = int(np.isnan(array).sum()), int(np.isinf(array).sum())
    first = [int(index) for index in np.argwhere(~np.isfinite(array))[0]]
    raise StepInputError(
        f"{sample}: input `{name}` holds {nans} NaN and {infinities} infinite values,"
        f" the first at {first}",
        hint="repair the sample, or take it out of the data",
    )


def _odd(
    sample: str, tensors: tuple[TensorSpec, ...], before: tuple[TensorSpec, ...]
) -> StepInputError:
    ours, theirs = ({spec.name: spec for spec in specs} for specs in (tensors, before))
    for name in sorted(ours.keys() | theirs.keys()):
        mine, other = _words(ours.get(name)), _words(theirs.get(name))
        if mine != other:
            break
    return StepInputError(
        f"{sample}: its `{name}` is {mine}; in the samples before it is {other}",
        hint="all samples must have the same arrays, dtypes and numbers of axes",
    )


def _words(spec: TensorSpec | None) -> str:
    return f"{spec.dtype} {list(spec.shape)}" if spec else "missing"
