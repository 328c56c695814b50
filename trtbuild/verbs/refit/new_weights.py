"""A recipe as it stands, but for the file of its model's weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from trtbuild.core.errors import UsageError
from trtbuild.core.regular_files import open_regular
from trtbuild.recipe.load import LoadedRecipe
from trtbuild.sources.base import Source
from trtbuild.sources.published import PublishedFile
from trtbuild.sources.weights_place import Weights

__all__ = ["give_weights"]


def give_weights(loaded: LoadedRecipe, file: Path) -> LoadedRecipe:
    """Return a recipe whose model has other weights: a file such as the recipe names.

    Of an ONNX model or a checkpoint of a whole model that is the model's file itself.

    Raises:
        MissingFile: the file is not there.
        UsageError: the recipe names no file of weights.
    """
    open_regular(file).close()
    model = loaded.recipe.model
    there: dict[str, Any] = {"path": str(file.absolute()), "url": None, "sha256": None}
    found: Source | None = None
    if isinstance(model, PublishedFile):
        found = model.model_copy(update=there)
    elif isinstance(given := getattr(model, "weights", None), Weights):
        found = model.model_copy(update={"weights": given.model_copy(update=there)})
    if found is None:
        raise UsageError(
            f"{loaded.file}: its model (kind: {model.kind}) names no file of weights that another "
            "could stand for",
            hint="name the new ones in the recipe, and build: `trtbuild apply`",
        )
    return replace(loaded, recipe=loaded.recipe.model_copy(update={"model": found}))
