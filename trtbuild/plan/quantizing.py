"""The steps that find ranges, and quantize by them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trtbuild.calib.kinds import Calibrator
from trtbuild.core.quantized_types import TYPES
from trtbuild.plan.adjusting import find_float_model
from trtbuild.recipe.schema import Quantization
from trtbuild.steps.base import Ref, Step
from trtbuild.steps.capture_data import DataInput

if TYPE_CHECKING:
    from trtbuild.plan.compile import CompileContext

__all__ = ["add_quantization", "add_ranges", "list_manual_ranges"]


def add_ranges(
    section: Quantization,
    steps: dict[str, Step],
    data: Mapping[str, DataInput],
    here: CompileContext,
) -> Ref | None:
    """Add the step that finds the ranges, and return them; None where all are given by hand."""
    found = section.calibrator
    model = find_float_model(steps)
    if found is not None and found.kind == "cache":
        from trtbuild.steps.import_ranges import ImportRanges

        (table,) = here.pinned(found.find_files(here.base))
        steps["import_ranges"] = ImportRanges(
            model=model,
            table=table,
            values=found.values,
            skip=section.floats,
            precision=section.precision,
        )
        return Ref(step="import_ranges", output="ranges")
    if found is None or section.data is None:
        return None
    from trtbuild.steps.calibrate import Calibrate

    steps["calibrate"] = Calibrate(
        model=model,
        data=data[section.data],
        calibrator=_resolve(section, found),
        overrides={name: _resolve(section, each) for name, each in section.calibrators.items()},
        everything=section.mode == "implicit",
    )
    return Ref(step="calibrate", output="ranges")


def _resolve(section: Quantization, asked: Calibrator) -> Calibrator:
    """Return what calibrates: where a value is rounded by its own size, `auto` is `minmax`."""
    from trtbuild.calib.minmax import Minmax

    even = TYPES[section.type].evenly
    return asked if even or asked.kind != "auto" else Minmax(kind="minmax")


def add_quantization(
    section: Quantization,
    steps: dict[str, Step],
    ranges: Ref | None,
    peaks: Ref | None,
    here: CompileContext,
) -> None:
    """Add the step that quantizes, with the ranges found and those by hand."""
    from trtbuild.steps.quantize import Quantize

    file = section.ranges_file
    steps["quantize"] = Quantize(
        model=find_float_model(steps),
        type=section.type,
        block_size=section.block_size,
        ranges=ranges,
        tails=Ref(step="calibrate", output="tails")
        if "tails" in getattr(steps.get("calibrate"), "outputs", ())
        else None,
        manual=list_manual_ranges(section),
        ranges_file=None if file is None else here.pin(here.base / file),
        allow_missing=section.allow_missing or "calibrate" in steps,
        skip=section.floats,
        precision=section.precision,
        weights=section.weights,
        high_precision=section.high_precision,
        keep_io_types=section.keep_io_types,
        peaks=peaks,
    )


def list_manual_ranges(section: Quantization) -> dict[str, tuple[float, float]]:
    """Return the ranges by hand as (low, high): a limit of 6 means -6 to 6."""
    return {
        key: value if isinstance(value, tuple) else (-float(value), float(value))
        for key, value in section.ranges.items()
    }
