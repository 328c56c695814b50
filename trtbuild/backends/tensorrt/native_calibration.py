"""TensorRT 10's own calibrators, fed through a loader that counts: nothing they swallow is lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtbuild.backends.base import BuildOrder, Profile, ReportProgress
from trtbuild.backends.tensorrt.flavour import TRT10
from trtbuild.core.errors import StepInputError, TrtbuildError
from trtbuild.core.log_levels import USUAL, LogLevel

if TYPE_CHECKING:
    import numpy as np

    from trtbuild.backends.tensorrt10 import Tensorrt10

__all__ = ["CLASSES", "CountedBatches", "calibrate_with_tensorrt"]

CLASSES = {
    "entropy": "IInt8EntropyCalibrator",
    "entropy2": "IInt8EntropyCalibrator2",
    "legacy": "IInt8LegacyCalibrator",
    "minmax": "IInt8MinMaxCalibrator",
}
"""Our word for a calibrator → TensorRT's class."""


class CountedBatches:
    """Batches for Polygraphy's calibrator, held to what the calibration profile wants.

    TensorRT takes whatever goes wrong in a calibrator for the end of the data, and calibrates on
    what it has got; so what went wrong is kept here, and told after the build.
    """

    def __init__(
        self,
        batches: Iterable[Mapping[str, np.ndarray]],
        *,
        promised: int,
        shapes: Mapping[str, tuple[int, ...]],
        progress: ReportProgress,
    ) -> None:
        self._batches = iter(batches)
        self._promised = promised
        self._shapes = shapes
        self._progress = progress
        self._ended = False
        self.given = 0
        self.failure: BaseException | None = None

    def __iter__(self) -> Iterator[dict[str, np.ndarray]]:
        return self

    def __next__(self) -> dict[str, np.ndarray]:
        try:
            batch = dict(next(self._batches))
            self._check(batch)
        except StopIteration:
            self._ended = True
            raise
        except BaseException as failure:
            self.failure = failure
            raise
        self.given += 1
        self._progress(self.given, self._promised, "batches")
        return batch

    def _check(self, batch: Mapping[str, np.ndarray]) -> None:
        for name, shape in self._shapes.items():
            if name not in batch:
                raise StepInputError(f"calibration batch {self.given + 1} has no `{name}`")
            if batch[name].shape != shape:
                raise StepInputError(
                    f"calibration batch {self.given + 1}: `{name}` is {list(batch[name].shape)}; "
                    f"the calibration profile's opt shape is {list(shape)}",
                    hint="every batch must have the opt shape, the last one too: change the "
                    "profile, or the number of samples",
                )

    def demand_all(self) -> None:
        """Demand that every batch was taken, and none failed.

        Raises:
            StepInputError: fewer batches were taken than promised, or one failed.
        """
        if isinstance(self.failure, TrtbuildError):
            raise self.failure
        if self.failure is not None:
            raise StepInputError(
                f"calibration batch {self.given + 1} failed: {self.failure}",
                hint="TensorRT would have calibrated on the batches before it",
            ) from self.failure
        if self.given != self._promised or not self._ended:
            raise StepInputError(
                f"TensorRT calibrated on {self.given - (not self._ended)} of {self._promised} "
                "batches and stopped without a word",
                hint="the step's log may say why: a batch that did not fit on the GPU, for one",
            )


def calibrate_with_tensorrt(  # noqa: PLR0913  # all that TensorRT is told
    target: Tensorrt10,
    model: Path,
    work: Path,
    *,
    calibrator: str,
    profile: Profile,
    loader: CountedBatches,
    log_level: LogLevel = USUAL,
    options: Mapping[str, float] | None = None,
) -> bytes:
    """Have TensorRT calibrate a model; return its calibration cache as it wrote it.

    `profile` has the one shape of each input; `options` are the legacy calibrator's `quantile` and
    `regression_cutoff`. The engine that TensorRT builds on the way stays in `work`, of no use.

    Raises:
        StepInputError: a batch failed or was not taken, or TensorRT refused the model.
        MissingDependency, NoGpu: TensorRT 10 or a GPU is not here.
    """
    from trtbuild.backends.tensorrt.build import BuildJob, compile_engine

    cache = work.with_name("calibration.cache")
    settings = target.settings(implicit=True)
    settings.arguments |= {"builder_optimization_level": 0}  # what is built is thrown away
    more = {"cache": str(cache), **(options or {})}
    job = BuildJob(
        TRT10,
        BuildOrder(model, work, profiles=[profile], log_level=log_level),
        settings,
        network=dict(target.network_arguments(implicit=True)),
        times=False,
        calibrator=lambda trt: _make_calibrator(loader, getattr(trt, CLASSES[calibrator]), more),
    )
    try:
        compile_engine(job)
    except TrtbuildError:
        if loader.failure is not None:  # that is why TensorRT found no ranges
            loader.demand_all()
        raise
    loader.demand_all()
    if not cache.is_file():
        raise StepInputError(
            "TensorRT calibrated, and wrote no calibration cache",
            hint="the step's log may say why",
        )
    return cache.read_bytes()


def _make_calibrator(loader: CountedBatches, base: type[Any], options: Mapping[str, Any]) -> Any:
    from polygraphy.backend.trt import Calibrator

    return Calibrator(loader, BaseClass=base, **options)
