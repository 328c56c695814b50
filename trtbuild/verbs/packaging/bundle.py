"""A bundle: everything about an engine in one folder or archive, with a program that runs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from trtbuild.core.placed import COMPARISON, DRIFT, ENGINE, ENGINE_RESULT, MODELS, RANGES, REFIT
from trtbuild.core.records import DataUse, Record, TargetResult
from trtbuild.model.outline import ModelOutline
from trtbuild.plan.lock import find_lock
from trtbuild.recipe.extending import list_extended
from trtbuild.recipe.source import read_recipe_text
from trtbuild.recipe.variants import find_recipe_file
from trtbuild.verbs.packaging.bundle_index import INDEX, make_index
from trtbuild.verbs.packaging.placed_build import PlacedBuild, PlacedEngine
from trtbuild.verbs.packaging.provenance import write_provenance
from trtbuild.verbs.packaging.writing import Content
from trtbuild.verbs.record import describe_calibrator, name_data_use

__all__ = ["PROVENANCE", "RenderCard", "pack_bundle"]

PROVENANCE = "provenance.json"
_PROGRAM = Path(__file__).with_name("bundle_program.py")
"""It is read, and not imported: it stands on nothing of ours."""
RenderCard = Callable[[Record, ModelOutline], Mapping[str, str]]
"""Pages by their names: model_card.md and model_card.html."""


def pack_bundle(
    build: PlacedBuild,
    *,
    classes: Sequence[str],
    sources: Mapping[str, str],
    render: RenderCard,
) -> dict[str, Content]:
    """Return the files of a bundle, by their path in it.

    Args:
        build: what was built.
        classes: names of the classes, where the data tells them.
        sources: what it was built from, each with its digest, as far as that is known.
        render: makes the model card.
    """
    files: dict[str, Content] = {}
    build = build.leave_copies()
    names = {each.result.target: f"engines/{each.result.target}/{ENGINE}" for each in build.engines}
    for each in build.engines:
        files[names[each.result.target]] = each.path
        result = each.path.with_name(ENGINE_RESULT)
        files[f"engines/{each.result.target}/{ENGINE_RESULT}"] = result
    kind = next(each for each in MODELS.values() if each.file == build.best_model.name)
    names[""] = f"model/{kind.file}"
    files[names[""]] = build.best_model
    beside = build.directory / kind.weights
    weights = beside if beside.is_file() else None
    if weights is not None:
        files[f"model/{kind.weights}"] = weights
    for name in (RANGES, COMPARISON, DRIFT, REFIT):
        if (build.directory / name).is_file():
            files[name] = build.directory / name
    files |= _take_recipe(build)
    index = make_index(build, names, tuple(classes), weights)
    files[INDEX] = (index.model_dump_json(indent=1) + "\n").encode()
    files["run.py"] = _PROGRAM.read_bytes()
    outline = ModelOutline.read(build.best_model)
    pages = render(_make_record(build), outline)
    files |= {name: text.encode() for name, text in pages.items()}
    files[PROVENANCE] = write_provenance(build, files, sources)
    return files


def _take_recipe(build: PlacedBuild) -> dict[str, Content]:
    """Return the recipe's file, those that it extends, and its lock."""
    file = find_recipe_file(build.loaded.file)
    read = (file, *list_extended(file, read_recipe_text(file)))
    files: dict[str, Content] = {f"recipe/{each.name}": each.read_bytes() for each in read}
    if (lock := find_lock(build.loaded.file)).is_file():
        files[f"recipe/{lock.name}"] = lock.read_bytes()
    return files


def _make_record(build: PlacedBuild) -> Record:
    """Return what a build's files tell of it."""
    recipe, results = build.loaded.recipe, [_name_gpus(each) for each in build.engines]
    told = build.list_caveats()
    told += [build.refit.describe()] if build.refit else []
    return Record(
        recipe=build.name,
        file=f"recipe/{find_recipe_file(build.loaded.file).name}",
        facts={},
        outcomes=(),
        targets=tuple(results),
        comparison=build.comparison,
        model=recipe.model.describe(),
        data=tuple(_list_data(build)),
        calibrator=describe_calibrator(recipe),
        caveats=tuple(dict.fromkeys(told)),
    )


def _name_gpus(engine: PlacedEngine) -> TargetResult:
    """Return what is told of an engine, with the GPU that it was built on in the place of `it`."""
    return engine.result.model_copy(update={"built_for": engine.capabilities})


def _list_data(build: PlacedBuild) -> list[DataUse]:
    recipe = build.loaded.recipe
    uses: dict[str, tuple[str, int]] = {}
    if recipe.quantization is not None and recipe.quantization.data is not None:
        ranges = [each.result.ranges for each in build.engines if each.result.ranges is not None]
        samples = ranges[0].samples if ranges else None
        uses[name_data_use(recipe)] = (recipe.quantization.data, samples or 0)
    if recipe.compare is not None:
        compared = build.comparison.samples if build.comparison else 0
        uses["comparison"] = (recipe.compare.data, compared)
    return [
        DataUse(name=name, kind=recipe.data[name].kind, used_for=use, samples=samples)
        for use, (name, samples) in uses.items()
        if name in recipe.data
    ]
