"""The step kinds; the union is what a worker reads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from trtbuild.core.kinds import OneOf, find_kind

if TYPE_CHECKING:
    from trtbuild.steps import (
        adjust_weights,
        build_engine,
        calibrate,
        calibrate_natively,
        capture_data,
        capture_labels,
        check_model,
        compare,
        compare_engine,
        compare_pair,
        compare_some,
        convert_precision,
        count_values,
        describe_engine,
        equalize,
        fix_graph,
        import_model,
        import_ranges,
        infer,
        infer_engine,
        locked_ranges,
        measure_drift,
        measure_layers,
        measure_peaks,
        merge_layers,
        pick_samples,
        preview_data,
        quantize,
        refit_engine,
        run_engine,
        time_load,
        time_runners,
        time_start,
    )
    from trtbuild.steps.base import Step

__all__ = ["AnyStep", "read_step"]

AnyStep = OneOf[
    """
    import_model.ImportModel
    | fix_graph.FixGraph
    | equalize.Equalize
    | capture_data.CaptureData
    | capture_labels.CaptureLabels
    | calibrate.Calibrate
    | count_values.CountValues
    | calibrate_natively.CalibrateNatively
    | import_ranges.ImportRanges
    | locked_ranges.LockedRanges
    | measure_peaks.MeasurePeaks
    | measure_drift.MeasureDrift
    | adjust_weights.AdjustWeights
    | quantize.Quantize
    | convert_precision.ConvertPrecision
    | check_model.CheckModel
    | build_engine.BuildEngine
    | refit_engine.RefitEngine
    | describe_engine.DescribeEngine
    | run_engine.RunEngine
    | infer.Infer
    | infer_engine.InferEngine
    | compare.CompareOutputs
    | compare_engine.CompareEngine
    | compare_pair.ComparePair
    | pick_samples.PickSamples
    | compare_some.InferSome
    | compare_some.CompareSome
    | preview_data.PreviewData
    | measure_layers.MeasureLayers
    | merge_layers.MergeLayers
    | time_runners.TimeRunners
    | time_start.TimeStart
    | time_load.TimeLoad
    """,
    __name__,
]


def read_step(value: Any) -> Step:
    """Return the step that a JSON value is; the other kinds are not loaded.

    Raises:
        ValueError: it is none of the kinds, or not as that kind is.
    """
    name = value.get("kind") if isinstance(value, dict) else None
    kind = find_kind(AnyStep, name) if isinstance(name, str) else None
    if kind is None:
        raise ValueError(f"`{name}` is no kind of step")
    return cast("Step", kind.model_validate_json(json.dumps(value)))
