"""trtbuild doctor."""

from __future__ import annotations

__all__ = ["doctor"]


def doctor() -> None:
    """Say what this machine can build, and what is missing for the rest."""
    from trtbuild import api
    from trtbuild.cli import show

    show.write_diagnosis(api.doctor())
