"""How what goes to a remote store, and comes from it, looks in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trtbuild.cli.echo import echo
from trtbuild.cli.form import Form, write_json
from trtbuild.cli.show import format_count

if TYPE_CHECKING:
    from trtbuild.store.exchange import Exchange, RemoteCollection

__all__ = ["write_collection", "write_exchange"]


def write_exchange(found: Exchange, format_: Form, *, word: str) -> None:
    """Write what was sent or brought."""
    from trtbuild.core.words import format_size

    if format_ is Form.json:
        write_json(found)
        return
    what = f"{format_count(found.steps, 'step')} of {format_count(len(found.recipes), 'recipe')}"
    new = f"{format_count(found.objects, 'object')}, {format_size(found.size_bytes)}"
    echo(f"{word} {what}: {new} that were not there")
    for step in found.missing:
        echo(f"  not whole in the remote store: {step}; it runs again")


def write_collection(found: RemoteCollection, format_: Form, *, pretend: bool) -> None:
    """Write what went of the remote store."""
    from trtbuild.core.words import format_size

    if format_ is Form.json:
        write_json(found)
        return
    word = "would remove" if pretend else "removed"
    what = f"{format_count(found.objects, 'object')} of {format_count(found.steps, 'step')}"
    kept = f"{format_size(found.kept_bytes)} kept"
    echo(f"{word} {what}, {format_size(found.size_bytes)}, from the remote store; {kept}")
    if found.young_bytes:
        echo(f"  {format_size(found.young_bytes)} that nothing stands on are too young to go")
