"""A recipe's PyTorch module, as it stands or compiled."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

from pydantic import Field

from trtbuild.core.errors import StepInputError, TrtbuildError
from trtbuild.core.options import Options
from trtbuild.core.words import describe_cause
from trtbuild.timing.base import Arrays, MadeModule, Setting, TimedModel
from trtbuild.timing.compiling import TooSlowError, explain_slow, limit_seconds, prepare_compiler
from trtbuild.timing.returned import list_tensors

if TYPE_CHECKING:
    import numpy as np

    from trtbuild.core.values import TensorSpec

__all__ = ["Pytorch"]

_DTYPES = {"fp32": "float32", "fp16": "float16", "bf16": "bfloat16"}


class Pytorch(Options):
    """The PyTorch module that a recipe starts from, run by PyTorch itself."""

    kind: Literal["pytorch"]
    compiled: bool = False
    """Whether `torch.compile` compiles it, anew for each set of shapes; else it runs eagerly."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where it runs: on the GPU where PyTorch sees one, or where this says."""
    dtype: Literal["fp32", "fp16", "bf16"] = "fp32"
    """What the module and its float inputs are converted to."""
    compile_seconds: Annotated[float, Field(gt=0, le=86_400)] = 300.0
    """How long `torch.compile` may take at one set of shapes; longer, and it is not run."""

    @classmethod
    def usual(cls) -> Sequence[Pytorch]:
        """Return it eager and compiled."""
        return cls(kind="pytorch"), cls(kind="pytorch", compiled=True)

    def takes(self, subject: TimedModel) -> bool:
        """Tell that it is for modules."""
        return subject.sort == "module"

    def label(self) -> str:
        """Name it: what is not usual is in its name."""
        parts = ["torch", "compiled" if self.compiled else "eager"]
        parts += [self.device] if self.device != "auto" else []
        return "-".join([*parts, *([self.dtype] if self.dtype != "fp32" else [])])

    def place(self) -> Literal["cpu", "gpu"]:
        """Say on what it computes, here."""
        return "gpu" if self._choose_device() == "cuda" else "cpu"

    def _choose_device(self) -> str:
        import torch

        if self.device != "auto":
            return self.device
        return "cuda" if torch.cuda.is_available() else "cpu"

    def find_hindrance(self, subject: TimedModel, setting: Setting) -> str:
        """Say why it cannot run here: no PyTorch, or no GPU that it sees."""
        del setting
        import torch

        if self.device == "cuda" and not torch.cuda.is_available():
            return f"PyTorch {torch.__version__} sees no GPU"
        return subject.why_not

    def libraries(self) -> Mapping[str, str]:
        """Return PyTorch's version."""
        import torch

        return {"torch": str(torch.__version__)}

    def load_library(self) -> None:
        """Import PyTorch."""
        import torch  # noqa: F401  # that is what takes time

    def open(self, subject: TimedModel, setting: Setting) -> OpenModule:
        """Make the module, with its weights; it is compiled once it knows shapes.

        Raises:
            TrtbuildError: the module cannot be made.
        """
        import torch

        assert subject.make is not None  # noqa: S101  # of a module
        torch.set_num_threads(setting.threads)
        made: MadeModule = subject.make()
        device = self._choose_device()
        module = made.module.to(device=device, dtype=getattr(torch, _DTYPES[self.dtype]))
        return OpenModule(module, made, self, device, graphs=setting.cuda_graphs)

    def profile(
        self, subject: TimedModel, setting: Setting, opened: OpenModule, arrays: Arrays, calls: int
    ) -> NoReturn:
        """Refuse: torch.profiler is there for that."""
        del subject, setting, opened, arrays, calls
        raise StepInputError("a PyTorch module is not taken apart: torch.profiler does that")

    def describe(self, subject: TimedModel, opened: OpenModule) -> tuple[str, tuple[str, ...]]:
        """Say what it computes in."""
        del subject
        import torch

        told, notes = self.dtype.upper(), opened.notes
        if opened.device == "cuda" and self.dtype == "fp32" and torch.backends.cudnn.allow_tf32:
            told += " (convolutions in TF32, as PyTorch has it)"
        return told, notes


class OpenModule:
    """A module on its device, and what it is fed."""

    def __init__(
        self, module: Any, made: MadeModule, kind: Pytorch, device: str, *, graphs: bool
    ) -> None:
        self._module, self._made, self._kind = module, made, kind
        self.device, self._graphs = device, graphs and device == "cuda"
        self.notes = made.notes
        self._run = module
        self._too_slow = False
        self._graph: Any = None
        self._host: tuple[Any, ...] = ()
        self._there: tuple[Any, ...] = ()
        self._outputs: Any = None
        self._stream: Any = None
        self._events = self._make_events()

    def _make_events(self) -> tuple[Any, Any] | None:
        if self.device != "cuda":
            return None
        import torch

        return tuple(torch.cuda.Event(enable_timing=True) for _ in range(2))

    @property
    def inputs(self) -> Sequence[TensorSpec]:
        """What the recipe says that it takes."""
        return self._made.inputs

    @property
    def has_transfers(self) -> bool:
        """Tell whether it runs on a GPU."""
        return self.device == "cuda"

    @property
    def has_events(self) -> bool:
        """Tell whether it runs on a GPU."""
        return self.device == "cuda"

    def feed(self, arrays: Arrays) -> None:
        """Put the inputs on the device, compile for their shapes where that is asked, and run once.

        Raises:
            StepInputError: the module does not take them, or cannot be compiled; with PyTorch's
                words.
        """
        import torch

        self._host = tuple(torch.from_numpy(arrays[name]) for name in self._made.order)
        self._there = tuple(map(self._put, self._host))
        self._graph = None
        if self._kind.compiled:
            self._compile()
            return
        with _translate_errors("the module"):
            self.call()
            if self._graphs:
                self._record()
                self.call()

    def _compile(self) -> None:
        """Compile by a first call; what was too slow at some shapes is not tried at others."""
        import torch

        limit = self._kind.compile_seconds
        if self._too_slow:
            raise explain_slow(limit)
        try:
            with limit_seconds(limit), _translate_errors("torch.compile"):
                prepare_compiler()
                mode = "reduce-overhead" if self._graphs else None
                self._run = torch.compile(self._module, dynamic=False, mode=mode)
                self.call()
        except TooSlowError:
            self._too_slow = True
            raise explain_slow(limit) from None

    def _put(self, tensor: Any) -> Any:
        import torch

        there = tensor.to(self.device)
        if tensor.is_floating_point():
            there = there.to(getattr(torch, _DTYPES[self._kind.dtype]))
        return there

    def _record(self) -> None:
        """Record the calls of a run as a CUDA graph, on a stream of its own, warmed up."""
        import torch

        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream), torch.inference_mode():
            for _ in range(3):
                self._forward(self._there)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.inference_mode(), torch.cuda.graph(graph):
            self._outputs = self._forward(self._there)
        self._graph = graph

    def _forward(self, tensors: Sequence[Any]) -> Any:
        keywords = self._made.keywords
        if keywords:
            return self._run(**dict(zip(keywords, tensors, strict=True)))
        return self._run(*tensors)

    def call(self) -> None:
        """Run it; on a GPU, between two events."""
        import torch

        with torch.inference_mode():
            if self._events is None:
                self._outputs = self._forward(self._there)
                return
            with torch.cuda.stream(self._stream):  # none is the current one
                begin, end = self._events
                begin.record()
                if self._graph is not None:
                    self._graph.replay()
                else:
                    self._outputs = self._forward(self._there)
                end.record()
            end.synchronize()

    def call_whole(self) -> None:
        """Run it from tensors on the host to tensors on the host."""
        import torch

        with torch.inference_mode(), torch.cuda.stream(self._stream):
            outputs = self._forward(tuple(map(self._put, self._host)))
            for each in list_tensors(outputs):
                each.cpu()

    def read_events_ms(self) -> float:
        """Return the time between the events."""
        assert self._events is not None  # noqa: S101  # `has_events` is asked first
        begin, end = self._events
        return float(begin.elapsed_time(end))

    def outputs(self) -> Mapping[str, np.ndarray]:
        """Return what the module returned, tensor by tensor, numbered."""
        found = list_tensors(self._outputs)
        return {str(place): each.float().cpu().numpy() for place, each in enumerate(found)}

    def fork(self) -> OpenModule:
        """Return another caller of the module, on a stream of its own; without a graph."""
        other = OpenModule(self._module, self._made, self._kind, self.device, graphs=False)
        other._run, other._host, other._there = self._run, self._host, self._there
        if self.device == "cuda":
            import torch

            other._stream = torch.cuda.Stream()
        return other

    def peak_bytes(self) -> int | None:
        """Return what PyTorch's allocator had of the GPU at most."""
        if self.device != "cuda":
            return None
        import torch

        return int(torch.cuda.max_memory_reserved())

    def close(self) -> None:
        """Let the module go."""
        self._there, self._outputs, self._graph = (), None, None


@contextlib.contextmanager
def _translate_errors(what: str) -> Iterator[None]:
    try:
        yield
    except TrtbuildError:
        raise
    except Exception as error:
        raise StepInputError(
            f"{what}: {describe_cause(error)}", hint="does the module run on these shapes by hand?"
        ) from error
