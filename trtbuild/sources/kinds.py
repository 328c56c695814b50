"""Where a model comes from: an ONNX file, or a PyTorch module from Python code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from trtbuild.core.options import Location, NonEmpty, Options, VariableName
from trtbuild.model.imported_model import ImportedModel
from trtbuild.sources.sizes import Shapes, Sizes, choose_sizes

__all__ = ["InputSpec", "Onnx", "Torch", "Weights"]

DimensionName = Annotated[str, Field(pattern="^[A-Za-z_][A-Za-z0-9_]*$")]
Extent = Annotated[int, Field(ge=1)]
OutputName = Annotated[str, Field(min_length=1)]


class InputSpec(Options):
    """An input of the exported model: its dtype and shape; a text names a dynamic dimension."""

    dtype: Literal["float32", "float16", "int64", "int32", "uint8", "bool"] = "float32"
    """NumPy's word for the type of its values."""
    shape: tuple[Extent | DimensionName, ...]
    """Sizes, or names for dimensions that stay dynamic; equal names are equal sizes."""


class Weights(Options):
    """Weights for a model: a file beside the recipe, or a URL with its digest."""

    path: Location | None = None
    """A state dict as safetensors, or as `torch.save` writes it, alone or within a checkpoint;
    relative to the recipe."""
    url: Annotated[Location, Field(pattern="^(https|file)://")] | None = None
    """Where such a file is published (https, or file); needs `sha256`, and is fetched once."""
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    """The file's digest; a file that differs is refused."""
    key: Annotated[str, Field(min_length=1)] | None = None
    """The entry of a checkpoint that holds the state dict (`state_dict`, `model.ema`, ...), or what
    the names of the module's weights begin with there (`generator`). Only needed where several fit:
    an entry that alone fits is taken, and a prefix of all names (`module.`, `_orig_mod.`, `model.`)
    stripped, with a note."""

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

    def find_files(self, base: Path) -> tuple[Path, ...]:
        """Return the model file, then the files of its external data, sorted.

        Reads the structure alone, without the onnx library: this runs at every plan.

        Raises:
            MissingFile: the model, or data that one of its tensors names, is not there.
            StepInputError: it is no ONNX model, is cut off, or names data outside its folder.
        """
        from trtbuild.model.onnx_file import find_model_files

        return find_model_files(base / self.path)

    def sizes(
        self, profiles: Sequence[Mapping[str, Shapes]], later: Mapping[tuple[str, int], int]
    ) -> Sizes:
        """Return none: the file is exported already."""
        del profiles, later
        return Sizes()

    def bring_in(self, base: Path, weights: Path | None, sizes: Sizes) -> ImportedModel:
        """Read the model with all its data; it takes no weights, and has sizes of its own.

        Raises:
            MissingFile: the model, or data that one of its tensors names, is not there.
            StepInputError: it cannot be read, or is not a valid model.
        """
        from trtbuild.model.onnx_file import read_onnx

        del weights, sizes
        return read_onnx(base / self.path)


class Torch(Options):
    """A PyTorch module made by a Python callable, exported with `torch.onnx.export`."""

    kind: Literal["torch"]
    entrypoint: str
    """`path/to/file.py:callable`, relative to the recipe, or `package.module:callable`."""
    options: dict[str, int | float | str | bool] = {}
    """Keyword arguments for the callable."""
    files: tuple[NonEmpty, ...] = ()
    """Files and folders, relative to the recipe, that the code reads: whatever of them changes runs
    it again. What it is seen to read counts anyway; this is for what a library reads by itself."""
    packages: tuple[str, ...] = ()
    """Installed packages (as pip names them) whose version may change the model: another version
    runs the callable again. Those that its code imports count anyway. None by default."""
    environment: tuple[VariableName, ...] = ()
    """Variables of the environment that the code is given, and whose values count; of others it
    only sees those that every program needs (`PATH`, `HOME`, `LANG`, ...). None by default."""
    weights: Weights | None = None
    """The trained weights; without them the callable is expected to load its own."""
    without_weights: Literal["fail", "seeded"] = "fail"
    """What to do where the url cannot be reached: an error, or seeded weights that say so."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """What seeded weights are drawn from."""
    inputs: Annotated[dict[str, InputSpec], Field(min_length=1)]
    """Inputs by name; where there are several, they are named as `forward` names them. The exporter
    sees a dynamic dimension at the profile's `opt`, a batch (axis 0) at 2 or the least allowed."""
    outputs: Annotated[tuple[OutputName, ...], Field(min_length=1)] = ("output",)
    """Names of the tensors that the module returns. Of a tuple or list: names of your own, in
    order, tuples within it in place. Of a dict: its keys, in any order (`boxes.0` for the first of
    a tuple under `boxes`). Of a named tuple: either. A single tensor may have any name. Each is
    compared with the module's own on random inputs, at those sizes and at corners of profiles."""
    opset: Annotated[int, Field(ge=13, le=25)] = 20
    """ONNX opset of the exported model; below 18 the exporter converts down, which may fail."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [*self.inputs, *self.outputs]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            other = "an input" if twice in self.inputs else "another output"
            raise ValueError(
                f"the output `{twice}` is called like {other}; write `{twice}_out` for it"
            )
        return self

    def find_files(self, base: Path) -> tuple[Path, ...]:
        """Return the entrypoint's source and the modules that it imports from beside it.

        Raises:
            MissingFile: there is no such file or module.
            UsageError: the entrypoint is malformed.
        """
        from trtbuild.core.entrypoint import find_source_files

        return find_source_files(self.entrypoint, base)

    def sizes(
        self, profiles: Sequence[Mapping[str, Shapes]], later: Mapping[tuple[str, int], int]
    ) -> Sizes:
        """Return the sizes to export at: those of the profiles, or that fixes set later."""
        return choose_sizes(self.inputs, profiles, later)

    def bring_in(self, base: Path, weights: Path | None, sizes: Sizes) -> ImportedModel:
        """Make the module, load or seed its weights, and export it at the example's sizes.

        Raises:
            MissingFile: it asks for weights, there are none, and it may not be seeded.
            MissingDependency: PyTorch or the exporter is not installed.
            StepInputError: the weights do not fit, or PyTorch cannot export the module.
        """
        from trtbuild.sources.torch_export import export_module

        return export_module(self, base=base, weights=weights, sizes=sizes)
