"""How a lock names what it holds: options by their place, files as seen from the recipe."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trtbuild.core.files import relate_path

__all__ = ["flatten_options", "name_file"]


def flatten_options(tree: Any, path: str = "") -> Iterator[tuple[str, str | int | float | bool]]:
    """Yield every option that is set, by its place: `quantization.skip[0]`."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from flatten_options(value, f"{path}.{key}".lstrip("."))
    elif isinstance(tree, list | tuple):
        for index, value in enumerate(tree):
            yield from flatten_options(value, f"{path}[{index}]")
    elif tree is not None:
        yield path, tree


def name_file(path: str, base: Path) -> str:
    """Name a file alike on every machine."""
    parts = Path(path).parts
    if "objects" in parts[-3:-2]:  # fetched into the store: only its digest names it
        return f"fetched/{parts[-1][:16]}"
    if "site-packages" in parts:
        return "/".join(parts[parts.index("site-packages") :])
    below = f"{base}{os.sep}"
    # Behind a link, `..` is not what the text makes of it: two files would have one name.
    return (
        Path(path[len(below) :]).as_posix() if path.startswith(below) else relate_path(path, base)
    )
