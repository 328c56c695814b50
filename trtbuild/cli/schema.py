"""trtbuild schema."""

from __future__ import annotations

import typer

__all__ = ["schema"]


def schema() -> None:
    """Print the JSON Schema of recipes, for editors."""
    import json

    from trtbuild import api

    typer.echo(json.dumps(api.schema(), indent=2))
