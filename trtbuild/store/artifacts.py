"""Small artifacts in the store, read as the values that they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from trtbuild.core.errors import CorruptObject, MissingFile
from trtbuild.core.files import remove_file
from trtbuild.core.options import Options
from trtbuild.core.regular_files import read_regular

if TYPE_CHECKING:
    from trtbuild.core.records import Artifact
    from trtbuild.store.store import Store

__all__ = ["read_artifact"]

MOST_BYTES = 256 << 20
"""What the manifest of a million samples comes to."""
Value = TypeVar("Value", bound=Options)


def read_artifact(store: Store, artifact: Artifact, kind: type[Value]) -> Value:
    """Read an artifact as a value.

    Raises:
        CorruptObject: it is damaged, or of another trtbuild; it has been removed.
    """
    path = store.verify(artifact)
    try:
        data = read_regular(path, most_bytes=MOST_BYTES, called=f"{artifact.name} in the store")
        return kind.read_json(data, what=f"{artifact.name} in the store")
    except (CorruptObject, MissingFile) as error:
        remove_file(path)
        raise CorruptObject(
            error.message, hint="it has been removed; the next apply makes it again"
        ) from None
