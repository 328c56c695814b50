"""Options that several verbs have alike, and how an answer is written as JSON."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from trtbuild.cli.echo import pour
from trtbuild.core.log_levels import LogLevel

__all__ = [
    "BatchOption",
    "BuildDirOption",
    "DeviceOption",
    "ExecutorOption",
    "Form",
    "FormOption",
    "JobsOption",
    "LogLevelOption",
    "VariantOption",
    "VariantsOption",
    "write_json",
]


class Form(StrEnum):
    """How an answer is written."""

    text = "text"
    json = "json"


FormOption = Annotated[
    Form, typer.Option("--format", help="How the answer is written: for people, or for programs.")
]


DeviceOption = Annotated[
    str | None,
    typer.Option(
        "--device",
        metavar="WHERE",
        help="Where ONNX Runtime computes: auto, cpu, cuda, cuda:N; N alone: the GPU for engines.",
    ),
]
BatchOption = Annotated[
    int | None,
    typer.Option(
        "--batch",
        min=1,
        metavar="N",
        help="At most N samples at a time where a GPU computes; what its memory allows else.",
    ),
]
BuildDirOption = Annotated[
    Path, typer.Option("--build-dir", metavar="DIR", help="Where <recipe name>/ goes.")
]
JobsOption = Annotated[
    int, typer.Option("--jobs", "-j", min=1, metavar="N", help="Steps that may run at once.")
]
ExecutorOption = Annotated[
    str, typer.Option("--executor", metavar="NAME", help="Where steps run: local, or inline.")
]
VariantsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--variant", metavar="NAME", help="Of a recipe with variants only this; may be repeated."
    ),
]
VariantOption = Annotated[
    str, typer.Option("--variant", metavar="NAME", help="Of a recipe with variants: which.")
]
LogLevelOption = Annotated[
    LogLevel,
    typer.Option("--log-level", help="How much TensorRT says in the log of a build."),
]


def write_json(answer: Any) -> None:
    """Write a value of options, dataclasses and paths as JSON, its keys as the classes have them.

    Errors stay text on standard error: the exit code says what became of a command.
    """
    from pydantic_core import to_jsonable_python

    pour(json.dumps(to_jsonable_python(answer), indent=2))
