"""Where a file of weights lies: beside the recipe, or at a URL, by its digest."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from trtbuild.core.options import Location, NonEmpty, Options

__all__ = ["Sha256", "Url", "Weights"]

Url = Annotated[Location, Field(pattern="^(https|file)://")]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Weights(Options):
    """Weights for a model: a file beside the recipe, or a URL with its digest."""

    path: Location | None = None
    """A state dict as safetensors, or as `torch.save` writes it, alone or within a checkpoint;
    relative to the recipe. Of weights in several files, their index (`*.index.json`)."""
    url: Url | None = None
    """Where such a file is published (https, or file); needs `sha256`, and is fetched once."""
    sha256: Sha256 | None = None
    """The file's digest; a file that differs is refused."""
    key: NonEmpty | None = None
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
