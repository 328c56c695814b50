"""Stands in for the package `ultralytics`: `YOLO(path).export(...)` as its documentation has it.

A test puts this file into a folder as `ultralytics/__init__.py`; it stands on nothing of the tests.
It writes beside the checkpoint, prints, remarks the date, and does not know what it does not know.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

__version__ = "8.4.0"
KNOWN = {
    "format", "imgsz", "keras", "optimize", "half", "int8", "dynamic", "simplify", "opset",
    "workspace", "nms", "batch", "device", "data", "fraction", "conf", "iou", "max_det",
    "agnostic_nms", "end2end",
}  # fmt: skip


class YOLO:
    """A checkpoint."""

    task = "detect"

    def __init__(self, model: str) -> None:
        self._path = Path(model)
        content = self._path.read_bytes()
        if b"broken" in content:
            raise ModuleNotFoundError("No module named 'models'", name="models")
        if b"crash" in content:
            os._exit(9)
        self._end2end = b"end2end" in content

    def export(self, **arguments: Any) -> str:
        """Write it beside the checkpoint, and return where."""
        import onnx
        from onnx import helper

        unknown = sorted(set(arguments) - KNOWN)
        if unknown:
            raise SyntaxError(f"'{unknown[0]}' is not a valid YOLO argument.")
        assert arguments["format"] == "onnx"
        assert "false" == os.environ["YOLO_AUTOINSTALL"]
        side = arguments.get("imgsz", 64)
        height, width = (side, side) if isinstance(side, int) else side
        if self._end2end and arguments.get("nms"):
            print("WARNING 'nms=True' is not available for end2end models. Forcing 'nms=False'.")  # noqa: T201
        ends = self._end2end or arguments.get("nms", False)
        rows, columns = (arguments["max_det"], 6) if ends else (84, 10)
        batch = arguments.get("batch", 1)
        if arguments["dynamic"]:
            batch, height, width = "batch", "height", "width"
        nodes = [
            helper.make_node("ReduceMean", ["images"], ["mean"], axes=[1, 2, 3], keepdims=1),
            helper.make_node("Reshape", ["mean", "flat"], ["one"]),
            helper.make_node("Expand", ["one", "shape"], ["output0"]),
        ]
        graph = helper.make_graph(
            nodes,
            "main_graph",
            [helper.make_tensor_value_info("images", 1, (batch, 3, height, width))],
            [helper.make_tensor_value_info("output0", 1, (batch, rows, columns))],
            [
                helper.make_tensor("flat", 7, [3], [-1, 1, 1]),
                helper.make_tensor("shape", 7, [3], [1, rows, columns]),
            ],
        )
        opset = [helper.make_opsetid("", arguments["opset"])]
        model = helper.make_model(graph, opset_imports=opset, ir_version=9)
        remarks = {
            "date": datetime.now(UTC).isoformat(),
            "version": __version__,
            "stride": 32,
            "task": self.task,
            "names": {0: "person"},
            "end2end": self._end2end,
        }
        helper.set_model_props(model, {key: str(each) for key, each in remarks.items()})
        path = self._path.with_suffix(".onnx")
        onnx.save(model, path)
        print(f"Export complete, saved as {path}")  # noqa: T201
        return str(path)
