"""trtbuild status."""

from __future__ import annotations

from trtbuild.cli.echo import echo, pour
from trtbuild.cli.form import Form, FormOption, write_json

__all__ = ["status"]


def status(*, format_: FormOption = Form.text) -> None:
    """Say what is being built with this store at the moment, and how far it is."""
    from trtbuild import api
    from trtbuild.cli.show import format_table

    found = api.list_running()
    if format_ is Form.json:
        write_json({"builds": found})
        return
    if not found:
        echo("nothing is being built")
        return
    for build in found:
        on = f"process {build.pid} on {build.host}"
        echo(f"{build.recipe}: {build.ended} of {build.steps} steps have ended ({on})")
        rows = [
            (
                "wait" if step.waits else "run",
                step.name,
                f"{step.seconds:.0f} s",
                step.progress,
                f"took {step.expected_seconds:.0f} s before" if step.expected_seconds else "",
            )
            for step in build.running
        ]
        if rows:
            pour(format_table(rows))
