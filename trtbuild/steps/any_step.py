"""The step kinds; the union is what a worker reads. Nothing that only plans imports them all."""

from __future__ import annotations

import json
from typing import Annotated, Any, get_args

from pydantic import Field

from trtbuild.steps.adjust_weights import AdjustWeights
from trtbuild.steps.base import Step
from trtbuild.steps.build_engine import BuildEngine
from trtbuild.steps.calibrate import Calibrate
from trtbuild.steps.calibrate_natively import CalibrateNatively
from trtbuild.steps.capture_data import CaptureData
from trtbuild.steps.capture_labels import CaptureLabels
from trtbuild.steps.check_model import CheckModel
from trtbuild.steps.compare import CompareOutputs
from trtbuild.steps.compare_engine import CompareEngine
from trtbuild.steps.compare_pair import ComparePair
from trtbuild.steps.compare_some import CompareSome, InferSome
from trtbuild.steps.convert_precision import ConvertPrecision
from trtbuild.steps.describe_engine import DescribeEngine
from trtbuild.steps.equalize import Equalize
from trtbuild.steps.fix_graph import FixGraph
from trtbuild.steps.import_model import ImportModel
from trtbuild.steps.import_ranges import ImportRanges
from trtbuild.steps.infer import Infer
from trtbuild.steps.infer_engine import InferEngine
from trtbuild.steps.locked_ranges import LockedRanges
from trtbuild.steps.measure_layers import MeasureLayers
from trtbuild.steps.measure_peaks import MeasurePeaks
from trtbuild.steps.merge_layers import MergeLayers
from trtbuild.steps.pick_samples import PickSamples
from trtbuild.steps.quantize import Quantize
from trtbuild.steps.run_engine import RunEngine

__all__ = ["AnyStep", "read_step"]

AnyStep = Annotated[
    ImportModel
    | FixGraph
    | Equalize
    | CaptureData
    | CaptureLabels
    | Calibrate
    | CalibrateNatively
    | ImportRanges
    | LockedRanges
    | MeasurePeaks
    | AdjustWeights
    | Quantize
    | ConvertPrecision
    | CheckModel
    | BuildEngine
    | DescribeEngine
    | RunEngine
    | Infer
    | InferEngine
    | CompareOutputs
    | CompareEngine
    | ComparePair
    | PickSamples
    | InferSome
    | CompareSome
    | MeasureLayers
    | MergeLayers,
    Field(discriminator="kind"),
]


def read_step(value: Any) -> Step:
    """Return the step that a JSON value is; the validators of the other kinds are not built.

    Raises:
        ValueError: it is none of the kinds, or not as that kind is.
    """
    kind = value.get("kind") if isinstance(value, dict) else None
    for each in get_args(get_args(AnyStep)[0]):
        if each.model_fields["kind"].default == kind:
            found: Step = each.model_validate_json(json.dumps(value))
            return found
    raise ValueError(f"`{kind}` is no kind of step")
