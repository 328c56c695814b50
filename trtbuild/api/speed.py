"""How fast models and engines are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtbuild.api.executors import using_executor
from trtbuild.api.stores import open_store

if TYPE_CHECKING:
    from trtbuild.core.bench_diff import BenchDiff
    from trtbuild.core.timing import BenchResult
    from trtbuild.recipe.load import LoadedRecipe
    from trtbuild.run.executor import Executor, Listener
    from trtbuild.verbs.benching.report import BenchReport
    from trtbuild.verbs.benching.request import BenchRequest

__all__ = ["bench", "diff_benches"]


def bench(  # noqa: PLR0913  # all that a user may ask for
    *paths: Path | str,
    build_dir: Path | str = "build",
    out: Path | str | None = None,
    batches: Sequence[int] = (),
    shapes: Sequence[str] = (),
    only: Sequence[str] = (),
    protocol: Mapping[str, Any] | None = None,
    data: str = "",
    against: str = "",
    load: Mapping[str, Any] | None = None,
    cold: bool = True,
    executor: Executor | str = "local",
    device: str | int | None = None,
    listener: Listener | None = None,
) -> BenchReport:
    """Time what a recipe builds, all of its variants, or ONNX models and engines, side by side.

    A recipe's result is placed as `bench.json`; of files, in a folder `out` if one is named.

    At `batches` or `shapes` (`input=1x3x224x224`), or as the recipe says, or at the min, opt and
    max of its profiles. `only` are variants by name or pattern (`int8/*`); `protocol` has options
    of the recipe's `bench.protocol` that are to be otherwise (`{"seconds": 5}`). Without `cold`, no
    variant is started in a process of its own. `load` puts requests on each that come at a rate of
    their own (`{"rates": [100], "max_batch": 8}`). The result is held `against` an earlier
    bench.json, or the `last` one; what trtexec exported is read beside it.

    Raises:
        UsageError: what is asked for is wrong, or fits none of the models.
        RecipeError: the recipe, alone or with the model it names, is wrong.
        StepFailed: a step failed.
        MissingFile, MissingDependency, NotWritable: something needed is not here.
    """
    from trtbuild.recipe.variants import expand_variants, find_recipe_file, read_shared_name
    from trtbuild.run.executor import QuietListener
    from trtbuild.verbs.benching.against import hold_against, read_against
    from trtbuild.verbs.benching.files import bench_files, is_recipe
    from trtbuild.verbs.benching.loads import choose_load
    from trtbuild.verbs.benching.request import BenchRequest, choose_protocol, parse_shapes
    from trtbuild.verbs.benching.variants import are_variants
    from trtbuild.verbs.ready import load_ready

    places = expand_variants([Path(each) for each in paths])
    several = are_variants(places)
    loaded = [load_ready(each) for each in places] if several or is_recipe(places) else []
    own = loaded[0].recipe.bench if loaded else None
    request = BenchRequest(
        batches=tuple(batches),
        shapes=parse_shapes(shapes),
        only=tuple(only),
        protocol=choose_protocol(None if own is None else own.protocol, protocol or {}),
        data=data,
        load=choose_load(
            None if own is None else own.load, load or {}, (protocol or {}).get("seconds")
        ),
        cold=cold,
    )
    store, heard = open_store(), listener or QuietListener()
    name = loaded[0].recipe.name if loaded else places[0].name
    if several:
        name = read_shared_name(find_recipe_file(places[0]))
    held = None
    if against:
        held = read_against(against, name=name, store=store, protocol=request.protocol)
    with using_executor(executor, device=device) as place:
        if loaded:
            found = _time_recipes(
                loaded, Path(build_dir), executor=place, request=request, listener=heard
            )
        else:
            folder = None if out is None else Path(out)
            found = bench_files(
                places,
                store,
                executor=place,
                request=request,
                listener=heard,
                out=folder,
                draw=_draw,
            )
    if held is None:
        return found
    return replace(found, against=held, diff=hold_against(found.result, held))


def _time_recipes(
    recipes: Sequence[LoadedRecipe],
    build_dir: Path,
    *,
    executor: Executor,
    request: BenchRequest,
    listener: Listener,
) -> BenchReport:
    """Time what a recipe builds, or the variants of one."""
    from trtbuild.verbs.benching.recipe import bench_recipe
    from trtbuild.verbs.benching.variants import bench_variants

    if len(recipes) > 1:
        return bench_variants(
            recipes,
            open_store(),
            executor=executor,
            build_dir=build_dir,
            request=request,
            listener=listener,
            draw=_draw,
        )
    return bench_recipe(
        recipes[0],
        open_store(),
        executor=executor,
        directory=build_dir / recipes[0].recipe.name,
        request=request,
        listener=listener,
        draw=_draw,
    )


def _draw(found: BenchResult) -> Mapping[str, str]:
    from trtbuild.report.html import render_page
    from trtbuild.report.speed import draw_files, make_bench_page

    plots = {f"bench-{name}": text for name, text in draw_files(found).items()}
    return {"bench.html": render_page(make_bench_page(found)), **plots}


def diff_benches(before: Path | str, after: Path | str) -> BenchDiff | None:
    """Compare two files that `bench` wrote, with bands that noise may fill; None if they are none.

    Raises:
        UsageError: they are under two protocols or of two machines, or one of them is no bench.
    """
    from trtbuild.verbs.benching.against import compare_files

    return compare_files(Path(before), Path(after))
