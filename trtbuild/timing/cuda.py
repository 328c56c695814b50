"""Streams, events and graphs of CUDA's driver, which is there wherever a GPU is."""

from __future__ import annotations

import ctypes
from typing import Any

from trtbuild.core.errors import NoGpu, StepInputError

__all__ = ["Event", "Graph", "Stream", "find_bus", "load_driver", "make_events"]

_PLACES = ("libcuda.so.1", "libcuda.so", "nvcuda.dll")
_BUS_BYTES = 32
_NON_BLOCKING = 1
"""CU_STREAM_NON_BLOCKING: it does not wait for the legacy default stream."""
_THREAD_LOCAL = 1
"""CU_STREAM_CAPTURE_MODE_THREAD_LOCAL: other threads may allocate meanwhile."""


class _Driver:
    """The driver's library, with this process's context on the device current."""

    def __init__(self, library: Any, device: int) -> None:
        self._library = library
        self("cuInit", 0)
        handle = ctypes.c_int()
        self("cuDeviceGet", ctypes.byref(handle), device)
        context = ctypes.c_void_p()
        # The one context that CUDA's runtime, and so every library, uses.
        self("cuDevicePrimaryCtxRetain", ctypes.byref(context), handle)
        self._context = context
        self.make_current()

    def __call__(self, name: str, *arguments: Any) -> None:
        code = getattr(self._library, name)(*arguments)
        if code:
            told = ctypes.c_char_p()
            self._library.cuGetErrorString(code, ctypes.byref(told))
            said = (told.value or b"").decode(errors="replace")
            raise StepInputError(
                f"CUDA's driver: {name}: {said or code}",
                hint="is the GPU out of memory, or the driver older than the library?",
            )

    def make_current(self) -> None:
        """Make the context this thread's."""
        self("cuCtxSetCurrent", self._context)


_LOADED: dict[int, _Driver] = {}


def load_driver(device: int = 0) -> _Driver:
    """Return the driver, ready to be called.

    Raises:
        NoGpu: there is none.
    """
    if device not in _LOADED:
        _LOADED[device] = _Driver(_find_library(), device)
    return _LOADED[device]


def _find_library() -> Any:
    for place in _PLACES:
        try:
            return ctypes.CDLL(place)
        except OSError:
            continue
    raise NoGpu("there is no NVIDIA driver here", hint="`trtbuild doctor` says what there is")


def find_bus() -> str:
    """Return where the first GPU that CUDA shows is plugged in; nothing where it shows none.

    Nothing is taken of the GPU for that.
    """
    text = ctypes.create_string_buffer(_BUS_BYTES)
    try:
        library = _find_library()
    except NoGpu:
        return ""
    if library.cuInit(0) or library.cuDeviceGetPCIBusId(text, _BUS_BYTES, 0):
        return ""
    return text.value.decode(errors="replace")


class Stream:
    """A stream of its own."""

    def __init__(self, device: int = 0) -> None:
        self._driver = load_driver(device)
        self._driver.make_current()
        self._handle = ctypes.c_void_p()
        self._driver("cuStreamCreate", ctypes.byref(self._handle), _NON_BLOCKING)

    @property
    def pointer(self) -> int:
        """Return the address that libraries call it by."""
        return int(self._handle.value or 0)

    def wait(self) -> None:
        """Wait until all that was put on it is done."""
        self._driver("cuStreamSynchronize", self._handle)

    def close(self) -> None:
        """Give it back."""
        self._driver("cuStreamDestroy_v2", self._handle)


class Event:
    """A moment on a stream, by the device's clock."""

    def __init__(self, device: int = 0) -> None:
        self._driver = load_driver(device)
        self._handle = ctypes.c_void_p()
        self._driver("cuEventCreate", ctypes.byref(self._handle), 0)

    def record(self, stream: int) -> None:
        """Take the moment when all that is before it on a stream is done."""
        self._driver("cuEventRecord", self._handle, ctypes.c_void_p(stream))

    def wait(self) -> None:
        """Wait for the moment."""
        self._driver("cuEventSynchronize", self._handle)

    def since_ms(self, earlier: Event) -> float:
        """Return the time since an earlier event, in ms; both must be over."""
        found = ctypes.c_float()
        self._driver("cuEventElapsedTime", ctypes.byref(found), earlier._handle, self._handle)
        return float(found.value)

    def close(self) -> None:
        """Give it back."""
        self._driver("cuEventDestroy_v2", self._handle)


class Graph:
    """What was put on a stream once, launched as a whole."""

    def __init__(self, stream: int) -> None:
        """Begin to record what is put on the stream at an address."""
        self._driver = load_driver()
        self._stream = ctypes.c_void_p(stream)
        self._program = ctypes.c_void_p()
        self._driver("cuStreamBeginCapture_v2", self._stream, _THREAD_LOCAL)

    def finish(self) -> None:
        """End the recording, and make it ready to be launched."""
        graph = ctypes.c_void_p()
        self._driver("cuStreamEndCapture", self._stream, ctypes.byref(graph))
        self._driver("cuGraphInstantiateWithFlags", ctypes.byref(self._program), graph, 0)
        self._driver("cuGraphDestroy", graph)

    def launch(self) -> None:
        """Put all of it on the stream."""
        self._driver("cuGraphLaunch", self._program, self._stream)

    def close(self) -> None:
        """Give it back."""
        self._driver("cuGraphExecDestroy", self._program)


def make_events() -> tuple[Event, Event] | None:
    """Return two events; None where CUDA's driver is not here."""
    try:
        return Event(), Event()
    except NoGpu:
        return None
