"""How it looks in a terminal what became of an engine that was to take other weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trtbuild.cli.echo import echo
from trtbuild.cli.form import Form, write_json
from trtbuild.cli.show import format_count, write_comparison
from trtbuild.core.errors import MissingDependency

if TYPE_CHECKING:
    from trtbuild.verbs.refit.refit import RefitReport

__all__ = ["demand_refitted", "write_refit"]

SHOWN = 5


def write_refit(found: RefitReport, *, form: Form) -> None:
    """Write the drift, why it has to be built anew, or how it compares and where it lies."""
    if form is Form.json:
        write_json(_describe(found))
        return
    _write_drift(found)
    if found.rebuild:
        echo(f"{found.engine}: is not refitted; build it anew:")
        for reason in found.rebuild:
            echo(f"  {reason}")
        return
    if found.record is None:
        echo(f"{found.engine}: has these weights already")
        return
    for comparison in found.record.list_comparisons():
        write_comparison(comparison)
    for note in found.record.notes:
        echo(f"note: {note}")
    if not found.passed:
        echo("a gate did not pass: no engine is placed")
    elif not found.deferred:
        echo(f"{format_count(found.changed, 'weight')} replaced; kernels are those of before")
    echo(f"results in {found.directory}")


def _write_drift(found: RefitReport) -> None:
    if found.drift is None:
        if not found.rebuild:
            echo("no ranges were held to the new weights: there are none, or no data for it")
        return
    drift = found.drift
    moved = drift.list_beyond(1.0)
    most = f", at most {moved[0].factor:.2f} times" if moved else ""
    told = f"{len(moved)} of {format_count(len(drift.tensors), 'tensor')} with a range"
    echo(f"on {format_count(drift.samples, 'sample')}, values of {told} moved{most}")
    for each in moved[:SHOWN]:
        echo(f"  {each.describe()}")


def _describe(found: RefitReport) -> dict[str, object]:
    return {
        "engine": found.engine,
        "passed": found.passed,
        "rebuild": found.rebuild,
        "deferred": found.deferred,
        "changed": found.changed,
        "drift": found.drift,
        "comparisons": found.record.list_comparisons() if found.record else (),
        "directory": found.directory,
    }


def demand_refitted(found: RefitReport) -> None:
    """Demand that the engine was refitted, where nothing speaks against it.

    Raises:
        MissingDependency: this machine cannot do it; says what it lacks.
    """
    if found.deferred:
        raise MissingDependency(
            f"{found.engine}: nothing speaks against these weights, and it cannot be refitted "
            f"here: {found.deferred}",
            hint="run this where that TensorRT and its GPU are, with the recipe and what was built",
        )
