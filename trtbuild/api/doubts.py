"""Whether what is run is of its recipe: by whatever it may have been made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.api.executors import using_executor
from trtbuild.api.stores import open_store
from trtbuild.core.errors import UsageError

if TYPE_CHECKING:
    from trtbuild.recipe.load import LoadedRecipe
    from trtbuild.run.executor import Executor
    from trtbuild.verbs.running.runners import Doubt

__all__ = ["make_doubt"]


def make_doubt(place: Executor) -> Doubt:
    """Return what says why it is not known that a file is of a recipe as it stands.

    A run may compute on another device than that on which the file was made: what either would
    make is of the recipe.
    """
    from trtbuild.verbs.freshness import explain_doubt

    def doubt(loaded: LoadedRecipe, file: Path) -> str:
        try:
            return explain_doubt(loaded, file, open_store(), place)
        except UsageError:
            for device in ("auto", "cpu"):
                with using_executor("local", device=device) as other:
                    try:
                        return explain_doubt(loaded, file, open_store(), other)
                    except UsageError:
                        continue
            raise

    return doubt
