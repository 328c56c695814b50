"""A model of Hugging Face's transformers: a folder, or what the hub keeps under a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from trtbuild.core.errors import TrtbuildError
from trtbuild.core.options import Location, NonEmpty
from trtbuild.core.user_code import UserCode
from trtbuild.core.values import TensorSpec
from trtbuild.model.imported_model import ImportedModel
from trtbuild.sources.base import Source
from trtbuild.sources.inputs import InputSpec, find_clash, list_specs
from trtbuild.sources.sizes import Shapes, Sizes, choose_sizes
from trtbuild.sources.torch import EXPORTERS, NEWEST_OF_TORCHSCRIPT, Exporter

__all__ = ["Huggingface", "Task"]

HubName = Annotated[Location, Field(pattern=r"^\w[\w.-]*(/\w[\w.-]*)?$")]
Revision = Annotated[Location, Field(pattern=r"^\w[\w./-]*$")]
PLACES = ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME")
"""What may say where the hub's cache is."""
Task = Literal[
    "feature-extraction",
    "fill-mask",
    "text-classification",
    "token-classification",
    "question-answering",
    "multiple-choice",
    "text-generation",
    "image-classification",
    "object-detection",
    "semantic-segmentation",
    "depth-estimation",
    "audio-classification",
    "speech-recognition",
]


class Huggingface(Source):
    """A model of Hugging Face's transformers: a local folder, or a name on the hub."""

    kind: Literal["huggingface"]
    path: Location | None = None
    """The folder that `save_pretrained` wrote, relative to the recipe: `config.json` and weights as
    safetensors or `pytorch_model.bin`, in one file or several."""
    id: HubName | None = None
    """The model's name on the hub, in place of `path`; it needs `revision`. It is looked for in the
    hub's own cache, and `apply` fetches what is not there."""
    revision: Revision | None = None
    """Of `id`: a commit, by its whole digest best; a tag or branch is what it is in the cache."""
    task: Task | None = None
    """What the model is for, where it is to be another than what `config.json` names under
    `architectures`. Weights that this lacks are an error."""
    trust_remote_code: bool = False
    """Run the Python code that lies in the folder, where transformers has no such model. It is
    watched as code of your own is."""
    inputs: dict[str, InputSpec] = {}
    """Inputs by name, as the model's `forward` names them. By default those that its configuration
    tells: `input_ids` and `attention_mask` `[batch, sequence]`, `token_type_ids` where there are
    several types, `pixel_values` of the size that it was trained at, `input_values`."""
    outputs: tuple[NonEmpty, ...] = ()
    """Which of its outputs are wanted, by the names that transformers has for them (`logits`,
    `last_hidden_state`, ...); all by default."""
    opset: Annotated[int, Field(ge=13, le=25)] = 20
    """ONNX opset of the exported model; below 18 dynamo converts down, which may fail."""
    exporter: Exporter = "dynamo"
    """What exports it, as for `kind: torch`: `dynamo`, or `torchscript`, which is faster."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.path is None) == (self.id is None):
            raise ValueError("a model of Hugging Face's has either a path or an id")
        if self.id is not None and self.revision is None:
            raise ValueError("a model by id needs its revision: a commit of the hub")
        if clash := find_clash(self.inputs, self.outputs):
            raise ValueError(clash)
        if self.exporter == "torchscript" and self.opset > NEWEST_OF_TORCHSCRIPT:
            raise ValueError(f"TorchScript's exporter writes opset {NEWEST_OF_TORCHSCRIPT} at most")
        return self

    @property
    def place(self) -> str:
        """Name the folder, or the model on the hub."""
        return self.path or f"{self.id}@{self.revision}"

    @property
    def place_option(self) -> str:
        """Name the option that says so."""
        return "path" if self.id is None else "id"

    def is_here(self) -> bool:
        """Tell whether the hub's cache has the model."""
        from trtbuild.sources.huggingface_hub import is_cached

        return self.id is None or self.revision is None or is_cached(self.id, self.revision)

    def fetch(self) -> None:
        """Fetch the model from the hub into its cache, unless it is there.

        Raises:
            MissingFile: it cannot be fetched.
            MissingDependency: the hub's client is not installed.
        """
        if self.id is not None and self.revision is not None:
            from trtbuild.sources.huggingface_hub import fetch_snapshot

            fetch_snapshot(self.id, self.revision, code=self.trust_remote_code)

    def folder(self, base: Path) -> Path:
        """Return the folder that the model lies in.

        Raises:
            MissingFile: it is not there, or not in the hub's cache.
        """
        from trtbuild.sources.huggingface_hub import find_snapshot

        if self.id is not None and self.revision is not None:
            return find_snapshot(self.id, self.revision)
        return base / (self.path or "")

    def find_files(self, base: Path) -> tuple[Path, ...]:
        """Return the configuration, the weights, and the code where that is run.

        Raises:
            MissingFile: the folder, its configuration or a file of its weights is not there.
            StepInputError: it is no model of PyTorch's, or it needs code that is not trusted.
        """
        from trtbuild.sources.huggingface_folder import list_files

        return list_files(
            self.folder(base),
            code=self.trust_remote_code,
            tell_inputs=not self.inputs,
            called=self.place,
        )

    def find_inputs(self, base: Path) -> tuple[TensorSpec, ...]:
        """Return the inputs, where they are known."""
        try:
            return list_specs(self.list_inputs(base))
        except TrtbuildError:  # told where the files are looked for
            return ()

    def list_inputs(self, base: Path) -> Mapping[str, InputSpec]:
        """Return the inputs as the recipe or the model's configuration has them.

        Raises:
            MissingFile: there is no configuration.
            StepInputError: the configuration does not tell them.
        """
        from trtbuild.sources.huggingface_folder import read_folder

        return self.inputs or read_folder(self.folder(base), called=self.place).tell_inputs()

    def sizes(
        self,
        profiles: Sequence[Mapping[str, Shapes]],
        later: Mapping[tuple[str, int], int],
        base: Path = Path(),
    ) -> Sizes:
        """Return the sizes to export at: those of the profiles, or that fixes set later."""
        return choose_sizes(self.list_inputs(base), profiles, later)

    def libraries(self) -> tuple[str, ...]:
        """Name what makes the model, and what exports it."""
        return ("transformers", *EXPORTERS)

    @property
    def runs_alone(self) -> bool:
        """Tell that it needs a process of its own."""
        return True

    def user_code(self, base: str, known: tuple[str, ...]) -> UserCode | None:
        """Say that the folder's code runs, where it is trusted."""
        if not self.trust_remote_code:
            return None
        return UserCode(base=base, known=known, environment=PLACES if self.id else ())

    def bring_in(self, base: Path, weights: Path | None, sizes: Sizes) -> ImportedModel:
        """Make the model by its configuration, load its weights, and export it.

        Raises:
            MissingFile: the folder, or a file in it, is gone.
            MissingDependency: transformers, PyTorch or the exporter is not installed.
            StepInputError: it cannot be made, its weights do not fit, or it cannot be exported.
        """
        from trtbuild.sources.huggingface_model import export_pretrained

        del weights
        return export_pretrained(
            self, folder=self.folder(base), inputs=self.list_inputs(base), sizes=sizes
        )
