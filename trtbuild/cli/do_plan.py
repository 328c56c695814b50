"""What `trtbuild plan` does, however its options were read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

__all__ = ["do_plan"]


def do_plan(  # noqa: PLR0913  # its options
    recipe: Path,
    *,
    variant: str = "",
    targets: Sequence[str] = (),
    form: str = "text",
    executor: str = "",
    device: str | int | None = None,
    batch: int | None = None,
    out: Path | None = None,
    detailed_exitcode: bool = False,
) -> int:
    """Write which steps would run; return the exit code."""
    from trtbuild import api
    from trtbuild.cli import show

    targets = tuple(targets)
    recipe = api.name_variant(recipe, variant)
    found = api.plan(recipe, targets=targets, executor=executor, device=device, batch=batch)
    show.write_plan(found, form)
    if out is not None:
        from trtbuild.plan.saved_plan import save_plan

        save_plan(out, recipe=recipe, targets=targets, plan=found.plan, decisions=found.decisions)
    changes = any(each.verdict in {"run", "maybe"} for each in found.decisions)
    return int(detailed_exitcode and changes)
