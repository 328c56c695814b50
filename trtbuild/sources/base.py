"""What all sources of a model have in common."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.core.options import Options
from trtbuild.core.user_code import UserCode
from trtbuild.core.values import TensorSpec
from trtbuild.model.imported_model import ImportedModel
from trtbuild.sources.sizes import Shapes, Sizes

if TYPE_CHECKING:
    from trtbuild.sources.weights_place import Weights

__all__ = ["Source"]


class Source(Options):
    """Where a model comes from; its files are ingredients, and its bytes follow from them."""

    kind: str

    @property
    def place(self) -> str:
        """Say in a word what it is made from: a path, an entrypoint, a name."""
        raise NotImplementedError

    @property
    def place_option(self) -> str:
        """Name the option that says so."""
        return "path"

    def describe(self) -> str:
        """Say what it is, as a report does."""
        return f"{self.kind} {self.place}"

    @property
    def published(self) -> "Weights | None":
        """Return the one file that is fetched, or lies beside the recipe, and is no code."""
        return None

    @property
    def may_be_seeded(self) -> bool:
        """Tell whether it may do without that file where it cannot be fetched."""
        return False

    def is_here(self) -> bool:
        """Tell whether what `fetch` fetches is here."""
        return True

    def fetch(self) -> None:
        """Fetch what is known by a name alone, unless it is here.

        Raises:
            MissingFile: it cannot be fetched.
            MissingDependency: what fetches it is not installed.
        """

    def find_files(self, base: Path) -> tuple[Path, ...]:
        """Return the files that it is made from, the one that says most of it first.

        Nothing heavy is imported: this runs at every plan.

        Raises:
            MissingFile: one is not there.
            StepInputError: they are not what they are taken for.
            UsageError: what names them is malformed.
        """
        raise NotImplementedError

    def find_inputs(self, base: Path) -> tuple[TensorSpec, ...]:
        """Return the model's inputs as far as they are known before it is brought in."""
        del base
        return ()

    def sizes(
        self,
        profiles: Sequence[Mapping[str, Shapes]],
        later: Mapping[tuple[str, int], int],
        base: Path = Path(),
    ) -> Sizes:
        """Return the sizes to export at: those of the profiles, or that fixes set later."""
        del profiles, later, base
        return Sizes()

    def libraries(self) -> tuple[str, ...]:
        """Name the installed packages whose versions may change what comes of it."""
        return ("onnx",)

    @property
    def runs_alone(self) -> bool:
        """Tell whether it needs a process of its own: it runs code of others."""
        return False

    def user_code(self, base: str, known: tuple[str, ...]) -> UserCode | None:
        """Say what code of the user's runs, where any does; `known` are its ingredients."""
        del base, known
        return None

    def bring_in(self, base: Path, weights: Path | None, sizes: Sizes) -> ImportedModel:
        """Make ONNX of it.

        Args:
            base: the folder that paths relate to.
            weights: the file of `published`, where there is one and it is here.
            sizes: what `sizes` returned.

        Raises:
            MissingFile: a file is gone, or weights are asked for that are not here.
            MissingDependency: a library that it needs is not installed.
            StepInputError: it cannot be read, exported, or taken for what it should be.
        """
        raise NotImplementedError
