"""trtbuild kinds."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["kinds"]


def kinds(
    kind: Annotated[
        str, typer.Argument(help="A kind to show with its options.", show_default=False)
    ] = "",
) -> None:
    """List what kinds of sources, fixes, data, calibrators and targets exist."""
    from trtbuild import api
    from trtbuild.cli import show

    show.write_kinds(api.kinds(), kind)
