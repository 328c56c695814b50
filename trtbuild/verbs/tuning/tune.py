"""Reach a recipe's gates with the least float work, and say what that takes in its lines."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from trtbuild.core.errors import NotWritable, UsageError
from trtbuild.core.files import replace_whole
from trtbuild.core.placed import TUNING
from trtbuild.core.quantized_types import TYPES
from trtbuild.core.regular_files import read_regular
from trtbuild.core.tuning import Trial, Tuning
from trtbuild.recipe.lines import RecipeLines, read_lines
from trtbuild.recipe.load import LoadedRecipe
from trtbuild.recipe.schema import Quantization
from trtbuild.run.executor import Executor, Listener
from trtbuild.store.store import Store
from trtbuild.verbs.deliver import deliver_files, prepare_directory
from trtbuild.verbs.tuning.attempts import OutOfTime, Tried
from trtbuild.verbs.tuning.candidates import (
    PROTECT,
    ROUNDING,
    SECTION,
    Candidate,
    Use,
    list_stages,
)
from trtbuild.verbs.tuning.conclude import conclude
from trtbuild.verbs.tuning.layers import are_ranked, rank_layers
from trtbuild.verbs.tuning.levels import WHOLE, SampleLevels, list_counts
from trtbuild.verbs.tuning.refusals import refuse_unjudged, refuse_unreachable
from trtbuild.verbs.tuning.search import Search
from trtbuild.verbs.tuning.settle import settle, settle_layers, simplify
from trtbuild.verbs.tuning.standing import counts_samples
from trtbuild.verbs.tuning.workshop import Workshop, demand_sections

__all__ = ["TuneReport", "TuneRequest", "tune_recipe"]

ROUNDS = 2
MOST_LIMITS = 2
"""Of how many tensors other limits are tried: those that the worst layers read."""
AS_IT_IS = "as the recipe is"


@dataclass(frozen=True)
class TuneRequest:
    """What a user asks of tuning."""

    seconds: float
    data: str = ""
    """The data set to search on; that of `compare` without it."""
    write: bool = False
    best: bool = False
    """Write the best one even where it does not pass."""


@dataclass(frozen=True)
class TuneReport:
    """What came of it, and where it lies."""

    tuning: Tuning
    file: Path
    lines_in: Path
    """The file that holds the recipe: that of all variants, where it is one of them."""
    written: bool
    notes: tuple[str, ...]

    @property
    def best(self) -> Trial:
        """The trial that is best."""
        return self.tuning.trials[self.tuning.best]


def tune_recipe(
    loaded: LoadedRecipe,
    store: Store,
    *,
    executor: Executor,
    directory: Path,
    request: TuneRequest,
    listener: Listener,
    tell: Callable[[Trial, bool], None],
) -> TuneReport:
    """Search, verify what is best, place `tune.json`, and write the recipe where that is asked.

    What was built in an earlier search is not built again. `tell` hears of each trial, and whether
    it is gone on from.

    Raises:
        UsageError: the recipe lacks what tuning needs, or cannot be edited.
        StepFailed: the recipe as it is cannot be built.
    """
    _demand_sections(loaded, request)
    lines = read_lines(loaded, SECTION)
    remarks = prepare_directory(directory)
    with store.using():
        workshop = Workshop(loaded, lines, store, executor, listener)
        found, patched = _tune(workshop, request, tell)
        page = found.model_dump_json(indent=1) + "\n"
        pages = {TUNING: lambda: page}
        deliver_files(directory, store, artifacts={}, pages=pages, basis=page, whole=False)
    written = request.write and bool(found.patch) and (found.passed or request.best)
    if written:
        _write(lines, patched)
    notes = (*remarks, *filter(None, [store.remark]))
    return TuneReport(found, directory / TUNING, lines.file, written, notes)


def _demand_sections(loaded: LoadedRecipe, request: TuneRequest) -> None:
    recipe, file = loaded.recipe, loaded.file
    if recipe.quantization is None:
        raise UsageError(
            f"{file}: nothing is quantized: there is no section `quantization`",
            hint="trtbuild kinds quantization lists what makes INT8",
        )
    if recipe.compare is None or not recipe.compare.gates:
        lacking = "section `compare`" if recipe.compare is None else "gate in `compare`"
        raise UsageError(
            f"{file}: there is no {lacking}: nothing says what tuning must reach",
            hint="write what must hold: `compare: {data: NAME, gates: [{metric: top1, "
            "drop_at_most: 1%}]}` where the data has labels, `{metric: sqnr_db, at_least: 20}` "
            "where it has none",
        )
    if request.data and request.data not in recipe.data:
        raise UsageError(
            f"{file}: there is no data set `{request.data}`",
            hint=f"data sets: {', '.join(recipe.data)}",
        )
    if request.data and request.data == recipe.quantization.data:
        raise UsageError(
            f"{file}: calibration sees `{request.data}`: what is measured there flatters",
            hint="search on a data set that neither calibration nor `compare` reads",
        )


def _write(lines: RecipeLines, after: str) -> None:
    if read_regular(lines.file).decode(errors="replace") != lines.text:
        raise UsageError(
            f"{lines.file}: it was changed while it was tuned, and stays as it is",
            hint="run the command again: what was built is kept",
        )
    try:
        whole = lines.file.resolve()
        with replace_whole(whole) as part:
            part.write_bytes(after.encode())
            part.chmod(whole.stat().st_mode & 0o777)
    except OSError as error:
        raise NotWritable(
            f"{lines.file} cannot be written to: {error.strerror}",
            hint="apply the patch in tune.json by hand",
        ) from None


def _tune(
    workshop: Workshop, request: TuneRequest, tell: Callable[[Trial, bool], None]
) -> tuple[Tuning, str]:
    deadline = time.monotonic() + request.seconds
    _, compare = demand_sections(workshop.loaded)
    data = request.data or compare.data
    trial, found = workshop.compare(Candidate(), Trial(what=AS_IT_IS), data=data)
    refuse_unjudged(found, data)
    refuse_unreachable(compare.gates, found)
    levels = SampleLevels()
    if not trial.passed:
        counts = list_counts(found.samples, workshop.model.batch)
        levels = SampleLevels(counts, shares=counts_samples(compare.gates, found))
        for some in counts[: levels.place + 1]:
            if some != WHOLE:
                trial = workshop.attempt(Candidate(), trial, data=data, some=some)
    search = Search(
        attempt=lambda candidate, trial, some: workshop.attempt(
            candidate, trial, data=data, some=some
        ),
        is_known=lambda candidate, some: workshop.is_known(candidate, data=data, some=some),
        tell=tell,
        deadline=deadline,
        levels=levels,
        tried=[Tried(0, Candidate(), trial)],
        word=workshop.into.word,
    )
    tell(trial, True)  # the start is gone on from
    alone: dict[str, str] = {}
    remarks: list[str] = []
    try:
        _go(search, workshop, data, alone, remarks)
    except OutOfTime:
        remarks.append(
            "the time is spent and not all was tried: run the command again to go on, or give it "
            "more with --budget"
        )
    return conclude(workshop, search, data, alone, remarks)


def _go(
    search: Search, workshop: Workshop, data: str, alone: dict[str, str], remarks: list[str]
) -> None:
    """Search until something passes on all samples, or nothing does where more of them count."""
    start = search.tried[0]
    if start.trial.passed:
        found = search.give_back(start, demand_sections(workshop.loaded)[0])
        less = f"some of it may be {search.word}" if found.index else "all of it is needed"
        remarks.append(
            "every gate passes as the recipe is: nothing was tried but to give back what it keeps "
            f"in float ({less if len(search.tried) > 1 else 'nothing'})"
        )
        return
    while True:
        place = search.levels.place
        best = _reach(search, workshop, data, alone, remarks)
        if best.trial.passed:
            return
        if search.levels.place == place:
            simplify(search, best)
            return


def _reach(
    search: Search, workshop: Workshop, data: str, alone: dict[str, str], remarks: list[str]
) -> Tried:
    """Search until the gates pass on all samples; what each layer costs alone goes to `alone`.

    Rounding takes longest to fit: layers in float are looked for without it, and with it, some may
    do without. Where layers in float do not do, options are chosen again beside them: which are
    good depends on what was worst. Then more layers are. What nearly passes is looked at again
    only once there is no more that costs nothing at run time: it has most signal then.
    """
    section, _ = demand_sections(workshop.loaded)
    *stages, rounding = list_stages(section, workshop.model.balances)
    best = settled = search.tried[0]
    for turn in range(ROUNDS):
        best = settled = settle(search, search.choose_options(best, stages))
        if best.trial.passed:
            break
        search.demand_time(functools.partial(are_ranked, workshop, best.candidate, data))
        ranked = rank_layers(workshop, best.candidate, data, remarks)
        alone.update((name, told) for name, told in ranked.told.items() if name not in alone)
        ranged = _choose_ranges(search, best, ranked.uses, section, turn)
        best = plain = settled = settle(search, ranged)
        if best.trial.passed:
            break
        best = fitted = settled = settle(
            search, search.choose_options(plain, [rounding]), near=True
        )
        if best.trial.passed:
            break
        head = [name for name in workshop.model.head if name in ranked.told]
        best = search.choose_head(plain, head, workshop.model.macs, section.protect)
        if not best.trial.passed:
            kept = head if PROTECT in best.candidate.options else ()
            layers = [name for name in ranked.list_by_gain(workshop.model.macs) if name not in kept]
            best = search.choose_floats(best, layers, workshop.model.macs)
        if best.trial.passed and ROUNDING in fitted.candidate.options:
            added = {ROUNDING: fitted.candidate.options[ROUNDING]}
            again = search.try_out(best.candidate.adding(added), f"{ROUNDING} again", of=best)
            found = search.put_back_fitted(best, again)
            best = min(best, found, key=lambda each: search.rank(each.trial))
        if best.trial.passed:
            break
    if section.rounding == "nearest" and not section.bias_correction:
        best = search.choose_types(best, workshop.others, section.precision, workshop.model.macs)
    return settle_layers(search, best, workshop.model.macs, settled=best is settled)


def _choose_ranges(
    search: Search, best: Tried, uses: Sequence[Use], section: Quantization, turn: int
) -> Tried:
    """Return the best with other ranges for what the worst layers read.

    Limits first, each of which costs a comparison; other calibrators calibrate anew, and so are for
    where a whole round has not done, and for types whose numbers lie evenly.
    """
    best = search.choose_limits(best, uses[:MOST_LIMITS], section.ranges)
    if not turn or not TYPES[section.type].evenly:
        return best
    own = {
        tensor: each.model_dump(mode="json", exclude_unset=True)
        for tensor, each in section.calibrators.items()
    }
    kind = "" if section.calibrator is None else section.calibrator.kind
    return search.choose_overrides(best, uses, own, kind)
