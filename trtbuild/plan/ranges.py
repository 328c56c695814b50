"""A recipe's ranges × its model → problems: what matches nothing, what overlaps, what lacks one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

from trtbuild.core.errors import MissingFile, RangeFileError
from trtbuild.core.patterns import assign_patterns, find_matches
from trtbuild.core.quantized_types import TYPES
from trtbuild.core.regular_files import read_regular
from trtbuild.core.values import Ranges
from trtbuild.plan.nearest import suggest_nearest, suggest_nearest_to_any
from trtbuild.plan.quantizing import list_manual_ranges
from trtbuild.quant.requests import PrecisionRequests
from trtbuild.recipe.problems import Path, Problem

if TYPE_CHECKING:
    from trtbuild.calib.range_file import RangeTable
    from trtbuild.recipe.load import LoadedRecipe
    from trtbuild.recipe.schema import Quantization

__all__ = ["collect_given_ranges", "find_needed_ranges", "find_range_problems"]

SECTION = "quantization"
CACHE = (SECTION, "calibrator", "path")
FILE = (SECTION, "ranges_file")


def find_range_problems(
    loaded: LoadedRecipe, tensors: Sequence[str], model: FilePath | None
) -> Iterator[Problem]:
    """Yield every place where the ranges of a recipe do not fit a model with such tensors.

    `model` is the ONNX file; without it, nothing is said of tensors that lack a range.
    """
    section = loaded.recipe.quantization
    if section is None:
        return
    found = [*_find_idle(loaded, section, tensors), *_find_overlapping(loaded, section, tensors)]
    found += [*_check_file(loaded, section, tensors), *_check_cache(loaded, section, tensors)]
    yield from found
    if found or model is None:
        return
    if section.calibrators:
        yield from _check_calibrators(loaded, section, model)
    if _by_hand(section) and not section.allow_missing:
        yield from _find_lacking(loaded, section, tensors, model)


def collect_given_ranges(
    loaded: LoadedRecipe, section: Quantization, tensors: Sequence[str]
) -> Ranges:
    """Return the ranges that a recipe gives without data: by hand, and from files.

    Raises:
        MissingFile, RangeFileError: a file that the recipe names cannot be read.
        StepInputError: two patterns mean a tensor, and neither is more specific.
    """
    from trtbuild.calib.range_file import list_bounds
    from trtbuild.calib.range_import import select_ranges

    cache, filed = _cache(loaded, section), _file(loaded, section)
    table = select_ranges(cache, set(tensors)) if cache else Ranges(tensors={})
    limits = list_bounds(filed) if filed else {}
    return table.override(list_manual_ranges(section), tensors, filed=limits, file=FILE[-1])


def find_needed_ranges(section: Quantization, model: FilePath) -> dict[str, tuple[str, ...]]:
    """Name the tensors that quantization needs a range for, each with the nodes that read it."""
    if TYPES[section.type].weights_only:
        return {}
    from trtbuild.model.onnx_file import load_bare
    from trtbuild.quant.placing.required_ranges import find_required_ranges

    bare = load_bare(model)
    requests = PrecisionRequests.among(
        bare.graph.node, skip=section.floats, precision=section.precision
    )
    return find_required_ranges(bare, requests, TYPES[section.type])


def _by_hand(section: Quantization) -> bool:
    return section.calibrator is None or section.calibrator.kind == "cache"


def _find_idle(
    loaded: LoadedRecipe, section: Quantization, tensors: Sequence[str]
) -> Iterator[Problem]:
    for field in ("calibrators", "ranges"):
        for pattern in getattr(section, field):
            if not find_matches(pattern, tensors):
                message = f"`{pattern}` matches no tensor of the model"
                path: Path = (SECTION, field, pattern)
                yield loaded.source.problem(
                    path, message, suggest_nearest(pattern, tensors), key=True
                )


def _find_overlapping(
    loaded: LoadedRecipe,
    section: Quantization,
    tensors: Sequence[str],
    field: str = "ranges",
    what: str = "range",
) -> Iterator[Problem]:
    _, disputed = assign_patterns(getattr(section, field), tensors)
    pairs: dict[tuple[str, str], str] = {}
    for name, rivals in disputed.items():
        pairs.setdefault((rivals[0], rivals[1]), name)
    for (first, second), name in pairs.items():
        told = f"`{first}` and `{second}` both mean `{name}`, and neither is more specific"
        hint = f"give `{name}` a {what} by its name, or mean fewer tensors with one of the two"
        yield loaded.source.problem((SECTION, field, second), told, hint, key=True)


def _check_calibrators(
    loaded: LoadedRecipe, section: Quantization, model: FilePath
) -> Iterator[Problem]:
    """A calibrator of its own is for tensors that calibration looks at, one for each of them."""
    from trtbuild.model.onnx_file import load_bare
    from trtbuild.quant.placing.policy import list_candidates, list_floating

    found = load_bare(model)
    looked_at = list_floating(found) if section.mode == "implicit" else list_candidates(found)
    for pattern in section.calibrators:
        if not find_matches(pattern, looked_at):
            told = f"`{pattern}` matches no tensor that needs a range"
            hint = suggest_nearest(pattern, looked_at) if looked_at else "the model has none"
            path: Path = (SECTION, "calibrators", pattern)
            yield loaded.source.problem(path, told, hint, key=True)
    yield from _find_overlapping(loaded, section, looked_at, "calibrators", "calibrator")


def _cache(loaded: LoadedRecipe, section: Quantization) -> RangeTable | None:
    found = section.calibrator
    if found is None or found.kind != "cache":
        return None
    from trtbuild.calib.range_file import table_from_bytes

    return table_from_bytes(_bytes(loaded, found.path), file=found.path, values=found.values)


def _file(loaded: LoadedRecipe, section: Quantization) -> RangeTable | None:
    if section.ranges_file is None:
        return None
    from trtbuild.calib.range_file import table_from_bytes

    return table_from_bytes(_bytes(loaded, section.ranges_file), file=section.ranges_file)


def _bytes(loaded: LoadedRecipe, file: str) -> bytes:
    return read_regular(loaded.file.parent / file, called=file)


def _check_file(
    loaded: LoadedRecipe, section: Quantization, tensors: Sequence[str]
) -> Iterator[Problem]:
    """Every name of a file of ranges by hand is a tensor's."""
    try:
        table = _file(loaded, section)
    except (MissingFile, RangeFileError) as error:
        yield loaded.source.problem(FILE, error.message, error.hint)
        return
    known = set(tensors)
    unknown = [name for name in table.ranges.tensors if name not in known] if table else []
    if unknown:
        from trtbuild.calib.range_import import name_few

        told = f"{section.ranges_file}: the model has no tensor {name_few(unknown)}"
        yield loaded.source.problem(FILE, told, suggest_nearest_to_any(unknown, tensors))


def _check_cache(
    loaded: LoadedRecipe, section: Quantization, tensors: Sequence[str]
) -> Iterator[Problem]:
    """A cache is for this model: some of its names are."""
    try:
        table = _cache(loaded, section)
    except (MissingFile, RangeFileError) as error:
        yield loaded.source.problem(CACHE, error.message, error.hint)
        return
    names = list(table.ranges.tensors) if table else []
    if table and not names:
        told = f"{getattr(section.calibrator, 'path', '')}: holds no ranges below its first line"
        hint = "was it cut off? whatever calibrated writes a line for each tensor"
        yield loaded.source.problem(CACHE, told, hint)
    elif table and not set(names) & set(tensors):
        from trtbuild.calib.range_import import name_few

        told = f"the model has none of its {len(names)} tensors: {name_few(names)}"
        yield loaded.source.problem(CACHE, told, suggest_nearest_to_any(names, tensors))


def _find_lacking(
    loaded: LoadedRecipe, section: Quantization, tensors: Sequence[str], model: FilePath
) -> Iterator[Problem]:
    """INT8 that is asked for is not left out because a range is missing."""
    from trtbuild.calib.range_import import name_few
    from trtbuild.quant.placing.required_ranges import find_missing_ranges

    wants = list(find_needed_ranges(section, model))
    gaps = find_missing_ranges(wants, collect_given_ranges(loaded, section, tensors).tensors)
    if not gaps:
        return
    place = next(
        (name for name in ("calibrator", "ranges", FILE[-1]) if getattr(section, name)), ""
    )
    path: Path = (SECTION, place) if place else (SECTION,)
    word = TYPES[section.type].word
    told = (
        f"{len(gaps)} of the {len(wants)} tensors that {word} needs have no range: {name_few(gaps)}"
    )
    table = _cache(loaded, section)
    silent = [name for name in gaps if table and name in table.unknown]
    if table and silent:
        told += f"; the file says nothing of {name_few(silent)} (0, infinity or no number)"
    measure = "" if place else "say `data` and `calibrator`, or "
    hint = (
        f"{measure}add them to `ranges`, `skip` the layers that read them, or leave those in "
        f"floating point with `allow_missing: true`; `trtbuild ranges show {loaded.file}` lists "
        "them all"
    )
    yield loaded.source.problem(path, told, hint, key=True)
