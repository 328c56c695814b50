"""Small artifacts in the store, read as the values that they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from trtbuild.core.errors import CorruptObject
from trtbuild.core.files import remove_file
from trtbuild.core.options import Options

if TYPE_CHECKING:
    from trtbuild.core.records import Artifact
    from trtbuild.store.store import Store

__all__ = ["read_artifact"]

Value = TypeVar("Value", bound=Options)


def read_artifact(store: Store, artifact: Artifact, kind: type[Value]) -> Value:
    """Read an artifact as a value.

    Raises:
        CorruptObject: it is damaged, or of another trtbuild; it has been removed.
    """
    path = store.verify(artifact)
    try:
        return kind.read_json(path.read_bytes(), what=f"{artifact.name} in the store")
    except CorruptObject as error:
        remove_file(path)
        raise CorruptObject(
            error.message, hint="it has been removed; the next apply makes it again"
        ) from None
