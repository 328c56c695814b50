"""How a pipeline's run looks in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trtbuild.cli.echo import echo, pour
from trtbuild.cli.show import format_table
from trtbuild.core.words import format_size

if TYPE_CHECKING:
    from trtbuild.pipeline.memory_plan import MemoryPlan
    from trtbuild.pipeline.summary import PipelineSummary

__all__ = ["show_memory", "show_progress", "show_summary"]


def show_memory(plan: MemoryPlan) -> None:
    """Write what the engines take of the GPU that they share."""
    for each in plan.stages:
        echo(f"  {each.describe()}", err=True)
    for told in plan.unknown:
        echo(f"  not known before: {told}", err=True)
    echo(
        f"{plan.gpu}: {format_size(plan.total_bytes)} of {format_size(plan.free_bytes)} that are "
        "free",
        err=True,
    )


def show_progress(found: PipelineSummary) -> None:
    """Write how it goes, in a line."""
    longest: dict[str, int] = {}
    for each in found.parts:
        longest[each.stage] = max(each.queue_longest, longest.get(each.stage, 0))
    waiting = ", ".join(f"{stage} {length}" for stage, length in longest.items())
    echo(
        f"{found.results} of {found.frames} frames, {found.rate:.1f} a second, "
        f"{found.dropped} dropped; longest queues: {waiting}",
        err=True,
    )


def show_summary(found: PipelineSummary) -> None:
    """Write how it went."""
    delays = ", ".join(f"{name} {value:.1f} ms" for name, value in found.delays_ms.items())
    echo(
        f"{found.results} results of {found.frames} frames in {found.seconds:.1f} s: "
        f"{found.rate:.1f} a second, {found.dropped} dropped"
    )
    echo(f"from a frame to its result: {delays or 'none came'}")
    head = ("  stage", "part", "frames", "busy", "queue", "longest", "dropped", "left out")
    rows: list[tuple[str, ...]] = [head]
    rows += [
        (
            f"  {each.stage}",
            each.part,
            str(each.items),
            f"{100 * each.busy:.0f} %",
            f"{each.queue_mean:.1f}",
            str(each.queue_longest),
            str(each.dropped),
            str(each.left_out),
        )
        for each in found.parts
    ]
    pour(format_table(rows, indent=""))
    for each in found.parts:
        if each.runs:
            echo(f"  {each.stage}: {each.runs}")
        for why in each.why:
            echo(f"    note: {why}")
    for file, digest in found.code.items():
        echo(f"  {file}: {digest[:19]}")
