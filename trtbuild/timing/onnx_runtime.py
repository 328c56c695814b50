"""ONNX models in ONNX Runtime, on the CPU or through CUDA."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from trtbuild.backends.onnxruntime import FLOAT, INTEGER
from trtbuild.core.errors import StepInputError
from trtbuild.core.options import Options
from trtbuild.model.providers import CPU, CUDA, Providers, make_cuda, prepare
from trtbuild.timing.base import Arrays, Setting, Subject
from trtbuild.timing.optimized import find_half, is_cast_to_float, optimize

if TYPE_CHECKING:
    import numpy as np

    from trtbuild.core.values import TensorSpec
    from trtbuild.timing.cuda import Event, Stream
    from trtbuild.timing.layers.join import ProfiledLayer

__all__ = ["OnnxRuntime"]

_FEW_KERNELS = (
    "ONNX Runtime's CUDA provider has few integer kernels: Q/DQ pairs are computed as they stand, "
    "which costs time; this says nothing of TensorRT"
)
_FEW_FUSIONS = (
    "ONNX Runtime has integer kernels for some placements of Q/DQ pairs alone, and computes others "
    "in float between them, which costs time; this says nothing of TensorRT"
)
_FIT = "do the shapes fit the model?"


class OnnxRuntime(Options):
    """ONNX models in ONNX Runtime, with all its own optimizations: integer kernels, too."""

    kind: Literal["onnx_runtime"]
    provider: Literal["cpu", "cuda"] = "cpu"
    """Its execution provider. On a GPU, inputs and outputs are bound to memory there, so that
    copies are timed apart; on the CPU it is called as by hand, with arrays."""

    @classmethod
    def usual(cls) -> Sequence[OnnxRuntime]:
        """Return one for the CPU, and one for the GPU."""
        return cls(kind="onnx_runtime"), cls(kind="onnx_runtime", provider="cuda")

    def takes(self, subject: Subject) -> bool:
        """Tell that it is for ONNX models."""
        return subject.sort == "onnx"

    def label(self) -> str:
        """Name it."""
        return f"onnxruntime-{self.provider}"

    def place(self) -> Literal["cpu", "gpu"]:
        """Say on what it computes."""
        return "cpu" if self.provider == "cpu" else "gpu"

    def find_hindrance(self, subject: Subject, setting: Setting) -> str:
        """Say why it cannot run a model: its provider or an operator is not here."""
        import onnxruntime as ort

        from trtbuild.model.onnx_file import load_bare
        from trtbuild.model.plugins import describe_plugin, find_plugins

        if self.provider == "cuda" and CUDA not in ort.get_available_providers():
            return f"this ONNX Runtime ({ort.__version__}) has no {CUDA}"
        if self.provider == "cuda" and setting.cuda_graphs:
            return "ONNX Runtime's CUDA graphs hold for one set of shapes and one caller"
        model = load_bare(subject.path)
        if plugins := find_plugins(model.graph.node):
            return f"ONNX Runtime has no {describe_plugin(plugins[0])}, a plugin of TensorRT"
        half = find_half(model)
        if half and self.provider == "cpu" and is_cast_to_float(subject.path):
            return (
                f"ONNX Runtime computes {half} in FP32 on this processor, between casts: its time "
                "would say nothing of 16 bits"
            )
        return ""

    def libraries(self) -> Mapping[str, str]:
        """Return its version."""
        import onnxruntime as ort

        return {"onnxruntime": ort.__version__}

    def load_library(self) -> None:
        """Import ONNX Runtime, and find CUDA's libraries beside PyTorch where they are there."""
        import onnxruntime  # noqa: F401  # that is what takes time

        if self.provider == "cuda":
            prepare(make_cuda())

    def open(self, subject: Subject, setting: Setting) -> OpenSession:
        """Load the model.

        Raises:
            StepInputError: ONNX Runtime cannot load it.
            MissingDependency: it has no such provider, or CUDA's libraries are not found.
        """
        from trtbuild.model.session import open_fast_session

        self.load_library()
        stream = None
        if self.provider == "cuda":
            from trtbuild.timing.cuda import Stream

            stream = Stream()
        session = open_fast_session(
            subject.path,
            threads=setting.threads,
            providers=CPU if stream is None else _list_providers(stream),
        )
        return OpenSession(session, "cpu" if stream is None else "cuda", stream)

    def profile(
        self, subject: Subject, setting: Setting, opened: OpenSession, arrays: Arrays, calls: int
    ) -> tuple[ProfiledLayer, ...]:
        """Profile a session of its own.

        Raises:
            StepInputError: ONNX Runtime does not load or run it; or it computes on a GPU, where the
                profiler tells when kernels are launched.
        """
        del opened
        if self.provider != "cpu":
            raise StepInputError(
                "on a GPU ONNX Runtime's profiler tells when kernels are launched, not their time"
            )
        from trtbuild.timing.layers.onnx_runtime import profile_session

        return profile_session(subject.path, arrays, threads=setting.threads, calls=calls)

    def describe(self, subject: Subject, opened: OpenSession) -> tuple[str, tuple[str, ...]]:
        """Say how many weighted operators are integer ones, where the model has Q/DQ pairs."""
        del opened
        from trtbuild.model.onnx_file import load_bare

        model = load_bare(subject.path)
        quantized = any(node.op_type == "QuantizeLinear" for node in model.graph.node)
        if not quantized:
            return find_half(model) or "FP32", ()
        if self.provider != "cpu":
            return "Q/DQ", (_FEW_KERNELS,)
        found = [node.op_type for node in optimize(subject.path)]
        whole, other = (sum(each in sort for each in found) for sort in (INTEGER, FLOAT))
        told = f"INT8 in {whole} of {whole + other} weighted operators"
        return told, (_FEW_FUSIONS,) if other else ()


class OpenSession:
    """A session, and the memory that its inputs and outputs are bound to."""

    def __init__(self, session: Any, device: str, stream: Stream | None) -> None:
        self._session = session
        self._device = device
        self._stream = stream
        self._events: tuple[Event, Event] | None = None
        if stream is not None:
            from trtbuild.timing.cuda import Event

            self._events = (Event(), Event())
        self._binding = session.io_binding()
        self._names = [each.name for each in session.get_outputs()]
        self._arrays: dict[str, np.ndarray] = {}
        self._run = session.run_with_iobinding
        self._at_once: Any = None
        if stream is not None:
            import onnxruntime as ort

            # The end of the stream is waited for here, by an event that lies right behind it.
            self._at_once = ort.RunOptions()
            self._at_once.add_run_config_entry("disable_synchronize_execution_providers", "1")

    @property
    def inputs(self) -> Sequence[TensorSpec]:
        """What the model takes."""
        from trtbuild.core.values import TensorSpec

        return tuple(
            TensorSpec(
                name=each.name,
                dtype=_read_type(each.type),
                shape=tuple(size if isinstance(size, int) else str(size) for size in each.shape),
            )
            for each in self._session.get_inputs()
        )

    @property
    def has_transfers(self) -> bool:
        """Tell whether it computes elsewhere than where arrays are."""
        return self._stream is not None

    @property
    def has_events(self) -> bool:
        """Tell whether there is a stream whose clock can be read."""
        return self._stream is not None

    def feed(self, arrays: Arrays) -> None:
        """Bind inputs and outputs; the outputs' memory is what a first run takes.

        Raises:
            StepInputError: the model does not take them.
        """
        import onnxruntime as ort

        from trtbuild.model.session import translate_errors

        self._arrays = dict(arrays)
        if self._stream is None:
            with translate_errors("run", _FIT):
                self.call()
            return
        binding = self._session.io_binding()
        for name, values in arrays.items():
            held = ort.OrtValue.ortvalue_from_numpy(values, self._device, 0)
            binding.bind_ortvalue_input(name, held)
        for name in self._names:
            binding.bind_output(name, self._device)
        with translate_errors("run", _FIT):
            self._run(binding)
        # At fixed addresses, so that nothing is allocated while it is timed.
        for name, value in zip(self._names, binding.get_outputs(), strict=True):
            binding.bind_ortvalue_output(name, value)
        self._binding = binding

    def call(self) -> None:
        """Run it; on a GPU between two events, the later of which is waited for.

        On the CPU as a loop by hand does. Outputs are let go at once: kept ones would have the next
        call take other memory.
        """
        if self._events is None or self._stream is None:
            self._session.run(self._names, self._arrays)
            return
        begin, end = self._events
        begin.record(self._stream.pointer)
        self._run(self._binding, self._at_once)
        end.record(self._stream.pointer)
        end.wait()

    def call_whole(self) -> None:
        """Run it on arrays, and get arrays."""
        self._session.run(self._names, self._arrays)

    def read_events_ms(self) -> float:
        """Return the time on the device."""
        assert self._events is not None  # noqa: S101  # `has_events` is asked first
        return self._events[1].since_ms(self._events[0])

    def outputs(self) -> Mapping[str, np.ndarray]:
        """Return the outputs of the last call; on the CPU, of one more that is the same."""
        if self._stream is None:
            found = self._session.run(self._names, self._arrays)
        else:
            found = self._binding.copy_outputs_to_cpu()
        return dict(zip(self._names, found, strict=True))

    def fork(self) -> OpenSession:
        """Return another caller of this session, which may be called from several threads.

        On a GPU all of them share the session's stream.
        """
        other = OpenSession(self._session, self._device, self._stream)
        other.feed(self._arrays)
        return other

    def peak_bytes(self) -> int | None:
        """Return None: ONNX Runtime does not say."""

    def close(self) -> None:
        """Let the session go; a stream that it computes on goes with the process."""
        del self._binding, self._run, self._session


def _list_providers(stream: Stream) -> Providers:
    """Return CUDA as its users have it, with TF32 and a search for algorithms, on a stream."""
    own = {"user_compute_stream": str(stream.pointer), "do_copy_in_default_stream": "1"}
    return ((CUDA, {"device_id": "0", **own}), *CPU)


def _read_type(word: str) -> str:
    """Return NumPy's word for ONNX Runtime's: `tensor(float16)`."""
    inner = word.removeprefix("tensor(").removesuffix(")")
    return {"float": "float32", "double": "float64", "string": "object"}.get(inner, inner)
