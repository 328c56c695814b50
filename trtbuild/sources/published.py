"""A source that is one file: beside the recipe, or published by URL and digest."""

from pathlib import Path
from typing import Self

from pydantic import model_validator

from trtbuild.core.errors import MissingFile
from trtbuild.core.options import Location
from trtbuild.sources.base import Source
from trtbuild.sources.weights_place import Sha256, Url, Weights

__all__ = ["PublishedFile"]


class PublishedFile(Source):
    """What kinds share whose model is made from one file."""

    path: Location | None = None
    """The file, relative to the recipe."""
    url: Url | None = None
    """Where such a file is published, in place of `path` (https, or file). It needs `sha256`, and
    is fetched once."""
    sha256: Sha256 | None = None
    """The file's digest; a file that differs is refused."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.path is None) == (self.url is None):
            raise ValueError("a model has either a path or a url")
        if self.url is not None and self.sha256 is None:
            raise ValueError("a model by url needs its sha256")
        return self

    @property
    def place(self) -> str:
        """Name the file."""
        return self.path or self.url or ""

    @property
    def place_option(self) -> str:
        """Name the option that says where it is."""
        return "path" if self.url is None else "url"

    @property
    def published(self) -> Weights | None:
        """Return the file, where it is fetched, or its digest is known."""
        if self.sha256 is None:
            return None
        return Weights(path=self.path, url=self.url, sha256=self.sha256)

    def _demand_fetched(self, weights: Path | None) -> Path:
        """Return the file of `published`.

        Raises:
            MissingFile: it could not be fetched.
        """
        if weights is None:
            raise MissingFile(f"{self.url}: is not here", hint="fetch it, and name it by `path`")
        return weights
