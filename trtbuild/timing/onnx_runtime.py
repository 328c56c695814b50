"""ONNX models in ONNX Runtime, on the CPU or through CUDA."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from trtbuild.backends.onnxruntime import FLOAT, INTEGER
from trtbuild.core.errors import StepInputError
from trtbuild.core.options import Options
from trtbuild.core.quantized_types import join_words
from trtbuild.model.providers import CPU, CUDA, Providers, make_cuda, prepare
from trtbuild.timing.base import Arrays, Setting, TimedModel
from trtbuild.timing.onnx_session import OpenSession
from trtbuild.timing.optimized import find_half, is_cast_to_float, optimize

if TYPE_CHECKING:
    from trtbuild.timing.cuda import Stream
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

    def takes(self, subject: TimedModel) -> bool:
        """Tell that it is for ONNX models."""
        return subject.sort == "onnx"

    def label(self) -> str:
        """Name it."""
        return f"onnxruntime-{self.provider}"

    def place(self) -> Literal["cpu", "gpu"]:
        """Say on what it computes."""
        return "cpu" if self.provider == "cpu" else "gpu"

    def find_hindrance(self, subject: TimedModel, setting: Setting) -> str:
        """Say why it cannot run a model: its provider or an operator is not here."""
        import onnxruntime as ort

        from trtbuild.model.onnx_file import load_bare
        from trtbuild.model.plugins import describe_plugin, find_plugins

        if self.provider == "cuda" and CUDA not in ort.get_available_providers():
            return f"this ONNX Runtime ({ort.__version__}) has no {CUDA}"
        del setting
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

    def open(self, subject: TimedModel, setting: Setting) -> OpenSession:
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
        graphs = stream is not None and setting.cuda_graphs
        session = open_fast_session(
            subject.path,
            threads=setting.threads,
            providers=CPU if stream is None else _list_providers(stream, graphs=graphs),
            settled=graphs,
        )
        if stream is None or not graphs:
            return OpenSession(session, "cpu" if stream is None else "cuda", stream)
        return _record(session, stream, subject, setting)

    def profile(
        self, subject: TimedModel, setting: Setting, opened: OpenSession, arrays: Arrays, calls: int
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

    def describe(self, subject: TimedModel, opened: OpenSession) -> tuple[str, tuple[str, ...]]:
        """Say how many weighted operators are quantized ones, where the model has Q/DQ pairs."""
        del opened
        from trtbuild.model.onnx_file import load_bare
        from trtbuild.timing.layers.asked import read_asked

        model = load_bare(subject.path)
        quantized = any(node.op_type == "QuantizeLinear" for node in model.graph.node)
        if not quantized:
            return find_half(model) or "FP32", ()
        if self.provider != "cpu":
            return "Q/DQ", (_FEW_KERNELS,)
        found = [node.op_type for node in optimize(subject.path)]
        whole, other = (sum(each in sort for each in found) for sort in (INTEGER, FLOAT))
        word = join_words(read_asked(subject.path).types)
        told = f"{word} in {whole} of {whole + other} weighted operators"
        return told, (_FEW_FUSIONS,) if other else ()


def _record(session: Any, stream: Stream, subject: TimedModel, setting: Setting) -> OpenSession:
    from trtbuild.timing.graph_trial import try_recording
    from trtbuild.timing.recorded_session import RecordedSession

    def try_out(arrays: Arrays) -> None:
        if not setting.tried:
            try_recording(subject.path, setting.threads, arrays)

    return RecordedSession(session, stream, try_out)


def _list_providers(stream: Stream, *, graphs: bool) -> Providers:
    """Return CUDA as its users have it, with TF32 and a search for algorithms, on a stream."""
    own = {"user_compute_stream": str(stream.pointer), "do_copy_in_default_stream": "1"}
    own |= {"enable_cuda_graph": "1"} if graphs else {}
    return ((CUDA, {"device_id": "0", **own}), *CPU)
