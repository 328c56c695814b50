"""Frames on a GPU become what a model takes: all of a batch by one kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from trtbuild.core.errors import StepInputError
from trtbuild.data.on_gpu.direct_kernel import DIRECT, DIRECT_HEIGHT, DIRECT_WIDTH, ONE
from trtbuild.data.on_gpu.kernel import PREPARE, THREADS, TILE_HEIGHT, TILE_WIDTH, write_source
from trtbuild.data.on_gpu.plans import PlannedSize, make_params, make_table, plan_size
from trtbuild.data.on_gpu.taps import find_taps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trtbuild.data.preprocess import Preprocess
    from trtbuild.model.cuda_work import CudaWork

__all__ = ["FrameKernel", "FrameOnGpu"]

MOST_SHARED_BYTES = 160 << 10
"""Of a block; what shrinks so much that a tile needs more is refused."""
USUAL_SHARED_BYTES = 48 << 10
ROOMS = 8
"""Batches whose tables may be on their way to the device at a time."""
MOST_KINDS = 64
"""Of batches, by the sizes of their frames, that are remembered."""
CHANNELS = (1, 3, 4)


class FrameOnGpu(NamedTuple):
    """A uint8 picture [height, width, channels] in the memory of the device."""

    address: int
    height: int
    width: int
    channels: int
    pitch: int
    """Bytes from one row to the next."""
    thinned: bool = False
    """Whether those of its rows alone lie there that are taken (`FrameKernel.list_rows`)."""


class _Batch(NamedTuple):
    """What all batches of frames of these sizes have in common."""

    shape: tuple[int, ...]
    params: NDArray[Any]
    rows: NDArray[Any]
    """A row a frame, but for where it is."""
    kernel: str
    grid: tuple[int, int, int]
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
        """Make the tables of bytes; frames are RGB, or with `bgr` as OpenCV has them."""
        self._how = how
        self._work = work
        self._bgr = bgr
        self._kernels: dict[str, Any] = {}
        self._allowed = USUAL_SHARED_BYTES
        self._planned: dict[tuple[int, int, bool], PlannedSize] = {}
        self._places: dict[tuple[int, int, bool], tuple[int, int]] = {}
        self._batches: dict[tuple[tuple[int, int, int, bool], ...], _Batch] = {}
        self._rows: dict[tuple[int, int], NDArray[Any]] = {}
        self._inside, self._weights = 0, 0
        self._tables: list[tuple[NDArray[Any], NDArray[Any]]] = []
        self._rooms = [_Room() for _ in range(ROOMS)]
        self._turn = 0
        table = make_table(how)
        self._table = work.allocate(table.nbytes)
        work.upload(self._table, table)
        work.wait()

    def list_rows(self, width: int, height: int) -> NDArray[Any]:
        """Return which rows of a frame go into any pixel, in order."""
        if (width, height) not in self._rows:
            taps = find_taps(self._how, (width, height), self._how.view(width, height).resized)
            self._rows[width, height] = taps.list_rows()
        return self._rows[width, height]

    def find_shape(self, frames: Sequence[FrameOnGpu]) -> tuple[int, ...]:
        """Return the shape of what a batch becomes.

        Raises:
            StepInputError: the frames come to have several sizes, or one is smaller than the crop.
        """
        return self._find_batch(frames).shape

    def run(self, frames: Sequence[FrameOnGpu], out: int) -> None:
        """Write what a batch becomes to memory of the device; nothing waits for it.

        Raises:
            StepInputError: as `find_shape`, or a frame is no picture.
        """
        import numpy as np

        batch = self._find_batch(frames)
        rows = batch.rows.copy()
        rows["pixels"] = [each.address for each in frames]
        rows["pitch"] = [each.pitch for each in frames]
        kernel, room = self._find_kernel(batch.kernel), None
        if batch.kernel == ONE:
            given = [*batch.params.view(np.uint64), *rows.view(np.uint64)]
        else:
            self._allow(batch.shared_bytes)
            room = self._upload(batch.params, rows)
            given = [np.uint64(room.address), np.uint64(room.address + batch.params.nbytes)]
        more = (self._inside, self._weights, self._table, out)
        self._work.launch(
            kernel, batch.grid, THREADS, *given, *map(np.uint64, more), shared=batch.shared_bytes
        )
        if room is not None:
            room.event = self._work.record()

    def _find_kernel(self, name: str) -> Any:
        if name not in self._kernels:
            source = write_source([name], self._how.channels)
            self._kernels |= self._work.compile(source, [name])
        return self._kernels[name]

    def _upload(self, params: NDArray[Any], rows: NDArray[Any]) -> _Room:
        """Copy the tables of a batch to the device, by memory that no batch before still needs."""
        import numpy as np

        known = params.tobytes() + rows.tobytes()
        for room in self._rooms:
            if room.known == known:  # the same memory again, as of a ring of frames
                return room
        room, size = self._rooms[self._turn], len(known)
        self._turn = (self._turn + 1) % ROOMS
        if room.event is not None:
            room.event.sync()
        if size > room.size:
            room.size = 2 * size
            room.address, room.host = self._work.allocate(room.size), self._work.pin(room.size)
        room.host[:size] = np.frombuffer(known, np.uint8)
        room.known = known
        self._work.upload(room.address, room.host[:size])
        return room

    def _allow(self, shared: int) -> None:
        if shared > MOST_SHARED_BYTES:
            raise StepInputError(
                "pictures are shrunk too much for the GPU's kernel",
                hint="shrink them in two steps, or prepare them on the CPU",
            )
        if shared > self._allowed:
            self._work.allow_shared(self._find_kernel(PREPARE), MOST_SHARED_BYTES)
            self._allowed = MOST_SHARED_BYTES

    def _find_batch(self, frames: Sequence[FrameOnGpu]) -> _Batch:
        sizes = tuple((each.width, each.height, each.channels, each.thinned) for each in frames)
        if sizes not in self._batches:
            made = self._make_batch(frames)
            if len(self._batches) >= MOST_KINDS:
                self._batches.clear()
            self._batches[sizes] = made
        return self._batches[sizes]

    def _make_batch(self, frames: Sequence[FrameOnGpu]) -> _Batch:
        import numpy as np

        planned = [self._plan(each) for each in frames]
        sizes = {each.view.size for each in planned}
        if len(sizes) != 1:
            raise StepInputError(
                f"frames of one batch come to have several sizes: {sorted(sizes)}",
                hint="resize to [height, width], or crop",
            )
        width, height = sizes.pop()
        channels, count = self._how.channels, len(frames)
        chw = self._how.layout == "chw"
        shape = (count, *((channels, height, width) if chw else (height, width, channels)))
        rows = [
            known.make_row(frame.channels, *self._places[frame.width, frame.height, frame.thinned])
            for frame, known in zip(frames, planned, strict=True)
        ]
        direct = all(each.direct for each in planned)
        tile = (DIRECT_WIDTH, DIRECT_HEIGHT) if direct else (TILE_WIDTH, TILE_HEIGHT)
        return _Batch(
            shape,
            make_params(self._how, shape, bgr=self._bgr),
            np.concatenate(rows),
            PREPARE if not direct else ONE if count == 1 else DIRECT,
            (-(-width // tile[0]), -(-height // tile[1]), count),
            0 if direct else max(each.shared_bytes for each in planned),
        )

    def _plan(self, frame: FrameOnGpu) -> PlannedSize:
        if frame.channels not in CHANNELS or frame.height < 1 or frame.width < 1:
            raise StepInputError(
                f"a frame of {frame.height} x {frame.width} pixels with {frame.channels} channels "
                "is no picture",
                hint="give uint8 [height, width, 3] or [height, width]",
            )
        size = (frame.width, frame.height, frame.thinned)
        if size not in self._planned:
            made = plan_size(self._how, size[:2], thinned=frame.thinned)
            self._places[size] = self._hold_taps(made)
            self._planned[size] = made
        return self._planned[size]

    def _hold_taps(self, planned: PlannedSize) -> tuple[int, int]:
        """Put the taps of a size behind those that are there; return where they begin."""
        import numpy as np

        taps = planned.taps
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
        return columns, rows

    def _replace(self, address: int, table: NDArray[Any]) -> int:
        if address:
            self._work.free(address)
        made = self._work.allocate(table.nbytes)
        self._work.upload(made, table)
        self._work.wait()
        return made
