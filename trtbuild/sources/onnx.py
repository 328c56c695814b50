"""A model that is ONNX already."""

from pathlib import Path
from typing import Literal

from trtbuild.core.errors import StepInputError
from trtbuild.core.options import Location
from trtbuild.core.values import TensorSpec
from trtbuild.model.imported_model import ImportedModel
from trtbuild.sources.published import PublishedFile
from trtbuild.sources.sizes import Sizes

__all__ = ["Onnx"]


class Onnx(PublishedFile):
    """An ONNX file, with or without external data beside it, or one published by URL."""

    kind: Literal["onnx"]
    path: Location | None = None
    """The file, relative to the recipe; external data must lie in its folder or below. Its nodes
    may stand in any order, its floats may be float32 or 16-bit, and each dimension that it calls -1
    or `?` is open for itself."""

    def find_files(self, base: Path) -> tuple[Path, ...]:
        """Return the model file, then the files of its external data, sorted.

        Reads the structure alone, without the onnx library: this runs at every plan.

        Raises:
            MissingFile: the model, or data that one of its tensors names, is not there.
            StepInputError: it is no ONNX model, is cut off, or names data outside its folder.
        """
        from trtbuild.model.onnx_file import find_model_files
        from trtbuild.sources.foreign import refuse_foreign

        if self.path is None:
            return ()
        refuse_foreign(base / self.path)
        return find_model_files(base / self.path)

    def find_inputs(self, base: Path) -> tuple[TensorSpec, ...]:
        """Return the inputs as the file has them, where it is here."""
        from trtbuild.model.header import read_inputs

        return () if self.path is None else read_inputs(base / self.path)

    def bring_in(self, base: Path, weights: Path | None, sizes: Sizes) -> ImportedModel:
        """Read the model with all its data; it has sizes of its own, and `weights` if fetched.

        Raises:
            MissingFile: the model, or data that one of its tensors names, is not there.
            StepInputError: it cannot be read, or is not a valid model.
        """
        from trtbuild.model.onnx_file import read_onnx

        del sizes
        if self.path is not None:
            return read_onnx(base / self.path)
        weights = self._demand_fetched(weights)
        self._demand_whole(weights)
        return read_onnx(weights)

    def _demand_whole(self, path: Path) -> None:
        from trtbuild.model.wire import Malformed, iterate_external_data
        from trtbuild.sources.foreign import refuse_foreign

        refuse_foreign(path, called=str(self.url))
        try:
            others = sorted({str(each["location"]) for _, each in iterate_external_data(path)})
        except Malformed as error:
            raise StepInputError(
                f"{self.url}: {error}; an ONNX model is needed", hint="is it the address of a page?"
            ) from None
        if others:
            raise StepInputError(
                f"{self.url}: keeps weights in other files: {others[0]}",
                hint="download all of them into one folder, and name the model's file by `path`",
            )
