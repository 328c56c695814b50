"""A PyTorch module that Python code makes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, model_validator

from trtbuild.core.options import NonEmpty, VariableName
from trtbuild.core.user_code import UserCode
from trtbuild.core.values import TensorSpec
from trtbuild.model.imported_model import ImportedModel
from trtbuild.sources.base import Source
from trtbuild.sources.inputs import InputSpec, find_clash, list_specs
from trtbuild.sources.sizes import Shapes, Sizes, choose_sizes
from trtbuild.sources.weights_place import Weights

__all__ = ["EXPORTERS", "Exporter", "Torch"]

EXPORTERS = ("torch", "onnx", "onnxscript", "onnx-ir")

Exporter = Literal["dynamo", "torchscript"]
NEWEST_OF_TORCHSCRIPT = 20


class Torch(Source):
    """A PyTorch module made by a Python callable, exported with `torch.onnx.export`."""

    kind: Literal["torch"]
    entrypoint: str
    """`path/to/file.py:callable`, relative to the recipe, or `package.module:callable`."""
    options: dict[str, JsonValue] = {}
    """Keyword arguments for the callable: numbers, texts, lists, mappings."""
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
    outputs: Annotated[tuple[NonEmpty, ...], Field(min_length=1)] = ("output",)
    """Names of the tensors that the module returns. Of a tuple or list: names of your own, in
    order, tuples within it in place. Of a dict: its keys, in any order (`boxes.0` for the first of
    a tuple under `boxes`). Of a named tuple: either. A single tensor may have any name. Each is
    compared with the module's own on random inputs, at those sizes and at corners of profiles."""
    opset: Annotated[int, Field(ge=13, le=25)] = 20
    """ONNX opset of the exported model; below 18 dynamo converts down, which may fail."""
    exporter: Exporter = "dynamo"
    """What exports it: `dynamo` follows the module for all sizes at once (`torch.export`),
    `torchscript` records one run: faster, takes more modules, up to opset 20, and freezes what
    Python computes, which the check at other sizes finds."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        clash = find_clash(self.inputs, self.outputs)
        if clash:
            raise ValueError(clash)
        if self.exporter == "torchscript" and self.opset > NEWEST_OF_TORCHSCRIPT:
            raise ValueError(f"TorchScript's exporter writes opset {NEWEST_OF_TORCHSCRIPT} at most")
        return self

    @property
    def place(self) -> str:
        """Name the callable."""
        return self.entrypoint

    @property
    def place_option(self) -> str:
        """Name the option that says so."""
        return "entrypoint"

    def describe(self) -> str:
        """Say what it is, as a report does."""
        by = "" if self.exporter == "dynamo" else f", by {self.exporter}"
        return f"torch {self.entrypoint}, opset {self.opset}{by}"

    @property
    def published(self) -> Weights | None:
        """Return the file of weights."""
        return self.weights

    @property
    def may_be_seeded(self) -> bool:
        """Tell whether it may do without trained weights where they cannot be fetched."""
        return self.without_weights == "seeded"

    def find_files(self, base: Path) -> tuple[Path, ...]:
        """Return the entrypoint's source, the modules that it imports from beside it, and shards.

        Raises:
            MissingFile: there is no such file or module.
            StepInputError: an index of weights cannot be read.
            UsageError: the entrypoint is malformed.
        """
        from trtbuild.core.entrypoint import find_source_files
        from trtbuild.sources.shards import is_index, list_shards

        files = find_source_files(self.entrypoint, base)
        place = self.weights.path if self.weights is not None else None
        shards = list_shards(base / place) if place is not None and is_index(place) else ()
        return (*files, *shards)

    def find_inputs(self, base: Path) -> tuple[TensorSpec, ...]:
        """Return the inputs as the recipe has them."""
        del base
        return list_specs(self.inputs)

    def sizes(
        self,
        profiles: Sequence[Mapping[str, Shapes]],
        later: Mapping[tuple[str, int], int],
        base: Path = Path(),
    ) -> Sizes:
        """Return the sizes to export at: those of the profiles, or that fixes set later."""
        del base
        return choose_sizes(self.inputs, profiles, later)

    def libraries(self) -> tuple[str, ...]:
        """Name what exports it, and what the recipe says may change it."""
        return tuple(dict.fromkeys([*EXPORTERS, *self.packages]))

    @property
    def runs_alone(self) -> bool:
        """Tell that it needs a process of its own."""
        return True

    def user_code(self, base: str, known: tuple[str, ...]) -> UserCode:
        """Say what code makes the module."""
        return UserCode(
            base=base,
            known=known,
            files=self.files,
            environment=self.environment,
            options=self.options,
        )

    def bring_in(self, base: Path, weights: Path | None, sizes: Sizes) -> ImportedModel:
        """Make the module, load or seed its weights, and export it at the example's sizes.

        Raises:
            MissingFile: it asks for weights, there are none, and it may not be seeded.
            MissingDependency: PyTorch or the exporter is not installed.
            StepInputError: the weights do not fit, or PyTorch cannot export the module.
        """
        from trtbuild.sources.torch_export import export_module

        return export_module(self, base=base, weights=weights, sizes=sizes)
