"""Work on a GPU: kernels compiled at run time, memory, and copies; by NVIDIA's cuda-core.

NVRTC compiles: it comes with what ONNX Runtime needs on a GPU anyway. The wheels of cuda-core 1.2
and its bindings are 15 MB beside it, CuPy's (14.2) 67 MB, and Triton's (3.9) 273 MB, which needs a
C compiler, too, and has no counters in shared memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from trtbuild.core.errors import MissingDependency, StepInputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["CudaWork", "OutOfGpuMemory"]

LEGACY = 1
"""CU_STREAM_LEGACY: the default stream, which others call 0."""
_OUT_OF_MEMORY = "CUDA_ERROR_OUT_OF_MEMORY"


class OutOfGpuMemory(StepInputError):
    """There is no memory left on the GPU."""

    usual_hint = (
        "end what fills it, which `nvidia-smi` shows; `--batch 1` or `--device cpu` does too"
    )


class CudaWork:
    """A stream on a GPU, and what is allocated for it: a context, which gives all back.

    Work is done in the order in which it is asked for; nothing waits for it but `wait` and what
    reads results. Copies to the device can go in a stream of their own, beside kernels.
    """

    memory = "cuda"
    """What ONNX Runtime calls the memory that it allocates."""

    def __init__(self, index: int = 0, *, stream: int | None = None) -> None:
        """Take the GPU of an index, and the stream with a handle, or one of its own.

        Raises:
            MissingDependency: cuda-core is not installed, or finds no CUDA.
        """
        try:
            from cuda.bindings import driver
            from cuda.core import Device, Stream
        except ImportError as error:
            raise MissingDependency(
                f"kernels for the GPU cannot be compiled: {error}",
                hint="pip install 'trtbuild[cuda]', or take `--device cpu`",
            ) from None
        self._driver = driver
        self.device = Device(index)
        self.device.set_current()
        self.stream = (
            self.device.create_stream() if stream is None else Stream.from_handle(stream or LEGACY)
        )
        self.copying = self.device.create_stream()
        self._on_device: list[int] = []
        self._pinned: list[int] = []
        self._configs: dict[Any, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for all work, and give the memory back."""
        self._driver.cuCtxSynchronize()
        for address in self._on_device:
            self._driver.cuMemFree(address)
        for address in self._pinned:
            self._driver.cuMemFreeHost(address)
        self._on_device.clear()
        self._pinned.clear()

    @property
    def handle(self) -> int:
        """The handle of its stream."""
        return int(self.stream.handle)

    def use_here(self) -> None:
        """Let this thread work on the GPU, too."""
        self.device.set_current()

    def count_free_bytes(self) -> int:
        """Return how much of the GPU's memory is free."""
        free, _ = self._check(self._driver.cuMemGetInfo())
        return int(free)

    def compile(self, source: str, names: Sequence[str]) -> dict[str, Any]:
        """Compile CUDA C++ for this GPU; return the kernels of these names."""
        from cuda.core import Program, ProgramOptions

        options = ProgramOptions(std="c++17", arch=f"sm_{self.device.arch}")
        made = Program(source, code_type="c++", options=options).compile("cubin")
        return {name: made.get_kernel(name) for name in names}

    def allow_shared(self, kernel: Any, size_bytes: int) -> None:
        """Let a kernel have more shared memory a block than the 48 KiB that any may have."""
        attribute = self._driver.CUfunction_attribute
        self._check(
            self._driver.cuKernelSetAttribute(
                attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                size_bytes,
                kernel.handle,
                self.device.device_id,
            )
        )

    def launch(
        self,
        kernel: Any,
        grid: int | tuple[int, ...],
        block: int | tuple[int, ...],
        *arguments: Any,
        shared: int = 0,
    ) -> None:
        """Launch a kernel; arguments are addresses, or scalars of NumPy."""
        from cuda.core import LaunchConfig, launch

        asked = (grid, block, shared)
        if asked not in self._configs:
            self._configs[asked] = LaunchConfig(grid=grid, block=block, shmem_size=shared)
        launch(self.stream, self._configs[asked], kernel, *arguments)

    def allocate(self, size_bytes: int) -> int:
        """Return the address of new memory on the device.

        Raises:
            OutOfGpuMemory: there is not enough.
        """
        address = int(self._check(self._driver.cuMemAlloc(max(1, size_bytes)))[0])
        self._on_device.append(address)
        return address

    def free(self, address: int) -> None:
        """Give memory of the device back, once all work is done."""
        self._on_device.remove(address)
        self._driver.cuCtxSynchronize()
        self._driver.cuMemFree(address)

    def pin(self, size_bytes: int) -> NDArray[np.uint8]:
        """Return new memory of the host that the device copies from and to by itself."""
        import ctypes

        import numpy as np

        address = int(self._check(self._driver.cuMemAllocHost(max(1, size_bytes)))[0])
        self._pinned.append(address)
        room: Any = (ctypes.c_uint8 * max(1, size_bytes)).from_address(address)
        return np.ctypeslib.as_array(room)

    def upload(self, address: int, array: NDArray[Any], *, beside: bool = False) -> None:
        """Copy an array to the device; `beside` kernels, where these do not read it yet."""
        stream = self.copying if beside else self.stream
        size, source = array.nbytes, array.ctypes.data
        self._check(self._driver.cuMemcpyHtoDAsync(address, source, size, stream.handle))

    def download(self, array: NDArray[Any], address: int) -> None:
        """Copy from the device into an array; it is there once the work is waited for."""
        size, target = array.nbytes, array.ctypes.data
        self._check(self._driver.cuMemcpyDtoHAsync(target, address, size, self.stream.handle))

    def clear(self, address: int, size_bytes: int) -> None:
        """Fill memory of the device with zeros."""
        self._check(self._driver.cuMemsetD8Async(address, 0, size_bytes, self.stream.handle))

    def record(self, *, beside: bool = False) -> Any:
        """Return an event that has happened once all that was asked for so far is done."""
        return (self.copying if beside else self.stream).record()

    def wait(self) -> None:
        """Wait until all that was asked for is done."""
        self.stream.sync()

    def _check(self, answer: tuple[Any, ...]) -> tuple[Any, ...]:
        error, *found = answer
        if int(error):
            name = getattr(error, "name", str(error))
            if name == _OUT_OF_MEMORY:
                raise OutOfGpuMemory("there is not enough memory left on the GPU")
            raise StepInputError(f"the GPU failed: {name}")
        return tuple(found)
