"""What looks wrong in samples: scaled twice or not at all, channels mixed up, all alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "find_picture_doubts",
    "find_same_samples",
    "find_sound_doubts",
    "find_token_doubts",
    "split_channels",
    "vary",
]

Arrays = Sequence["NDArray[Any]"]
_TWICE = 1.01 / 255
"""Pixels that are scaled by 1/255 twice lie in 0..1/255."""
_RAW = 2.0
"""Values of 0 and more that go beyond are bytes as they were."""
_LOUD = 4.0
_FULL, _MUCH = 0.99999, 0.01
"""Of the loudest value; the share of values there that is more than chance."""
_MANY_UNKNOWN, _MOSTLY = 0.1, 0.75
_STRIDE = 3
_SMOOTHER = 2.0
"""Neighbours in a picture are alike: where every third value is so much more so, three channels
lie side by side."""
_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def split_channels(array: NDArray[Any]) -> tuple[int, int] | None:
    """Return the axis of a picture's channels and how many there are; None where it is unclear."""
    for axis in (array.ndim - 3, array.ndim - 1):
        if array.ndim in (3, 4) and array.shape[axis] in (1, 3):
            return axis, array.shape[axis]
    return None


def find_same_samples(names: Sequence[str], arrays: Arrays) -> Iterator[str]:
    """Yield a doubt where samples are equal, as happens to what is read by a wrong path."""
    if len(arrays) > 1 and all(_equal(arrays[0], each) for each in arrays[1:]):
        yield f"all {len(arrays)} samples are equal ({names[0]}, {names[1]}, ...)"


def _equal(one: NDArray[Any], other: NDArray[Any]) -> bool:
    import numpy as np

    return one.shape == other.shape and bool(np.array_equal(one, other))


def find_sound_doubts(arrays: Arrays) -> Iterator[str]:
    """Yield what looks wrong in waveforms: silence, values of another scale, or cut off at its end.

    Args:
        arrays: [samples] each, or with axes of 1 before; from -1 to 1 as most models want them.
    """
    import numpy as np

    values = np.concatenate([np.abs(np.ravel(each)) for each in arrays])
    if not values.size or not values.max():
        yield "every sample is silent"
        return
    if values.max() > _LOUD:
        yield f"values go up to {values.max():.4g}: 16-bit samples that were never scaled to 1?"
    cut = float((values >= _FULL * values.max()).mean())
    if cut > _MUCH:
        yield f"{cut:.1%} of the values are at the loudest: the recordings are cut off"


def find_token_doubts(ids: Arrays, unknown: int | None, padding: int | None) -> Iterator[str]:
    """Yield what looks wrong in token ids: words that the tokenizer does not know, mostly padding.

    Args:
        ids: [tokens] each.
        unknown: the number of the token for what is not known, where there is one.
        padding: that of padding.
    """
    import numpy as np

    flat = np.concatenate([np.ravel(each) for each in ids])
    real = flat if padding is None else flat[flat != padding]
    share = float((real == unknown).mean()) if real.size and unknown is not None else 0.0
    if share > _MANY_UNKNOWN:
        yield f"{share:.0%} of the tokens are unknown words: is it the model's own tokenizer?"
    filled = 1 - real.size / flat.size if flat.size else 0.0
    if filled > _MOSTLY:
        yield f"{filled:.0%} of the tokens are padding: a smaller `max_length` would do"


def find_picture_doubts(arrays: Arrays, *, scales_itself: str = "") -> Iterator[str]:
    """Yield what looks wrong in pictures as a model is fed them, in words.

    Args:
        arrays: [channels, height, width] or channels last; a batch axis of 1 may stand before.
        scales_itself: the node by which the model brings 0..255 to 0..1; empty where none does.
    """
    import numpy as np

    values = [np.asarray(each, np.float64) for each in arrays if each.size]
    if not values:
        return
    low, high = min(map(np.min, values)), max(map(np.max, values))
    yield from _find_scale_doubts(float(low), float(high), arrays[0].dtype.kind, scales_itself)
    if low == high:
        yield f"every value is {low:.4g}"
        return
    found = [(each, split_channels(each)) for each in values]
    three = [(each, split[0]) for each, split in found if split is not None and split[1] == _STRIDE]
    if three and all(_is_grey(each, axis) for each, axis in three):
        yield "the three channels are equal in every sample: grey pictures, or one channel thrice"
    elif three and np.mean([_looks_interleaved(each) for each, _ in three]) > 1 / 2:
        yield (
            "every third value in a line is like the next, and neighbours are not: an array "
            "[height, width, 3] that was reshaped to [3, height, width]? Transpose it"
        )


def _find_scale_doubts(low: float, high: float, kind: str, itself: str) -> Iterator[str]:
    if kind != "f" or low < 0:
        return
    if 0 < high <= _TWICE:
        yield f"values lie in {low:.4g}..{high:.4g}: pixels scaled by 1/255 twice?"
    elif itself and high <= 1:
        yield f"values lie in 0..1, and the model divides by 255 itself (`{itself}`): scaled twice?"
    elif high > _RAW and not itself:
        yield (
            f"values lie in {low:.4g}..{high:.4g}: pixels that were never scaled? The model has "
            "no node that does"
        )


def _is_grey(array: NDArray[np.float64], axis: int) -> bool:
    import numpy as np

    first = np.take(array, [0], axis)
    spread = float(array.max() - array.min()) or 1.0
    # Mean and deviation of each channel make equal pixels unlike: up to a line they stay equal.
    flat = np.moveaxis(array, axis, 0).reshape(array.shape[axis], -1)
    if float(np.abs(array - first).max()) < spread / 1000:
        return True
    deviations = flat.std(axis=1, keepdims=True)
    if not deviations.all():
        return False
    lines = (flat - flat.mean(axis=1, keepdims=True)) / deviations
    return float(np.abs(lines - lines[:1]).max()) < 0.01  # noqa: PLR2004


def _looks_interleaved(array: NDArray[np.float64]) -> bool:
    import numpy as np

    if array.shape[-1] <= 2 * _STRIDE:
        return False
    near = float(np.abs(array[..., _STRIDE:] - array[..., _STRIDE - 1 : -1]).mean())
    third = float(np.abs(array[..., _STRIDE:] - array[..., :-_STRIDE]).mean())
    return near > _SMOOTHER * third


def vary(array: NDArray[Any]) -> Mapping[str, NDArray[np.float32]]:
    """Return a picture as it is and as it would be, had usual mistakes not been made, by words."""
    import numpy as np

    values = np.asarray(array, np.float32)
    found: dict[str, NDArray[Any]] = {"as they are": values}
    split = split_channels(values)
    if split is not None and split[1] == _STRIDE:
        axis = split[0]
        found["channels reversed (RGB and BGR)"] = np.flip(values, axis)
        shape = [-1 if each == axis else 1 for each in range(values.ndim)]
        mean, std = (np.array(each).reshape(shape) for each in _IMAGENET)
        found["less ImageNet's mean, by its deviation"] = (values - mean) / std
        found["ImageNet's mean and deviation undone"] = values * std + mean
    found["times 255"] = values * 255
    found["divided by 255"] = values / 255
    return {name: np.ascontiguousarray(each, np.float32) for name, each in found.items()}
