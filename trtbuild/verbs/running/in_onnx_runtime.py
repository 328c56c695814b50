"""A model in ONNX Runtime, in the place of an engine that cannot run here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.core.errors import MissingDependency, StepInputError
from trtbuild.core.needs import INFERENCE_DEVICE, Needs
from trtbuild.model.providers import Providers, choose_providers
from trtbuild.model.unfinished import Unfinished
from trtbuild.run.executor import Executor
from trtbuild.verbs.running.fit import ShapeBounds, demand_fed, tell_beyond

if TYPE_CHECKING:
    import numpy as np

    from trtbuild.core.values import TensorSpec
    from trtbuild.model.gpu_feeding import GpuFeeding
    from trtbuild.model.outline import ModelOutline
    from trtbuild.model.session import Session

__all__ = ["InOnnxRuntime"]

Feed = Mapping[str, "np.ndarray"]


class InOnnxRuntime:
    """A model on the CPU or where the executor computes such models.

    On a GPU, pictures are made ready there where they come as `Unfinished`.
    """

    def __init__(
        self,
        model: Path,
        executor: Executor,
        *,
        why: str = "",
        profiles: Sequence[ShapeBounds],
        remark: str,
    ) -> None:
        """Take a model; `why` says why it runs, and not an engine, and a `remark` comes last."""
        self.model = model
        self._facts = executor.place(Needs()).facts
        self._why = why
        self._profiles = profiles
        self._remark = remark
        self._pictures = ""

    @cached_property
    def _outline(self) -> ModelOutline:
        from trtbuild.model.outline import ModelOutline

        return ModelOutline.read(self.model)

    @cached_property
    def _session(self) -> Session:
        return self._open(choose_providers(self._device, index=self._index))

    @cached_property
    def _feeding(self) -> GpuFeeding:
        from trtbuild.model.gpu_feeding import GpuFeeding

        return GpuFeeding(self._open, self._index)

    def _open(self, providers: Providers) -> Session:
        from trtbuild.model.session import open_session

        split = self._outline.split
        return open_session(self.model, threads=0, mapped=split, providers=providers)

    @property
    def _index(self) -> int:
        """The GPU's: this process sees all of them, and a step's the one that is meant."""
        return getattr(self._facts, "device", 0)

    @cached_property
    def _device(self) -> str:
        return self._facts.get(INFERENCE_DEVICE, "")

    @property
    def inputs(self) -> Sequence[TensorSpec]:
        """What it takes."""
        return self._outline.inputs

    @property
    def takes_pictures(self) -> bool:
        """Whether it makes pictures ready itself: on a GPU, as long as that goes."""
        return bool(self._device) and not self._pictures

    def run(self, feed: Feed) -> dict[str, np.ndarray]:
        """Return the outputs.

        Raises:
            UsageError: the arrays do not fit.
            StepInputError: it does not run on them.
        """
        demand_fed(feed, self.inputs, of=self.model.name)
        try:
            if self.takes_pictures and any(isinstance(each, Unfinished) for each in feed.values()):
                try:
                    return self._feeding.run(feed)
                except (MissingDependency, StepInputError) as error:
                    self._forgo_pictures(error)
            return self._session.run(_finish(feed))
        except StepInputError as error:
            if not self._leave_gpu(error.message):
                raise
        return self._session.run(_finish(feed))

    def _forgo_pictures(self, error: MissingDependency | StepInputError) -> None:
        """Make pictures ready on the CPU from here on, if it is not that memory is short."""
        from trtbuild.model.session import is_gpu_full

        if is_gpu_full(error.message):
            raise error
        self._pictures = f"; pictures made ready on the CPU: {error.message}"
        self.__dict__.pop("_feeding", None)

    def _leave_gpu(self, told: str) -> bool:
        """Go on on the CPU where the GPU's memory is full, and it was not asked for by name."""
        from trtbuild.model.session import is_gpu_full

        asked = getattr(self._facts, "inference", "")
        if not self._device or asked != "auto" or not is_gpu_full(told):
            return False
        self._remark += f"; the memory of {self._device} was full"
        self._device = ""
        for name in ("_session", "_feeding"):
            self.__dict__.pop(name, None)
        return True

    def describe(self, feed: Feed) -> str:
        """Say what ran, and where."""
        beyond = tell_beyond(feed, self._profiles)
        where = self._device or "the CPU"
        told = f"{self.model}, in ONNX Runtime on {where}: not the engine itself"
        return f"{told}{self._why}{beyond}{self._pictures}{self._remark}"


def _finish(feed: Feed) -> dict[str, np.ndarray]:
    import numpy as np

    return {name: np.asarray(each) for name, each in feed.items()}
