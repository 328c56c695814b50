"""trtbuild doctor."""

from __future__ import annotations

from trtbuild.cli.form import Form, FormOption, write_json

__all__ = ["doctor"]


def doctor(*, format_: FormOption = Form.text) -> None:
    """Say what this machine can build, and what is missing for the rest."""
    from trtbuild import api
    from trtbuild.cli import show

    found = api.doctor()
    if format_ is Form.json:
        write_json(found)
    else:
        show.write_diagnosis(found)
