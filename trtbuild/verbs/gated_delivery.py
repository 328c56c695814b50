"""Places what passed its gates; of what did not, says what it came to, and leaves the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic_core import to_jsonable_python

from trtbuild import __version__
from trtbuild.core.action import Artifact
from trtbuild.core.digest import digest_of_tree
from trtbuild.core.files import remove_tree
from trtbuild.core.frozen import frozen
from trtbuild.core.overview import Overview
from trtbuild.core.placed import COMPARISON, ENGINE_RESULT, FAILED, WAIVED
from trtbuild.core.watch import note_path
from trtbuild.store.store import Store
from trtbuild.verbs.deliver import RenderPage, deliver_files, list_delivered
from trtbuild.verbs.overview import drop_run_details
from trtbuild.verbs.result_places import tells_of_build

if TYPE_CHECKING:
    from trtbuild.core.records import Record

__all__ = ["CompleteRecord", "Delivery", "Placed", "place_results"]

CompleteRecord = Callable[[Overview], "Record"]
"""Makes of what is told of a run all that a page shows."""


@frozen
class Delivery:
    """Where results go."""

    directory: Path
    pages: Mapping[str, RenderPage]
    complete: CompleteRecord
    """Called where a page is to be rendered, and only there."""
    whole: bool
    """All targets are built: what an earlier run left and this one does not make is removed."""
    basis: Sequence[object] = ()
    """What `complete` goes by beside what it is given, as a plain tree."""
    written: frozenset[str] = frozenset()
    """Artifacts that are written from the record, which knows more than their steps."""
    no_gates: bool = False
    """Place what fails its gates, too."""


@frozen
class Placed:
    """What was placed."""

    overview: Overview
    """With what became of the gates."""
    directory: Path
    changed: tuple[str, ...]
    """Paths below `directory` that were written."""


def place_results(
    overview: Overview, artifacts: Mapping[str, Artifact], delivery: Delivery, store: Store
) -> Placed:
    """Place artifacts and pages, by relative path.

    Where a gate did not pass, only what says so is placed, in a folder of its own: models and
    engines of earlier runs stay, whether good or not. Once all gates pass, that folder goes.

    Raises:
        CorruptObject: an artifact in the store turned out damaged.
        NotWritable: the directory is full, say.
    """
    passed = all(verdict.passed for _, verdict in overview.list_verdicts())
    directory = delivery.directory
    if passed or delivery.no_gates:
        overview = overview.model_copy(update={"waived": not passed})
        changed = _deliver(overview, artifacts, delivery, directory, store)
        _clear(directory / FAILED)
        return Placed(overview, directory, changed)
    told = {path: each for path, each in artifacts.items() if tells_of_build(path)}
    kept = list_delivered(directory)
    overview = overview.model_copy(update={"refused": True, "kept": kept})
    (directory / FAILED).mkdir(exist_ok=True)
    changed = _deliver(overview, told, delivery, directory / FAILED, store)
    return Placed(overview, directory / FAILED, changed)


def _deliver(
    overview: Overview,
    artifacts: Mapping[str, Artifact],
    delivery: Delivery,
    directory: Path,
    store: Store,
) -> tuple[str, ...]:
    page = drop_run_details(overview)
    complete = cache(lambda: delivery.complete(page))  # once for all pages, or not at all
    pages = {name: partial(_render, render, complete) for name, render in delivery.pages.items()}
    if COMPARISON in delivery.written and COMPARISON in artifacts:
        pages[COMPARISON] = partial(_write_comparison, page)
    pages |= {
        f"{each.target}/{COMPARISON}": partial(_write_unrun, page, number)
        for number, each in enumerate(page.unrun_engines)
    }
    if overview.waived:
        # What lies beside the engine says so as well, wherever it is copied to.
        pages |= {
            path: partial(_write_result, page, path.partition("/")[0])
            for path in artifacts
            if Path(path).name == ENGINE_RESULT
        }
    return deliver_files(
        directory,
        store,
        artifacts={path: each for path, each in artifacts.items() if path not in pages},
        pages=pages,
        basis=digest_of_tree([__version__, to_jsonable_python(dict(page)), *delivery.basis]),
        whole=delivery.whole,
    )


def _render(render: RenderPage, complete: Callable[[], Record]) -> str:
    return render(complete())


def _write_comparison(page: Overview) -> str:
    assert page.comparison is not None  # noqa: S101  # it was read from the artifact
    return page.comparison.model_dump_json(indent=2) + "\n"


def _write_unrun(page: Overview, number: int) -> str:
    return page.unrun_engines[number].model_dump_json(indent=2) + "\n"


def _write_result(page: Overview, target: str) -> str:
    """Write what an engine is, with the gates that it was placed in spite of."""
    failed = [verdict.gate for _, verdict in page.list_verdicts() if not verdict.passed]
    (result,) = (each for each in page.targets if each.target == target)
    caveat = f"{WAIVED}{'; '.join(dict.fromkeys(failed))}"
    told = result.model_copy(update={"caveats": (*result.caveats, caveat)})
    return told.model_dump_json(indent=2) + "\n"


def _clear(folder: Path) -> None:
    """Remove what an earlier run that was refused has left."""
    note_path(folder)
    if folder.is_dir() and not folder.is_symlink() and list_delivered(folder):
        remove_tree(folder)
