"""A session of ONNX Runtime, ready to be called again and again on the same inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trtbuild.timing.base import Arrays

if TYPE_CHECKING:
    import numpy as np

    from trtbuild.core.values import TensorSpec
    from trtbuild.timing.cuda import Event, Stream

__all__ = ["FIT", "OpenSession"]

FIT = "do the shapes fit the model?"


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
            with translate_errors("run", FIT):
                self.call()
            return
        binding = self._session.io_binding()
        for name, values in arrays.items():
            held = ort.OrtValue.ortvalue_from_numpy(values, self._device, 0)
            binding.bind_ortvalue_input(name, held)
        for name in self._names:
            binding.bind_output(name, self._device)
        with translate_errors("run", FIT):
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


def _read_type(word: str) -> str:
    """Return NumPy's word for ONNX Runtime's: `tensor(float16)`."""
    inner = word.removeprefix("tensor(").removesuffix(")")
    return {"float": "float32", "double": "float64", "string": "object"}.get(inner, inner)
