"""Weights in several files, and the index beside them that says which tensor is in which."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from trtbuild.core.errors import MissingFile, StepInputError
from trtbuild.core.regular_files import read_regular

__all__ = ["is_index", "list_shards", "read_index"]

SUFFIX = ".index.json"
"""As transformers, accelerate and diffusers write it: `model.safetensors.index.json`."""
MOST_BYTES = 64 << 20


def is_index(path: Path | str) -> bool:
    """Tell by its name whether a file is an index of weights."""
    return str(path).endswith(SUFFIX)


def list_shards(index: Path) -> tuple[Path, ...]:
    """Return the files that an index names, sorted.

    Raises:
        MissingFile: the index, or one of them, is not there.
        StepInputError: it is no index, or names files elsewhere.
    """
    files = tuple(sorted({index.parent / name for name in read_index(index).values()}))
    for file in files:
        if not file.is_file():
            raise MissingFile(
                f"{file}: no such file; {index.name} says that weights are there",
                hint="copy all files of the weights to where their index is",
            )
    return files


def read_index(index: Path) -> Mapping[str, str]:
    """Return the name of the file that holds each tensor.

    Raises:
        MissingFile: it is not there.
        StepInputError: it is no index, or names files elsewhere.
    """
    try:
        content = json.loads(read_regular(index, most_bytes=MOST_BYTES))
        files = dict(content["weight_map"])
        names = {Path(name).name == name and name not in ("", "..") for name in files.values()}
    except (ValueError, KeyError, TypeError, RecursionError):
        names = {False}
    if names != {True}:
        raise StepInputError(
            f"{index}: is no index of weights: its `weight_map` gives each tensor's file, which "
            "lies beside it",
            hint="copy the index again, with all files that it names",
        )
    return files
