"""Frames on a GPU become what a model takes: all of a batch by one kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from trtbuild.core.errors import StepInputError
from trtbuild.data.on_gpu.kernel import (
    FRAME,
    PARAMS,
    PREPARE,
    THREADS,
    TILE_HEIGHT,
    TILE_WIDTH,
    write_source,
)
from trtbuild.data.on_gpu.taps import ARITHMETICS, ByteTaps, find_taps

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trtbuild.data.preprocess import Preprocess
    from trtbuild.data.view import View
    from trtbuild.model.cuda_work import CudaWork

__all__ = ["FrameKernel", "FrameOnGpu"]

MOST_SHARED_BYTES = 160 << 10
"""Of a block; what shrinks so much that a tile needs more is refused."""
USUAL_SHARED_BYTES = 48 << 10
ROOMS = 4
"""Batches whose tables may be on their way to the device at a time."""
CHANNELS = (1, 3, 4)


class FrameOnGpu(NamedTuple):
    """A uint8 picture [height, width, channels] in the memory of the device."""

    address: int
    height: int
    width: int
    channels: int
    pitch: int
    """Bytes from one row to the next."""


class _Planned(NamedTuple):
    """What is known of all frames of one size."""

    view: View
    taps: ByteTaps
    columns: int
    """Where its taps begin in the tables."""
    rows: int
    shared_bytes: int


class _Room:
    """The tables of a batch, on the host and on the device."""

    def __init__(self) -> None:
        self.size = 0
        self.address = 0
        self.host: Any = None
        self.event: Any = None
        self.known = b""
        """What lies there."""


class FrameKernel:
    """Resizes, pads, crops, orders channels, scales and normalizes as a `Preprocess` says.

    The numbers are those that `Preprocess.apply` makes of the same bytes on the CPU, bit for bit.
    """

    def __init__(self, how: Preprocess, work: CudaWork, *, bgr: bool = False) -> None:
        """Compile the kernel; frames are RGB, or with `bgr` as OpenCV has them."""
        self._how = how
        self._work = work
        self._bgr = bgr
        self._kernel = work.compile(write_source(), [PREPARE])[PREPARE]
        self._allowed = USUAL_SHARED_BYTES
        self._planned: dict[tuple[int, int], _Planned] = {}
        self._inside, self._weights = 0, 0
        self._tables: list[tuple[NDArray[Any], NDArray[Any]]] = []
        self._rooms = [_Room() for _ in range(ROOMS)]
        self._turn = 0
        table = make_table(how)
        self._table = work.allocate(table.nbytes)
        work.upload(self._table, table)
        work.wait()

    def find_shape(self, frames: Sequence[FrameOnGpu]) -> tuple[int, ...]:
        """Return the shape of what a batch becomes.

        Raises:
            StepInputError: the frames come to have several sizes, or one is smaller than the crop.
        """
        sizes = {self._plan(each).view.size for each in frames}
        if len(sizes) != 1:
            raise StepInputError(
                f"frames of one batch come to have several sizes: {sorted(sizes)}",
                hint="resize to [height, width], or crop",
            )
        width, height = sizes.pop()
        channels = self._how.channels
        chw = self._how.layout == "chw"
        return (len(frames), *((channels, height, width) if chw else (height, width, channels)))

    def run(self, frames: Sequence[FrameOnGpu], out: int) -> None:
        """Write what a batch becomes to memory of the device; nothing waits for it.

        Raises:
            StepInputError: as `find_shape`, or a frame is no picture.
        """
        import numpy as np

        shape = self.find_shape(frames)
        planned = [self._plan(each) for each in frames]
        params, rows = np.zeros(1, PARAMS), np.zeros(len(frames), FRAME)
        self._fill_params(params, shape)
        for row, frame, known in zip(rows, frames, planned, strict=True):
            _fill_frame(row, frame, known)
        shared = max(each.shared_bytes for each in planned)
        self._allow(shared)
        where = self._upload(params, rows)
        at = [where, where + params.nbytes, self._inside, self._weights, self._table, out]
        width, height = planned[0].view.size
        grid = (-(-width // TILE_WIDTH), -(-height // TILE_HEIGHT), len(frames))
        given = [np.uint64(each) for each in at]
        self._work.launch(self._kernel, grid, THREADS, *given, shared=shared)
        self._rooms[self._turn].event = self._work.record()
        self._turn = (self._turn + 1) % ROOMS

    def _upload(self, params: NDArray[Any], frames: NDArray[Any]) -> int:
        """Copy the tables of a batch to the device, by memory that no batch before still needs."""
        import numpy as np

        known = params.tobytes() + frames.tobytes()
        last = self._rooms[self._turn - 1]
        if known == last.known:  # the same memory again, as of a camera
            self._turn = (self._turn - 1) % ROOMS
            return last.address
        room, size = self._rooms[self._turn], len(known)
        if room.event is not None:
            room.event.sync()
        if size > room.size:
            room.size = 2 * size
            room.address, room.host = self._work.allocate(room.size), self._work.pin(room.size)
        room.host[:size] = np.frombuffer(known, np.uint8)
        room.known = known
        self._work.upload(room.address, room.host[:size])
        return room.address

    def _allow(self, shared: int) -> None:
        if shared > MOST_SHARED_BYTES:
            raise StepInputError(
                "pictures are shrunk too much for the GPU's kernel",
                hint="shrink them in two steps, or prepare them on the CPU",
            )
        if shared > self._allowed:
            self._work.allow_shared(self._kernel, MOST_SHARED_BYTES)
            self._allowed = MOST_SHARED_BYTES

    def _fill_params(self, params: NDArray[Any], shape: tuple[int, ...]) -> None:
        how, channels = self._how, self._how.channels
        height, width = shape[2:] if how.layout == "chw" else shape[1:3]
        params["width"], params["height"], params["channels"] = width, height, channels
        params["item_bytes"] = {"float32": 4, "float16": 2, "uint8": 1}[how.dtype]
        params["pad"] = how.pad
        params["bgr_frames"], params["bgr_model"] = self._bgr, how.color == "bgr"
        chw = how.layout == "chw"
        params["channel_step"] = height * width if chw else 1
        params["row_step"] = width if chw else width * channels
        params["pixel_step"] = 1 if chw else channels
        params["frame_step"] = channels * height * width

    def _plan(self, frame: FrameOnGpu) -> _Planned:
        if frame.channels not in CHANNELS or frame.height < 1 or frame.width < 1:
            raise StepInputError(
                f"a frame of {frame.height} x {frame.width} pixels with {frame.channels} channels "
                "is no picture",
                hint="give uint8 [height, width, 3] or [height, width]",
            )
        size = (frame.width, frame.height)
        if size not in self._planned:
            self._planned[size] = self._make_plan(size)
        return self._planned[size]

    def _make_plan(self, size: tuple[int, int]) -> _Planned:
        import numpy as np

        view = self._how.view(*size)
        crop = self._how.crop
        if (
            crop
            and self._how.fit != "letterbox"
            and any(part < least for part, least in zip(view.resized, crop[::-1], strict=True))
        ):
            raise StepInputError(
                f"a frame becomes {view.resized[1]}x{view.resized[0]} (height x width), smaller "
                f"than the crop {crop[0]}x{crop[1]}",
                hint="resize to at least the crop's size, or crop less",
            )
        taps = find_taps(self._how, size, view.resized)
        columns = sum(each.size for each, _ in self._tables)
        rows = columns + taps.columns.size
        self._tables += [
            (taps.columns.ravel(), taps.column_weights.view(np.int32).ravel()),
            (taps.rows.ravel(), taps.row_weights.view(np.int32).ravel()),
        ]
        self._work.wait()  # kernels under way may read the tables as they are
        self._inside, self._weights = (
            self._replace(old, np.concatenate(parts))
            for old, parts in zip(
                (self._inside, self._weights), zip(*self._tables, strict=True), strict=True
            )
        )
        return _Planned(view, taps, columns, rows, _count_shared(taps, view, self._how.channels))

    def _replace(self, address: int, table: NDArray[Any]) -> int:
        if address:
            self._work.free(address)
        made = self._work.allocate(table.nbytes)
        self._work.upload(made, table)
        self._work.wait()
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


def _fill_frame(row: Any, frame: FrameOnGpu, known: _Planned) -> None:
    width, height = known.view.resized
    left, top = known.view.corner
    row["pixels"], row["pitch"], row["channels"] = frame.address, frame.pitch, frame.channels
    row["width"], row["height"], row["left"], row["top"] = width, height, left, top
    row["columns"], row["rows"] = known.columns, known.rows
    row["column_taps"], row["row_taps"] = known.taps.columns.shape[1], known.taps.rows.shape[1]
    row["rows_first"] = known.taps.rows_first
    row["arithmetic"] = ARITHMETICS.index(known.taps.arithmetic)


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
