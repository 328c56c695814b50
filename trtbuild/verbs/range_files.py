"""Files of ranges for other tools, and from them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from trtbuild.calib.range_file import RangeTable
from trtbuild.calib.range_import import remark_on_file, select_ranges
from trtbuild.calib.range_text import text_from_limits
from trtbuild.calib.trt_cache import ALGORITHMS, TrtCache, bytes_from_cache, number_from_version
from trtbuild.core.errors import MissingFile, UsageError
from trtbuild.core.values import Ranges
from trtbuild.model.view import GraphView
from trtbuild.quant.placing.required_ranges import find_missing_ranges, find_required_ranges
from trtbuild.quant.requests import PrecisionRequests
from trtbuild.recipe.load import LoadedRecipe
from trtbuild.recipe.schema import Quantization
from trtbuild.run.executor import Executor, QuietListener
from trtbuild.store.store import Store
from trtbuild.verbs.build import make_fixed_model

__all__ = [
    "ImportedRanges",
    "RangeFileForm",
    "bytes_from_ranges",
    "select_ranges_for_model",
    "select_ranges_for_recipe",
    "write_range_file",
]

RangeFileForm = Literal["tensorrt", "text", "json"]
NO_CACHES = 110_000
"""The number of TensorRT 11.0.0: from there on, calibration caches are not read."""


@dataclass(frozen=True)
class ImportedRanges:
    """What of a file of ranges concerns a model."""

    ranges: Ranges
    remarks: tuple[str, ...]
    """How much it covers, what it lacks, what of it is unknown."""


def select_ranges_for_model(
    table: RangeTable, model: Path, section: Quantization | None = None
) -> ImportedRanges:
    """Keep the ranges of a model's tensors; nodes that are to stay float need none.

    Raises:
        MissingFile: the model is not there.
        UsageError: it is no ONNX model.
        StepInputError: it is quantized in a form that no TensorRT takes.
    """
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        graph = onnx.load(model, load_external_data=False)
    except OSError as error:
        hint = "--model takes the ONNX file they are for"
        raise MissingFile(f"{model}: {error.strerror}", hint=hint) from None
    except DecodeError:
        raise UsageError(
            f"{model}: is not an ONNX model", hint="--model takes the ONNX file they are for"
        ) from None
    names = GraphView(graph).activations
    ranges = select_ranges(table, set(names))
    requests = (
        PrecisionRequests.among(graph.graph.node, skip=section.floats, precision=section.precision)
        if section
        else None
    )
    wants = list(find_required_ranges(graph, requests))
    told = remark_on_file(
        table,
        set(names),
        wanted=wants,
        lacking=find_missing_ranges(wants, ranges.tensors),
        inputs=[value.name for value in graph.graph.input],
    )
    return ImportedRanges(ranges, tuple(told))


def select_ranges_for_recipe(
    table: RangeTable, loaded: LoadedRecipe, store: Store, executor: Executor
) -> ImportedRanges:
    """Keep the ranges of the tensors that a recipe's model has after its graph fixes.

    Raises:
        StepFailed: the model cannot be imported or fixed.
    """
    model = make_fixed_model(loaded, store, executor, QuietListener())
    return select_ranges_for_model(table, model, loaded.recipe.quantization)


def bytes_from_ranges(ranges: Ranges) -> bytes:
    """Write ranges.json, which `calibrator: {kind: cache}` and `ranges_file` read."""
    return (ranges.model_dump_json(indent=1, exclude_defaults=True) + "\n").encode()


def write_range_file(ranges: Ranges, form: RangeFileForm, *, version: str, algorithm: str) -> bytes:
    """Write ranges for TensorRT (`version`, `algorithm`: those of the header), or as text or JSON.

    Raises:
        UsageError: there is no such form or algorithm, or no TensorRT of that version reads such
            a file.
        RangeFileError: a name or limit cannot stand in such a file.
    """
    if form not in get_args(RangeFileForm):
        known = ", ".join(get_args(RangeFileForm))
        raise UsageError(f"there is no form `{form}`", hint=f"forms: {known}")
    if form == "json":
        return bytes_from_ranges(ranges)
    limits = {name: each.limit for name, each in sorted(ranges.tensors.items())}
    if form == "text":
        return text_from_limits(limits)
    if algorithm not in ALGORITHMS:
        known = ", ".join(ALGORITHMS)
        raise UsageError(f"there is no algorithm `{algorithm}`", hint=f"algorithms: {known}")
    try:
        number = number_from_version(version)
    except ValueError as error:
        told = str(error) if version else "a cache's header names a TensorRT, and none is given"
        raise UsageError(told, hint="say it in full: --trt-version 10.16.1") from None
    if number >= NO_CACHES:
        raise UsageError(
            f"TensorRT {version} reads no calibration caches: they ended with TensorRT 10",
            hint="it takes the Q/DQ model: model.int8.onnx, which `apply` leaves",
        )
    scales = {name: limit / 127 for name, limit in limits.items()}
    return bytes_from_cache(TrtCache(number, ALGORITHMS[algorithm], scales))
