"""A YOLO of Ultralytics, exported by its own exporter."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from trtbuild.core.options import Location, UnitInterval
from trtbuild.model.imported_model import ImportedModel
from trtbuild.sources.published import PublishedFile
from trtbuild.sources.sizes import Sizes

__all__ = ["Ultralytics"]

Side = Annotated[int, Field(ge=32, le=8192)]


class Ultralytics(PublishedFile):
    """A YOLO checkpoint of Ultralytics, exported by its own exporter in a process of its own."""

    kind: Literal["ultralytics"]
    path: Location | None = None
    """The checkpoint (`best.pt`), relative to the recipe. Ultralytics unpickles it, which runs what
    is in it: name only what you trust."""
    imgsz: Side | tuple[Side, Side] | None = None
    """The size of pictures: one side, or [height, width]; by default that of training."""
    batch: Annotated[int, Field(ge=1)] = 1
    """How many pictures the model takes at once; with `dynamic` and `nms`, at most."""
    dynamic: bool = False
    """Leave batch, height and width open: `batch`, `height`, `width`."""
    simplify: bool = True
    """Have onnxslim simplify the graph, as Ultralytics does by default."""
    nms: bool = False
    """Put non-maximum suppression into the graph: one output of boxes, scores and classes."""
    conf: UnitInterval = 0.25
    """With `nms`: the score below which boxes are dropped."""
    iou: UnitInterval = 0.7
    """With `nms`: how far boxes may overlap."""
    max_det: Annotated[int, Field(ge=1)] = 300
    """The most boxes of a picture, where the graph ends in boxes."""
    agnostic_nms: bool = False
    """With `nms`: boxes of different classes suppress each other."""
    end2end: bool | None = None
    """Of a model with two heads (YOLOv10, YOLO26): export the one that needs no suppression; by
    default as the checkpoint has it."""
    opset: Annotated[int, Field(ge=13, le=20)] = 17
    """ONNX opset of the exported model."""

    def find_files(self, base: Path) -> tuple[Path, ...]:
        """Return the checkpoint.

        Raises:
            MissingFile: it is not there.
            StepInputError: it is no checkpoint of PyTorch's.
        """
        from trtbuild.core.errors import StepInputError
        from trtbuild.core.regular_files import open_regular
        from trtbuild.sources.foreign import PYTORCH, find_format

        if self.path is None:
            return ()
        path = base / self.path
        open_regular(path).close()
        found = find_format(path)
        if found is not PYTORCH:
            name = found.name if found is not None else "no file of PyTorch"
            raise StepInputError(
                f"{path}: is {name}; a checkpoint of Ultralytics (`best.pt`) is needed",
                hint="what is ONNX already is `kind: onnx`",
            )
        return (path,)

    def libraries(self) -> tuple[str, ...]:
        """Name what exports it."""
        slim = ("onnxslim",) if self.simplify else ()
        return ("ultralytics", "torch", "torchvision", "onnx", *slim)

    def list_arguments(self) -> dict[str, Any]:
        """Return what `YOLO.export` is called with."""
        options = {
            "format": "onnx",
            "batch": self.batch,
            "dynamic": self.dynamic,
            "simplify": self.simplify,
            "opset": self.opset,
            "max_det": self.max_det,
            "device": "cpu",
        }
        if self.imgsz is not None:
            options["imgsz"] = self.imgsz if isinstance(self.imgsz, int) else list(self.imgsz)
        if self.nms:
            options |= {"nms": True, "conf": self.conf, "iou": self.iou}
            options["agnostic_nms"] = self.agnostic_nms
        if self.end2end is not None:
            options["end2end"] = self.end2end
        return options

    def bring_in(self, base: Path, weights: Path | None, sizes: Sizes) -> ImportedModel:
        """Have Ultralytics export the checkpoint, and read what comes of it.

        Raises:
            MissingFile: a checkpoint by url could not be fetched.
            MissingDependency: Ultralytics, or what it needs, is not installed.
            StepInputError: it cannot export the checkpoint.
        """
        from trtbuild.sources.ultralytics_export import export_checkpoint

        del sizes
        checkpoint, name = self.locate(base, weights)
        return export_checkpoint(checkpoint, self.list_arguments(), name=name)

    def locate(self, base: Path, weights: Path | None) -> tuple[Path, str]:
        """Return the checkpoint, and what it is called where its own name does not say.

        Raises:
            MissingFile: a checkpoint by url could not be fetched.
        """
        if self.path is not None:
            return base / self.path, ""
        # The store's name for it says nothing: Ultralytics asks for the suffix.
        return self._demand_fetched(weights), self.place.rpartition("/")[2]
