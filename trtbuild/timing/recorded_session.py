"""A session of ONNX Runtime whose runs are recorded as CUDA graphs, one a set of shapes.

A graph replays what was done at the addresses that there were: inputs and outputs stay where they
are for as long as it lives, and nothing may be allocated while it is recorded. ONNX Runtime records
where `enable_cuda_graph` is set, once for each `gpu_graph_id` of a run; -1 is a run without.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from trtbuild.core.errors import StepInputError
from trtbuild.timing.base import Arrays
from trtbuild.timing.onnx_session import FIT, OpenSession

if TYPE_CHECKING:
    from trtbuild.timing.cuda import Stream

__all__ = ["RecordedSession"]

_ID, _NO_GRAPH = "gpu_graph_id", "-1"
_AT_ONCE = "disable_synchronize_execution_providers"
SETTLING = 2
"""Runs at the final addresses before recording: the last of what is allocated is allocated then."""


class RecordedSession(OpenSession):
    """A session on a GPU, one graph a set of shapes; one caller alone, who is one thread."""

    def __init__(self, session: Any, stream: Stream, try_out: Callable[[Arrays], None]) -> None:
        """Take a session that records, and what is asked before it does.

        What goes wrong while a graph is recorded may end the process: `try_out` raises
        StepInputError where it would.
        """
        super().__init__(session, "cuda", stream)
        self._try_out = try_out
        self._numbers = itertools.count(1)  # 0 is ONNX Runtime's own
        self._held: dict[str, Any] = {}

    def feed(self, arrays: Arrays) -> None:
        """Put inputs and outputs at fixed addresses, and record a run.

        Raises:
            StepInputError: the model does not take them, or its runs cannot be recorded.
        """
        import onnxruntime as ort

        from trtbuild.model.session import translate_errors

        self._try_out(arrays)
        self._arrays = dict(arrays)
        binding = self._session.io_binding()
        self._held = {
            name: ort.OrtValue.ortvalue_from_numpy(values, self._device, 0)
            for name, values in arrays.items()
        }
        for name, held in self._held.items():
            binding.bind_ortvalue_input(name, held)
        for name in self._names:
            binding.bind_output(name, self._device)
        plain = _make_options(ort, {_ID: _NO_GRAPH})
        number = str(next(self._numbers))
        with translate_errors("run", FIT):
            self._run(binding, plain)
            for name, value in zip(self._names, binding.get_outputs(), strict=True):
                binding.bind_ortvalue_output(name, value)
            for _ in range(SETTLING):
                self._run(binding, plain)
            self._run(binding, _make_options(ort, {_ID: number}))
        self._binding = binding
        self._at_once = _make_options(ort, {_ID: number, _AT_ONCE: "1"})

    def call_whole(self) -> None:
        """Copy inputs to where the graph has them, replay it, and copy outputs to the host."""
        for name, held in self._held.items():
            held.update_inplace(self._arrays[name])
        self.call()
        self._binding.copy_outputs_to_cpu()

    def fork(self) -> NoReturn:
        """Refuse: ONNX Runtime records for one caller at a time.

        Raises:
            StepInputError: always.
        """
        raise StepInputError("ONNX Runtime's CUDA graphs have one caller: several are not run")


def _make_options(ort: Any, entries: dict[str, str]) -> Any:
    options = ort.RunOptions()
    for key, value in entries.items():
        options.add_run_config_entry(key, value)
    return options
