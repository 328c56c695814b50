"""The page on which the variants of a recipe stand side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from trtbuild.core.errors import MissingFile
from trtbuild.core.files import write_whole
from trtbuild.core.regular_files import read_regular
from trtbuild.core.variants import VariantResult
from trtbuild.recipe.variants import list_variants, name_variant, read_shared_name
from trtbuild.verbs.deliver import blaming_directory, prepare_directory
from trtbuild.verbs.fleet.build import FleetBuild, FleetRecipe

__all__ = ["place_variants"]

Render = Callable[[str, Sequence[VariantResult]], str]


def place_variants(
    file: Path, build: FleetBuild, build_dir: Path, pages: Mapping[str, Render]
) -> Path | None:
    """Place pages on the variants of a recipe in `build_dir/<its name>/`; return that folder.

    None, and nothing is placed, where it has no variants, or some of them were not built now:
    a page of some would take the place of one of all.

    Raises:
        NotWritable: the folder cannot be written to.
    """
    built = {each.file: each for each in build.recipes}
    places = {name_variant(file, name): name for name in list_variants(file)}
    if not places or not places.keys() <= built.keys():
        return None
    found = [_sum_up(name, built[path], build_dir) for path, name in places.items()]
    recipe = read_shared_name(file)
    directory = build_dir / recipe
    prepare_directory(directory)
    with blaming_directory(directory):
        for name, render in pages.items():
            _write(directory / name, render(recipe, found).encode())
    return directory


def _sum_up(name: str, built: FleetRecipe, build_dir: Path) -> VariantResult:
    record = built.applied.record if built.applied else None
    # Whether a step ran or was reused is of this run alone: equal results give equal pages.
    verdict = "built" if built.verdict == "nothing to do" else built.verdict
    message = built.message.partition("\n")[0]
    folder = built.applied.directory.relative_to(build_dir).as_posix() if built.applied else ""
    return VariantResult(name, verdict, record, message, folder)


def _write(path: Path, data: bytes) -> None:
    try:
        if read_regular(path) == data:
            return
    except MissingFile:
        pass
    write_whole(path, data)
