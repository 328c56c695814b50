"""Bring a model in as ONNX."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from trtbuild.core.needs import Needs
from trtbuild.core.options import Location
from trtbuild.core.user_code import UserCode
from trtbuild.sources import ModelSource
from trtbuild.sources.sizes import Sizes
from trtbuild.steps.base import Context, Pinned, Step

__all__ = ["ImportModel"]


class ImportModel(Step):
    """Read or export the model into one ONNX file."""

    version: ClassVar[int] = 6
    outputs: ClassVar[Mapping[str, str]] = {"model": "model.onnx"}
    beside: ClassVar[Mapping[str, str]] = {"weights": "model.weights"}

    kind: Literal["import_model"] = "import_model"
    model: ModelSource
    files: tuple[Pinned, ...]
    """What `model.find_files()` named: the ONNX file and its data, or the entrypoint's sources."""
    weights: Pinned | None = None
    """The file of `model.published`, fetched; None where there is none."""
    sizes: Sizes = Sizes()
    """What a torch model is exported at, and checked at; an ONNX file needs none."""
    base: Location
    """The folder that paths in the recipe relate to."""

    def fact_names(self) -> tuple[str, ...]:
        """Name the libraries that export, or read, the model."""
        return self.model.libraries()

    def user_code(self) -> UserCode | None:
        """Say what code of the user's makes the model, where any does."""
        known = (*self.files, *([self.weights] if self.weights else []))
        return self.model.user_code(self.base, tuple(pinned.path for pinned in known))

    def needs(self) -> Needs:
        """Need a process of its own where code of others runs."""
        return Needs(own_process=self.model.runs_alone)

    def run(self, context: Context) -> None:
        """Write model.onnx: IR version 10 at most, weights embedded, checked.

        Over 2 GB, its large weights go to a file beside it. What was exported is then held, output
        by output, against the module it was made from.

        Raises:
            MissingFile: a file is gone, or weights are asked for that are not here.
            StepInputError: the model cannot be read or exported, its weights do not fit, or what
                was exported computes something else.
        """
        from trtbuild.model.onnx_file import write_onnx

        weights = None if self.weights is None else context.path(self.weights)
        context.events.progress(0, 1, "models")
        imported = self.model.bring_in(Path(self.base), weights, self.sizes)
        path = self.out(context, "model")
        write_onnx(imported.model, path, self.out(context, "weights"))
        more = () if imported.hold is None else imported.hold(path)
        for note in (*imported.notes, *more):
            context.events.note(note)
        for caveat in imported.caveats:
            context.events.caveat(caveat)
        context.events.progress(1, 1, "models")
