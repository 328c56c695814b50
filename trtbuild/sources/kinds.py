"""Where a model comes from: an ONNX file, or a PyTorch module from Python code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from trtbuild.core.options import Location, Options
from trtbuild.model.imported_model import ImportedModel

__all__ = ["InputSpec", "Onnx", "Torch", "Weights"]

DimensionName = Annotated[str, Field(pattern="^[A-Za-z_][A-Za-z0-9_]*$")]
Extent = Annotated[int, Field(ge=1)]


class InputSpec(Options):
    """An input of the exported model: its dtype and shape; a text names a dynamic dimension."""

    dtype: Literal["float32", "float16", "int64", "int32", "uint8", "bool"] = "float32"
    """NumPy's word for the type of its values."""
    shape: tuple[Extent | DimensionName, ...]
    """Sizes, or names for dimensions that stay dynamic; equal names are equal sizes."""


class Weights(Options):
    """Weights for a model: a file beside the recipe, or a URL with its digest."""

    path: Location | None = None
    """A state dict as safetensors, or as `torch.save` writes it; relative to the recipe."""
    url: Annotated[Location, Field(pattern="^(https|file)://")] | None = None
    """Where such a file is published (https, or file); needs `sha256`, and is fetched once."""
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    """The file's digest; a file that differs is refused."""
    key: str | None = None
    """The entry of a checkpoint that holds the state dict (`state_dict`, `model`, ...)."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.path is None) == (self.url is None):
            raise ValueError("weights have either a path or a url")
        if self.url is not None and self.sha256 is None:
            raise ValueError("weights by url need their sha256")
        return self


class Onnx(Options):
    """An ONNX file, with or without external data beside it."""

    kind: Literal["onnx"]
    path: Location
    """The file, relative to the recipe; external data must lie in its folder or below. Its nodes
    may stand in any order, its floats may be float32 or 16-bit, and each dimension that it calls -1
    or `?` is open for itself."""

    def files(self, base: Path) -> tuple[Path, ...]:
        """Return the model file, then the files of its external data, sorted.

        Reads the structure alone, without the onnx library: this runs at every plan.

        Raises:
            MissingFile: the model, or data that one of its tensors names, is not there.
            StepInputError: it is no ONNX model, is cut off, or names data outside its folder.
        """
        from trtbuild.model.onnx_file import find_model_files

        return find_model_files(base / self.path)

    def bring_in(self, base: Path, weights: Path | None) -> ImportedModel:
        """Read the model with all its data; `weights` is always None.

        Raises:
            MissingFile: the model, or data that one of its tensors names, is not there.
            StepInputError: it cannot be read, or is not a valid model.
        """
        from trtbuild.model.onnx_file import read_onnx

        del weights
        return read_onnx(base / self.path)


class Torch(Options):
    """A PyTorch module made by a Python callable, exported with `torch.onnx.export`."""

    kind: Literal["torch"]
    entrypoint: str
    """`path/to/file.py:callable`, relative to the recipe, or `package.module:callable`."""
    options: dict[str, int | float | str | bool] = {}
    """Keyword arguments for the callable."""
    weights: Weights | None = None
    """The trained weights; without them the callable is expected to load its own."""
    without_weights: Literal["fail", "seeded"] = "fail"
    """What to do where the url cannot be reached: an error, or seeded weights that say so."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """What seeded weights are drawn from."""
    inputs: Annotated[dict[str, InputSpec], Field(min_length=1)]
    """Inputs by name; where there are several, they are named as `forward` names them."""
    outputs: Annotated[tuple[str, ...], Field(min_length=1)] = ("output",)
    """Names of what the module returns, in order."""
    opset: Annotated[int, Field(ge=13, le=25)] = 20
    """ONNX opset of the exported model; below 18 the exporter converts down, which may fail."""

    def files(self, base: Path) -> tuple[Path, ...]:
        """Return the entrypoint's source and the modules that it imports from beside it.

        Raises:
            MissingFile: there is no such file or module.
            UsageError: the entrypoint is malformed.
        """
        from trtbuild.core.entrypoint import find_source_files

        return find_source_files(self.entrypoint, base)

    def bring_in(self, base: Path, weights: Path | None) -> ImportedModel:
        """Make the module, load or seed its weights, and export it.

        Raises:
            MissingFile: it asks for weights, there are none, and it may not be seeded.
            MissingDependency: PyTorch or the exporter is not installed.
            StepInputError: the weights do not fit, or PyTorch cannot export the module.
        """
        from trtbuild.sources.torch_export import export_module

        return export_module(self, base=base, weights=weights)
