"""Take the ranges from a file instead of a calibration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from trtbuild.calib.range_file import ScaleMeaning, table_from_bytes
from trtbuild.calib.range_import import remark_on_file, select_ranges
from trtbuild.core.regular_files import read_regular
from trtbuild.model.onnx_file import load_bare
from trtbuild.model.view import GraphView
from trtbuild.quant.placing.required_ranges import find_missing_ranges, find_required_ranges
from trtbuild.quant.requests import PrecisionName, PrecisionRequests
from trtbuild.steps.base import Context, Pinned, Ref, Step

__all__ = ["ImportRanges"]


class ImportRanges(Step):
    """Read a file of ranges, and keep those of the model's tensors."""

    version: ClassVar[int] = 2
    outputs: ClassVar[Mapping[str, str]] = {"ranges": "ranges.json"}

    kind: Literal["import_ranges"] = "import_ranges"
    model: Ref
    table: Pinned
    values: ScaleMeaning = "auto"
    """What a calibration cache's numbers are; see `calibrator: {kind: cache}`."""
    skip: tuple[str, ...] = ()
    """The recipe's: nodes that stay float need no range."""
    precision: dict[str, PrecisionName] = {}

    def run(self, context: Context) -> None:
        """Write ranges.json: Ranges, sorted by name; note what is unknown and what is lacking.

        Raises:
            RangeFileError: the file cannot be read as ranges.
        """
        path = context.path(self.table)
        table = table_from_bytes(read_regular(path), file=path.name, values=self.values)
        model = load_bare(context.path(self.model))
        names = GraphView(model).activations
        ranges = select_ranges(table, names)
        requests = PrecisionRequests.among(
            model.graph.node, skip=self.skip, precision=self.precision
        )
        wants = list(find_required_ranges(model, requests))
        for remark in remark_on_file(
            table,
            names,
            wanted=wants,
            lacking=find_missing_ranges(wants, ranges.tensors),
            inputs=[value.name for value in model.graph.input],
        ):
            context.events.note(remark)
        self.write(context, "ranges", ranges)
