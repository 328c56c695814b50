"""trtbuild check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trtbuild.cli.validate import ProblemFormat

__all__ = ["check"]


def check(
    files: Annotated[
        list[Path], typer.Argument(help="ONNX files, or recipes.", metavar="MODEL|RECIPE...")
    ],
    *,
    format_: Annotated[
        ProblemFormat, typer.Option("--format", help="How findings are written.")
    ] = ProblemFormat.text,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit code 1 for warnings as well as for errors.")
    ] = False,
) -> int:
    """Check models for what TensorRT refuses, changes without a word, or makes slow."""
    from trtbuild import api
    from trtbuild.cli import show_checks

    return show_checks.show_checked(
        [found for file in files for found in api.check(file)], format_.value, strict=strict
    )
