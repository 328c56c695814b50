"""trtbuild package."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from trtbuild.cli.echo import echo, pour
from trtbuild.cli.form import VariantsOption
from trtbuild.core.errors import UsageError

__all__ = ["package"]

_SIZE = re.compile(r"([1-9]\d{0,4})x([1-9]\d{0,4})")


class PackageFormat(StrEnum):
    """What to write."""

    triton = "triton"
    bundle = "bundle"


class BundleSigner(StrEnum):
    """What signs a bundle."""

    cosign = "cosign"
    model_signing = "model-signing"


def package(  # noqa: PLR0913  # its options
    recipes: Annotated[
        list[Path], typer.Argument(help="Recipes that are built.", metavar="RECIPE...")
    ],
    *,
    variant: VariantsOption = None,
    format_: Annotated[
        PackageFormat,
        typer.Option("--format", help="A model repository for Triton, or a bundle of one recipe."),
    ],
    to: Annotated[
        Path,
        typer.Option(
            "--to", metavar="PATH", help="The folder to write; of a bundle also FILE.zip."
        ),
    ],
    build_dir: Annotated[
        Path, typer.Option("--build-dir", metavar="DIR", help="Where the recipes were built.")
    ] = Path("build"),
    targets: Annotated[
        list[str] | None,
        typer.Option("--target", metavar="NAME", help="Only this target; may be repeated."),
    ] = None,
    refitted: Annotated[
        Path | None,
        typer.Option(
            "--refitted", metavar="DIR", help="What `trtbuild refit` wrote, instead of the build."
        ),
    ] = None,
    version: Annotated[
        int, typer.Option("--model-version", min=1, metavar="N", help="triton: of the models.")
    ] = 1,
    triton: Annotated[
        str, typer.Option("--triton", metavar="YY.MM", help="triton: the release that will serve.")
    ] = "",
    tensorrt: Annotated[
        str,
        typer.Option(
            "--server-tensorrt", metavar="VERSION", help="triton: or the TensorRT that it has."
        ),
    ] = "",
    without_engines: Annotated[
        bool, typer.Option("--without-engines", help="triton: only the ONNX model.")
    ] = False,
    picture: Annotated[
        str,
        typer.Option(
            "--picture", metavar="HxW", help="triton: pictures of this size come in, to be resized."
        ),
    ] = "",
    signer: Annotated[
        BundleSigner | None, typer.Option("--sign", help="bundle: what signs it, if installed.")
    ] = None,
    key: Annotated[
        Path, typer.Option("--key", metavar="FILE", help="bundle: the private key to sign with.")
    ] = Path(),
) -> None:
    """Pack what was built for those who run it."""
    from trtbuild import api

    if format_ is PackageFormat.triton:
        if signer:
            raise UsageError("`--sign` is for `--format bundle`", hint="leave it out")
        if triton and tensorrt:
            raise UsageError("`--triton` and `--server-tensorrt` say the same", hint="give one")
        found = api.package_triton(
            api.name_variants(recipes, variant or ()),
            to,
            build_dir=build_dir,
            targets=targets or (),
            refitted=refitted,
            version=version,
            engines=not without_engines,
            release=triton,
            tensorrt=tensorrt,
            picture=_read_size(picture),
        )
    else:
        _demand_bundle(recipes, triton or tensorrt or picture or without_engines or version > 1)
        found = api.package_bundle(
            recipes[0],
            to,
            variants=variant or (),
            build_dir=build_dir,
            targets=targets or (),
            refitted=refitted,
            signer=signer.value if signer else None,
            key=key,
        )
    from trtbuild.cli.show import format_table

    pour(format_table([(f"  {name}", what) for name, what in found.contents], indent=""))
    for told in found.said:
        echo(f"  note: {told}")
    echo(f"written: {found.path}")


def _demand_bundle(recipes: list[Path], other: object) -> None:
    if len(recipes) > 1:
        raise UsageError(
            f"a bundle is of one recipe, and {len(recipes)} are named", hint="write one of each"
        )
    if other:
        raise UsageError(
            "`--triton`, `--server-tensorrt`, `--without-engines`, `--picture` and "
            "`--model-version` are for `--format triton`",
            hint="leave them out",
        )


def _read_size(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    found = _SIZE.fullmatch(text)
    if found is None:
        raise UsageError(
            f"--picture {text}: is no size", hint="write height and width in pixels: 480x640"
        )
    return int(found[1]), int(found[2])
