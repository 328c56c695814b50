"""Places what passed its gates; of what did not, says what it came to, and leaves the rest."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from trtbuild import __version__
from trtbuild.core.digest import digest_of_tree
from trtbuild.core.frozen import frozen
from trtbuild.core.placed import COMPARISON, ENGINE_RESULT, FAILED, RANGES, SENSITIVITY
from trtbuild.core.records import Artifact, Record
from trtbuild.core.watch import note_path
from trtbuild.store.store import Store
from trtbuild.verbs.deliver import RenderPage, deliver_files, list_delivered
from trtbuild.verbs.record import drop_run_details

__all__ = ["Delivery", "Placed", "place_results"]

TOLD = (COMPARISON, RANGES, SENSITIVITY)
"""The names of the files that say what a build came to; the others are what it is for."""


@frozen
class Delivery:
    """Where results go."""

    directory: Path
    pages: Mapping[str, RenderPage]
    whole: bool
    """All targets are built: what an earlier run left and this one does not make is removed."""
    written: frozenset[str] = frozenset()
    """Artifacts that are written from the record, which knows more than their steps."""
    no_gates: bool = False
    """Place what fails its gates, too."""


@frozen
class Placed:
    """What was placed."""

    record: Record
    """With what became of the gates."""
    directory: Path
    changed: tuple[str, ...]
    """Paths below `directory` that were written."""


def place_results(
    record: Record, artifacts: Mapping[str, Artifact], delivery: Delivery, store: Store
) -> Placed:
    """Place artifacts and pages, by relative path.

    Where a gate did not pass, only what says so is placed, in a folder of its own: models and
    engines of earlier runs stay, whether good or not. Once all gates pass, that folder goes.

    Raises:
        CorruptObject: an artifact in the store turned out damaged.
        NotWritable: the directory is full, say.
    """
    passed = all(verdict.passed for _, verdict in record.list_verdicts())
    directory = delivery.directory
    if passed or delivery.no_gates:
        record = record.model_copy(update={"waived": not passed})
        changed = _deliver(record, artifacts, delivery, directory, store)
        _clear(directory / FAILED)
        return Placed(record, directory, changed)
    told = {path: each for path, each in artifacts.items() if Path(path).name in TOLD}
    kept = list_delivered(directory)
    record = record.model_copy(
        update={
            "refused": True,
            "kept": kept,
            "files": tuple(each for each in record.files if each.path in told),
        }
    )
    (directory / FAILED).mkdir(exist_ok=True)
    changed = _deliver(record, told, delivery, directory / FAILED, store)
    return Placed(record, directory / FAILED, changed)


def _deliver(
    record: Record,
    artifacts: Mapping[str, Artifact],
    delivery: Delivery,
    directory: Path,
    store: Store,
) -> tuple[str, ...]:
    page = drop_run_details(record)
    pages = {name: partial(render, page) for name, render in delivery.pages.items()}
    if COMPARISON in delivery.written and COMPARISON in artifacts:
        pages[COMPARISON] = partial(_write_comparison, page)
    pages |= {
        f"{each.target}/{COMPARISON}": partial(_write_unrun, page, number)
        for number, each in enumerate(page.unrun_engines)
    }
    if record.waived:
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
        basis=digest_of_tree([__version__, page.model_dump(mode="json")]),
        whole=delivery.whole,
    )


def _write_comparison(record: Record) -> str:
    assert record.comparison is not None  # noqa: S101  # it was read from the artifact
    return record.comparison.model_dump_json(indent=2) + "\n"


def _write_unrun(record: Record, number: int) -> str:
    return record.unrun_engines[number].model_dump_json(indent=2) + "\n"


def _write_result(record: Record, target: str) -> str:
    """Write what an engine is, with the gates that it was placed in spite of."""
    failed = [verdict.gate for _, verdict in record.list_verdicts() if not verdict.passed]
    (result,) = (each for each in record.targets if each.target == target)
    caveat = f"placed with --no-gates: {'; '.join(dict.fromkeys(failed))}"
    told = result.model_copy(update={"caveats": (*result.caveats, caveat)})
    return told.model_dump_json(indent=2) + "\n"


def _clear(folder: Path) -> None:
    """Remove what an earlier run that was refused has left."""
    note_path(folder)
    if folder.is_dir() and not folder.is_symlink() and list_delivered(folder):
        shutil.rmtree(folder, ignore_errors=True)
