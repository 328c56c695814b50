"""A first recipe, from a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trtbuild.verbs.init.write import FirstRecipe

__all__ = ["init"]


def init(  # what a recipe can be made of, and where it goes
    model: str | Path = "",
    *,
    data: Path | str | None = None,
    command: tuple[str, str] | None = None,
    inputs: tuple[str, ...] = (),
    weights: Path | str | None = None,
    output: str | Path = "",
    force: bool = False,
) -> FirstRecipe:
    """Make a first recipe of a model, or of an old command (tool, command line), and write it.

    `output` is the file, `-` for none; by default NAME.yaml in the current folder.

    Raises:
        UsageError: what is asked for is wrong, or the file is there already.
        MissingFile: the model or the data is not there.
        StepInputError: the model or the data cannot be read.
    """
    from trtbuild.verbs.init.write import InitRequest, make_first_recipe

    return make_first_recipe(
        InitRequest(
            model=str(model),
            data=None if data is None else Path(data),
            output=str(output),
            force=force,
            inputs=inputs,
            weights=None if weights is None else Path(weights),
            command=command,
        )
    )
