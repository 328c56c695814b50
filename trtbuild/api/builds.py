"""What a recipe makes: planned, explained, built, run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from trtbuild.api.executors import demand_buildable, using_executor
from trtbuild.api.recipes import load
from trtbuild.api.stores import open_store
from trtbuild.core.log_levels import USUAL, LogLevel

if TYPE_CHECKING:
    from trtbuild.core.overview import Overview
    from trtbuild.core.records import Record
    from trtbuild.plan.history import Why
    from trtbuild.plan.lock import Lock
    from trtbuild.plan.saved_plan import SavedPlan
    from trtbuild.recipe.load import LoadedRecipe
    from trtbuild.run.executor import Executor, Listener
    from trtbuild.store.store import Store
    from trtbuild.verbs.apply import AppliedRecipe
    from trtbuild.verbs.inspect import InspectedEngine
    from trtbuild.verbs.logs import KeptLog
    from trtbuild.verbs.plan import DecidedPlan
    from trtbuild.verbs.running.run import RunResult

__all__ = [
    "apply",
    "inspect",
    "list_logs",
    "plan",
    "render_html_page",
    "render_markdown_page",
    "run",
    "script",
    "why",
]


def plan(
    path: Path | str,
    *,
    targets: Sequence[str] = (),
    executor: Executor | str = "local",
    device: str | int | None = None,
    batch: int | None = None,
) -> DecidedPlan:
    """Say which steps of a recipe would run where an executor runs them, and why.

    Runs nothing and fetches nothing. `device` says where ONNX Runtime would compute, and on which
    GPU engines would be built: the index counts for nothing, and which GPU it is does.
    """
    from trtbuild.verbs.plan import plan_recipe
    from trtbuild.verbs.ready import load_ready

    with using_executor(executor, device=device, batch=batch) as place:
        return plan_recipe(load_ready(path), open_store(), place, targets=targets)


def why(path: Path | str, *, device: str | int | None = None) -> tuple[Why, ...]:
    """Say for every step why the last run of a recipe ran it, and why the next would."""
    from trtbuild.plan.history import explain_steps

    found = plan(path, device=device)
    return explain_steps(found.plan, found.decisions, open_store())


def apply(  # noqa: PLR0913  # all that a user may ask for
    path: Path | str,
    *,
    build_dir: Path | str,
    targets: Sequence[str] = (),
    jobs: int = 2,
    executor: Executor | str = "local",
    listener: Listener | None = None,
    saved: SavedPlan | None = None,
    locked: bool = False,
    no_gates: bool = False,
    log_level: LogLevel = USUAL,
    device: str | int | None = None,
    batch: int | None = None,
) -> AppliedRecipe:
    """Build what a recipe asks for, and place it below `build_dir/<recipe name>/`.

    With `targets`, only those are built, and one that cannot be built here is an error. With a
    `saved` plan, nothing is done that it does not say. `locked` builds what the lock says, with
    its ranges. Where a gate does not pass, no model and no engine is placed but with `no_gates`.
    Steps run on an `executor`: the caller's own, or one by name, with as many `jobs`, on a
    `device` (`auto`, `cpu`, `cuda`, `cuda:1`, or an index alone), there with `batch`
    samples at a time at most, and with logs of that `log_level` of TensorRT's.

    Raises:
        NoGpu: there is no GPU of that index.
        WrongSystem: nothing can be built on this one.
        LockMismatch: something is not as it is locked.
        PlanStale: the saved plan is not what would be done any more.
        RecipeError: the recipe, alone or with the model it names, is wrong.
        StepFailed: a step failed; what other steps made is in the store, nothing is placed.
        MissingFile, MissingDependency, NotWritable: something needed is not here.
    """
    from trtbuild.run.executor import QuietListener
    from trtbuild.run.inference import leaving_gpu
    from trtbuild.run.reporting import Reporting
    from trtbuild.verbs.apply import apply_recipe

    demand_buildable(executor, "building")
    loaded = _load(path, locked=locked, planned=saved is not None)
    store = open_store()
    name = loaded.recipe.name
    with (
        using_executor(
            executor, jobs=jobs, log_level=log_level, device=device, batch=batch
        ) as place,
        Reporting(listener or QuietListener(), store, name) as reporting,
    ):
        return leaving_gpu(
            place,
            reporting,
            lambda: apply_recipe(
                loaded,
                store,
                executor=place,
                directory=Path(build_dir) / name,
                targets=targets,
                listener=reporting,
                pages={"report.md": render_markdown_page, "report.html": render_html_page},
                saved=saved,
                lock=_hold_to_lock(loaded, store, place) if locked else None,
                no_gates=no_gates,
            ),
        )


def _load(path: Path | str, *, locked: bool, planned: bool) -> LoadedRecipe:
    """Read a recipe to build from; of what a saved plan names, which may be any file, say little.

    Raises:
        PlanStale: the recipe of a saved plan is wrong, and so cannot be what was planned.
        RecipeError, MissingFile: as `load_ready` does.
    """
    from trtbuild.core.errors import PlanStale, RecipeError
    from trtbuild.verbs.ready import load_ready

    try:
        return load_ready(path, data=not locked)
    except RecipeError:
        if not planned:
            raise
        raise PlanStale(
            f"the saved plan is stale: {path} is no recipe that could be built from, any more",
            hint=f"`trtbuild validate {path}` says what is wrong there; then plan again",
        ) from None


def _hold_to_lock(loaded: LoadedRecipe, store: Store, place: Executor) -> Lock:
    from trtbuild.verbs.lock import compare_with_lock

    return compare_with_lock(loaded, store, place, building=True)[0]


def list_logs(run: Overview) -> tuple[KeptLog, ...]:
    """Return the logs that are kept of the steps of a run, be they of a build before it."""
    from trtbuild.verbs.logs import list_kept_logs

    return list_kept_logs(run, open_store())


def script(path: Path | str, target: str) -> str:
    """Return a program that builds a target of a recipe as trtbuild does, with Polygraphy alone.

    Raises:
        UsageError: there is no such target, or no such program for it.
    """
    from trtbuild.verbs.script import write_program

    return write_program(load(path), target)


def inspect(
    path: Path | str,
    *,
    plugins: Sequence[Path | str] = (),
    executor: Executor | str = "local",
    device: str | int | None = None,
) -> InspectedEngine:
    """Say what an engine file is, and whether it fits the machine of an executor.

    Raises:
        MissingFile: it is not there.
    """
    from trtbuild.verbs.inspect import inspect_engine

    with using_executor(executor, device=device) as place:
        return inspect_engine(Path(path), place, plugins=[Path(each) for each in plugins])


def run(  # noqa: PLR0913  # what to run, on what, and where
    path: Path | str,
    inputs: Path | str,
    *,
    build_dir: Path | str,
    output: Path | str | None = None,
    target: str = "",
    on: Literal["any", "gpu", "cpu"] = "any",
    plugins: Sequence[Path | str] = (),
    side: str = "",
    executor: Executor | str = "local",
    device: str | int | None = None,
) -> RunResult:
    """Run an engine, or that of a recipe, on an npz file; `output` takes what comes out.

    On a GPU that fits the engine itself runs; elsewhere its model does, in ONNX Runtime. With a
    `side` (`fp32`, `half`, `quantized`) that model of a recipe does.

    Raises:
        MissingFile: the recipe is not built, or an engine is not there.
        StepFailed, StepInputError: the engine does not load, or what runs fails on these values.
        UsageError: the arrays cannot be read, or do not fit the model; or what was built is not of
            the recipe as it stands.
        NoGpu: it shall run `on` the GPU, and cannot here.
    """
    from trtbuild.api.doubts import make_doubt
    from trtbuild.core.arrays import write_npz
    from trtbuild.verbs.running.run import run_arrays

    with using_executor(executor, device=device) as place:
        ran = run_arrays(
            Path(path),
            Path(inputs),
            place,
            build_dir=Path(build_dir),
            target=target,
            on=on,
            plugins=[Path(each) for each in plugins],
            side=side,
            doubt=make_doubt(place),
        )
    if output is not None:
        with write_npz(Path(output)) as file:
            for name, array in ran.outputs.items():
                file.add(name, array)
    return ran


def render_markdown_page(record: Record) -> str:
    """Render a record as Markdown, once that is asked for."""
    from trtbuild.report.markdown import render_markdown

    return render_markdown(record)


def render_html_page(record: Record) -> str:
    """Render a record as a page, once that is asked for."""
    from trtbuild.report.html import render_html

    return render_html(record)
