"""Take the ranges from a file instead of a calibration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from trtbuild.calib.imported import imported, remarks
from trtbuild.calib.table import Values, table_from_bytes
from trtbuild.core.regular import read_regular
from trtbuild.model.view import View
from trtbuild.quant.account import Precision
from trtbuild.quant.placing.wanted import lacking, wanted
from trtbuild.quant.wishes import Wishes
from trtbuild.steps.base import Context, Pinned, Ref, Step

__all__ = ["ImportRanges"]


class ImportRanges(Step):
    """Read a file of ranges, and keep those of the model's tensors."""

    version: ClassVar[int] = 1
    outputs: ClassVar[Mapping[str, str]] = {"ranges": "ranges.json"}

    kind: Literal["import_ranges"] = "import_ranges"
    model: Ref
    table: Pinned
    values: Values = "auto"
    """What a calibration cache's numbers are; see `calibrator: {kind: cache}`."""
    skip: tuple[str, ...] = ()
    """The recipe's: nodes that stay float need no range."""
    precision: dict[str, Precision] = {}

    def run(self, context: Context) -> None:
        """Write ranges.json: Ranges, sorted by name; note what is unknown and what is lacking.

        Raises:
            RangeFileError: the file cannot be read as ranges.
        """
        import onnx

        path = context.path(self.table)
        table = table_from_bytes(read_regular(path), file=path.name, values=self.values)
        model = onnx.load(context.path(self.model), load_external_data=False)
        names = View(model).activations
        ranges = imported(table, names)
        wants = list(wanted(model, Wishes(self.skip, self.precision)))
        for remark in remarks(
            table,
            names,
            wanted=wants,
            lacking=lacking(wants, ranges.tensors),
            inputs=[value.name for value in model.graph.input],
        ):
            context.events.note(remark)
        self.write(context, "ranges", ranges)
