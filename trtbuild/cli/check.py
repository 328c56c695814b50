"""trtbuild check."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trtbuild.cli.form import VariantsOption
from trtbuild.cli.validate import ProblemFormat

if TYPE_CHECKING:
    from trtbuild.verbs.check import CheckedModel

__all__ = ["check"]


def check(
    files: Annotated[
        list[Path], typer.Argument(help="ONNX files, or recipes.", metavar="MODEL|RECIPE...")
    ],
    *,
    variant: VariantsOption = None,
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
    from trtbuild.core.errors import TrtbuildError, join_errors

    files = list(api.expand_variants(api.name_variants(files, variant or ())))
    recipes = [file for file in files if file.suffix != ".onnx"]
    if len(recipes) > 1:
        api.demand_ready(recipes)
    found: list[CheckedModel] = []
    failed: list[TrtbuildError] = []
    for file in files:
        try:
            found += api.check(file)
        except TrtbuildError as error:
            failed.append(error)
    if failed and not found:
        raise join_errors(failed)
    code = show_checks.show_checked(found, format_.value, strict=strict)
    if failed:
        raise join_errors(failed)
    return code
