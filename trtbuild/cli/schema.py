"""trtbuild schema."""

from __future__ import annotations

from trtbuild.cli.echo import pour

__all__ = ["schema"]


def schema() -> None:
    """Print the JSON Schema of recipes, for editors."""
    import json

    from trtbuild import api

    pour(json.dumps(api.schema(), indent=2))
