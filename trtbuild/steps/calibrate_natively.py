"""Have TensorRT 10 calibrate, by the calibrator that the recipe names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from trtbuild.backends.base import ShapeRange
from trtbuild.backends.tensorrt.native_calibration import CountedBatches, calibrate_with_tensorrt
from trtbuild.backends.tensorrt10 import Tensorrt10
from trtbuild.calib.kinds import Calibrator
from trtbuild.calib.legacy import Legacy
from trtbuild.calib.range_file import table_from_bytes
from trtbuild.calib.range_import import select_ranges
from trtbuild.core.errors import StepInputError
from trtbuild.core.needs import Needs
from trtbuild.core.values import Ranges, TensorSpec
from trtbuild.model.onnx_file import load_bare
from trtbuild.model.outline import ModelOutline
from trtbuild.quant.placing.policy import list_floating
from trtbuild.steps.base import Context, Ref, Step
from trtbuild.steps.capture_data import DataInput

__all__ = ["CalibrateNatively"]


class CalibrateNatively(Step):
    """Feed TensorRT's own calibrator every captured sample, and take the table that it writes."""

    version: ClassVar[int] = 3
    outputs: ClassVar[Mapping[str, str]] = {"ranges": "ranges.json", "cache": "calibration.cache"}
    keeps_log: ClassVar[bool] = True

    kind: Literal["calibrate_natively"] = "calibrate_natively"
    model: Ref
    data: DataInput
    calibrator: Calibrator
    backend: Tensorrt10
    opt: dict[str, tuple[int, ...]] = {}
    """The opt shape of each input with open dimensions: batches must have it."""

    def fact_names(self) -> tuple[str, ...]:
        """Name the packages that it calibrates with, and the GPU."""
        return (*self.backend.capabilities.packages, "gpu")

    def needs(self) -> Needs:
        """Need what a build does: TensorRT builds an engine to calibrate with."""
        return self.backend.needs()

    def run(self, context: Context) -> None:
        """Write ranges.json, and the cache as TensorRT wrote it.

        Raises:
            StepInputError: a batch failed, was not taken, or has not the opt shape; or TensorRT
                refused the model.
            MissingDependency, NoGpu: TensorRT 10 or a GPU is not here.
        """
        path = context.path(self.model)
        inputs = ModelOutline.read(path).inputs
        shapes = {spec.name: self._shape(spec) for spec in inputs}
        fixed = [spec.model_copy(update={"shape": shapes[spec.name]}) for spec in inputs]
        feeder = self.data.make_feeder(fixed, context)
        count = self.data.read_manifest(context).count
        feeder.demand_whole_batches(count, otherwise="another opt shape in the profile")
        loader = CountedBatches(
            (feed.arrays for feed in feeder.feeds(self.data.samples(context))),
            promised=count // feeder.batch,
            shapes=shapes,
            progress=context.events.progress,
        )
        profile: dict[str, ShapeRange] = {name: (shape,) * 3 for name, shape in shapes.items()}
        # TensorRT has options for this one alone.
        legacy = isinstance(self.calibrator, Legacy)
        options = self.calibrator.model_dump(exclude={"kind"}) if legacy else {}
        cache = calibrate_with_tensorrt(
            self.backend,
            path,
            context.out / "thrown_away.engine",
            calibrator=self.calibrator.kind,
            profile=profile,
            loader=loader,
            log_level=context.log_level,
            options=options,
        )
        self.out(context, "cache").write_bytes(cache)
        table = table_from_bytes(cache, file="TensorRT's cache", values="scale")
        ranges = select_ranges(table, list_floating(load_bare(path))).tensors
        told = {
            name: each.model_copy(update={"calibrator_options": options})
            for name, each in ranges.items()
        }
        self.write(context, "ranges", Ranges(tensors=told, samples=count))

    def _shape(self, spec: TensorSpec) -> tuple[int, ...]:
        if spec.name in self.opt:
            return self.opt[spec.name]
        fixed = tuple(size for size in spec.shape if isinstance(size, int))
        if len(fixed) != len(spec.shape):
            raise StepInputError(
                f"input `{spec.name}` has open dimensions, and no profile has an opt shape for it",
                hint="add `profiles` with its min, opt and max shapes",
            )
        return fixed
