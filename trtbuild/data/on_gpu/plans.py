"""What the kernels need to know of frames of one size, and of what a byte becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from trtbuild.core.errors import StepInputError
from trtbuild.data.on_gpu.direct_kernel import MOST_TAPS
from trtbuild.data.on_gpu.kernel import FRAME, PARAMS, TILE_HEIGHT, TILE_WIDTH
from trtbuild.data.on_gpu.taps import ARITHMETICS, ByteTaps, find_taps

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trtbuild.data.preprocess import Preprocess
    from trtbuild.data.view import View

__all__ = ["PlannedSize", "make_params", "make_table", "plan_size"]

_WORD_CHANNELS = 3


class PlannedSize(NamedTuple):
    """What is known of all frames of one size."""

    view: View
    taps: ByteTaps
    shared_bytes: int
    """That a block of the kernel needs which weighs one axis after the other."""
    direct: bool
    """Whether each pixel takes so few that nothing need be shared."""

    def make_row(self, channels: int, columns: int, rows: int) -> NDArray[Any]:
        """Return what the kernels are told of such a frame, but where it is.

        `columns` and `rows` are where its taps begin in the tables.
        """
        import numpy as np

        made = np.zeros(1, FRAME)
        made["channels"] = channels
        made["width"], made["height"] = self.view.resized
        made["left"], made["top"] = self.view.corner
        made["columns"], made["rows"] = columns, rows
        made["column_taps"] = self.taps.columns.shape[1]
        made["row_taps"] = self.taps.rows.shape[1]
        made["rows_first"] = self.taps.rows_first
        made["arithmetic"] = ARITHMETICS.index(self.taps.arithmetic)
        apart = self.taps.columns[:, -1] - self.taps.columns[:, 0]
        made["near"] = channels == _WORD_CHANNELS and bool(((apart == 0) | (apart == 1)).all())
        return made


def plan_size(how: Preprocess, size: tuple[int, int], *, thinned: bool = False) -> PlannedSize:
    """Return what is known of frames of a size (width, height), or of those rows that are taken.

    Raises:
        StepInputError: such a frame is smaller than the crop.
    """
    view, crop = how.view(*size), how.crop
    if (
        crop
        and how.fit != "letterbox"
        and any(part < least for part, least in zip(view.resized, crop[::-1], strict=True))
    ):
        raise StepInputError(
            f"a frame becomes {view.resized[1]}x{view.resized[0]} (height x width), smaller "
            f"than the crop {crop[0]}x{crop[1]}",
            hint="resize to at least the crop's size, or crop less",
        )
    taps = find_taps(how, size, view.resized)
    if thinned:
        taps = taps.thin()
    most = max(taps.columns.shape[1], taps.rows.shape[1])
    direct = most <= MOST_TAPS and not taps.rows_first
    return PlannedSize(view, taps, _count_shared(taps, view, how.channels), direct)


def make_params(how: Preprocess, shape: tuple[int, ...], *, bgr: bool) -> NDArray[Any]:
    """Return what the kernels are told of a batch that comes to have a shape."""
    import numpy as np

    made, channels, chw = np.zeros(1, PARAMS), how.channels, how.layout == "chw"
    height, width = shape[2:] if chw else shape[1:3]
    made["width"], made["height"], made["channels"] = width, height, channels
    made["item_bytes"] = {"float32": 4, "float16": 2, "uint8": 1}[how.dtype]
    made["pad"] = how.pad
    made["bgr_frames"], made["bgr_model"] = bgr, how.color == "bgr"
    made["channel_step"] = height * width if chw else 1
    made["row_step"] = width if chw else width * channels
    made["pixel_step"] = 1 if chw else channels
    made["frame_step"] = channels * height * width
    return made


def make_table(how: Preprocess) -> NDArray[np.uint32]:
    """Return what each byte becomes in each channel of the model [channels, 256]: its bits."""
    import numpy as np

    levels = np.arange(256, dtype=np.uint8)[:, None, None].repeat(how.channels, 2)
    values = how.normalize(levels)  # the CPU's own arithmetic
    by_channel = values if how.layout == "chw" else np.moveaxis(values, -1, 0)
    flat = np.ascontiguousarray(by_channel).reshape(how.channels, 256)
    bits: NDArray[np.uint32] = flat.view(f"u{flat.itemsize}").astype(np.uint32)
    return bits


def _count_shared(taps: ByteTaps, view: View, channels: int) -> int:
    """Return how many bytes a block needs between the axes, in the tile that needs most."""
    rows = _count_slots(taps.rows, view.corner[1], view.size[1], TILE_HEIGHT)
    columns = _count_slots(taps.columns, view.corner[0], view.size[0], TILE_WIDTH)
    values = columns * TILE_HEIGHT if taps.rows_first else rows * TILE_WIDTH
    return 4 * channels * values


def _count_slots(inside: NDArray[np.int32], corner: int, size: int, tile: int) -> int:
    most, taps = 1, inside.shape[1]
    for start in range(0, size, tile):
        begin, end = max(start + corner, 0), min(min(start + tile, size) + corner, len(inside))
        if begin < end:
            span = int(inside[end - 1, -1]) - int(inside[begin, 0]) + 1
            most = max(most, min(span, (end - begin) * taps))
    return most
