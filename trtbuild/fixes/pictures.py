"""From the bytes of a picture to what a model takes, as nodes of a graph, written as ONNX text.

`image` [batch, height, width, channels] comes in; each function hands a tensor on by its name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trtbuild.fixes.taps import Resampling, find_taps

if TYPE_CHECKING:
    import numpy as np

__all__ = ["write_gray", "write_numbers", "write_resized", "write_window"]

_LUMA = (19595, 38470, 7471)
"""0.299, 0.587 and 0.114 in 65536ths, as Pillow has them: sums stay whole in float32."""
_AXES = {"height": 1, "width": 2}
_PILLOW_BITS, _OPENCV_BITS = 22, 11
"""Their weights of bytes are whole numbers of so many bits behind the point."""


def _tensor(name: str, values: np.ndarray) -> str:
    """Write a constant; Python's digits of a float are enough to read it back."""
    kind = {"int64": "int64", "int32": "int32"}.get(str(values.dtype), "float")
    shape = f"[{', '.join(map(str, values.shape))}]" if values.ndim else ""
    inside = ", ".join(repr(each) for each in values.reshape(-1).tolist())
    return f"{name} = Constant<value = {kind}{shape} {{{inside}}}>() "


def _numbers(name: str, *values: float, after: int = 0) -> str:
    """Write floats, followed by as many axes of size 1."""
    import numpy as np

    made = np.array(values, np.float32)
    return _tensor(name, made.reshape(-1, *[1] * after) if len(values) > 1 else made.reshape(()))


def write_gray(source: str) -> tuple[str, str]:
    """Write the conversion to gray, bit for bit as Pillow does it."""
    text = _numbers("luma", *_LUMA) + _numbers("half", 32768.0) + _numbers("whole", 65536.0)
    text += "luma3 = Constant<value_ints = [3]>() "
    text += f"lit = Mul({source}, luma) sum = ReduceSum(lit, luma3) more = Add(sum, half) "
    return text + "part = Div(more, whole) gray = Floor(part) ", "gray"


def write_resized(
    source: str, old: tuple[int, int], new: tuple[int, int], how: Resampling
) -> tuple[str, str]:
    """Write the resizing of pictures of one size, across and then down; bytes stay whole.

    It sums over taps: a product of matrices would be quantized, and TensorRT has no Resize with
    antialiasing. Pillow and OpenCV reckon in whole numbers, and so does the graph for them, which
    16-bit floats then cannot spoil.
    """
    sizes = dict(zip(_AXES, zip(old, new, strict=True), strict=True))
    steps = [axis for axis in ("width", "height") if sizes[axis][0] != sizes[axis][1]]
    if not steps or how.interpolation == "nearest":
        text = ""
        for axis in steps:
            inside, _ = find_taps(*sizes[axis], how)
            text += _tensor(f"{axis}_from", inside[:, 0])
            text += f"{axis}_t = Gather<axis = {_AXES[axis]}>({source}, {axis}_from) "
            source = f"{axis}_t"
        return text, source
    if how.like == "opencv" and len(steps) == 1:
        steps = ["width", "height"]  # it rounds as often where one of them stays
    whole = how.like != "torchvision"
    text, source = (f"whole0 = Cast<to = 6>({source}) ", "whole0") if whole else ("", source)
    for axis in steps:
        more, source = _resample(source, axis, *sizes[axis], how, last=axis == steps[-1])
        text += more
    return (text + f"whole1 = Cast<to = 1>({source}) ", "whole1") if whole else (text, source)


def _resample(
    source: str, axis: str, old: int, new: int, how: Resampling, *, last: bool
) -> tuple[str, str]:
    """Write the sums of an axis, rounded as that library does."""
    import numpy as np

    inside, weights = find_taps(old, new, how)
    place, behind = _AXES[axis], 1 if axis == "width" else 2
    if how.like == "torchvision":
        factors: np.ndarray = weights.astype(np.float32)
    elif how.like == "pillow":
        factors = np.trunc(weights * 2.0**_PILLOW_BITS + np.copysign(0.5, weights)).astype(np.int32)
    else:
        factors = np.rint(weights.astype(np.float32) * 2.0**_OPENCV_BITS).astype(np.int32)
    text = _tensor(f"{axis}_from", inside)
    text += _tensor(f"{axis}_by", factors.reshape(*factors.shape, *[1] * behind))
    text += f"{axis}_axis = Constant<value_ints = [{place + 1}]>() "
    text += f"{axis}_t = Gather<axis = {place}>({source}, {axis}_from) "
    text += f"{axis}_w = Mul({axis}_t, {axis}_by) "
    made = f"{axis}_w"
    twice = how.like == "opencv" and how.interpolation == "bilinear"
    if twice and last:
        text += _shift(axis, made, 16)
        made = f"{axis}_d16"
    text += f"{axis}_s = ReduceSum<keepdims = 0>({made}, {axis}_axis) "
    more, made = _round(f"{axis}_s", axis, how, last=last)
    return text + more, made


def _shift(axis: str, source: str, bits: int) -> str:
    """Write a division by a power of two, towards 0; what is below that is cut off later."""
    import numpy as np

    text = _tensor(f"{axis}_2p{bits}", np.array(2**bits, np.int32))
    return text + f"{axis}_d{bits} = Div({source}, {axis}_2p{bits}) "


def _round(source: str, axis: str, how: Resampling, *, last: bool) -> tuple[str, str]:
    import numpy as np

    if how.like == "torchvision":
        if not last:
            return "", source
        text = _numbers("least", 0.0) + _numbers("largest", 255.0) + f"even = Round({source}) "
        return text + "bytes = Clip(even, least, largest) ", "bytes"
    if how.like == "opencv" and not last:
        bilinear = how.interpolation == "bilinear"
        return (_shift(axis, source, 4), f"{axis}_d4") if bilinear else ("", source)
    bits = _PILLOW_BITS
    if how.like == "opencv":
        bits = 2 if how.interpolation == "bilinear" else 2 * _OPENCV_BITS
    text = _tensor(f"{axis}_half", np.array(2 ** (bits - 1), np.int32))
    text += f"{axis}_h = Add({source}, {axis}_half) " + _shift(axis, f"{axis}_h", bits)
    text += _tensor(f"{axis}_0", np.array(0, np.int32))
    text += _tensor(f"{axis}_255", np.array(255, np.int32))
    return text + f"{axis}_c = Clip({axis}_d{bits}, {axis}_0, {axis}_255) ", f"{axis}_c"


def write_window(
    source: str, size: tuple[int, int], corner: tuple[int, int], window: tuple[int, int], pad: float
) -> tuple[str, str]:
    """Write what cuts a window out of a picture, and pads where the window is beyond it.

    `corner` is the window's top and left in the picture, which has this `size`.
    """
    import numpy as np

    if (*corner, *window) == (0, 0, *size):
        return "", source
    ends = [start + length for start, length in zip(corner, window, strict=True)]
    first = [max(start, 0) for start in corner]
    last = [min(end, length) for end, length in zip(ends, size, strict=True)]
    text = _tensor("cut_from", np.array(first, np.int64))
    text += _tensor("cut_to", np.array(last, np.int64))
    text += "cut_axes = Constant<value_ints = [1, 2]>() "
    text += f"cut = Slice({source}, cut_from, cut_to, cut_axes) "
    before = [max(-start, 0) for start in corner]
    after = [max(end - length, 0) for end, length in zip(ends, size, strict=True)]
    if not any((*before, *after)):
        return text, "cut"
    text += _tensor("pads", np.array([0, *before, 0, 0, *after, 0], np.int64))
    return text + _numbers("padding", pad) + "boxed = Pad(cut, pads, padding) ", "boxed"


def write_numbers(
    source: str,
    *,
    bgr: bool,
    scale: float,
    mean: Sequence[float],
    std: Sequence[float],
    channels_first: bool,
) -> tuple[str, str]:
    """Write channels in their order, scale, mean and std, and the layout: all in float32."""
    text = ""
    if bgr:
        text += "turned = Constant<value_ints = [2, 1, 0]>() "
        text += f"bgr = Gather<axis = 3>({source}, turned) "
        source = "bgr"
    if channels_first:
        text += f"first = Transpose<perm = [0, 3, 1, 2]>({source}) "
        source = "first"
    divisor, after = round(1 / scale), 2 if channels_first else 0
    if divisor >= 1 and 1 / divisor == scale:
        text += _numbers("by", float(divisor)) + f"scaled = Div({source}, by) "
    else:
        text += _numbers("by", scale) + f"scaled = Mul({source}, by) "
    source = "scaled"
    if mean:
        text += _numbers("mean", *mean, after=after) + f"centered = Sub({source}, mean) "
        source = "centered"
    if std:
        text += _numbers("std", *std, after=after) + f"normal = Div({source}, std) "
        source = "normal"
    return text, source
