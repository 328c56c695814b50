"""Small artifacts in the store, read as the values that they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from trtbuild.core.errors import CorruptObject

if TYPE_CHECKING:
    from trtbuild.core.records import Artifact
    from trtbuild.store.store import Store

__all__ = ["read_artifact", "while_reading"]

Value = TypeVar("Value", bound=BaseModel)


def read_artifact(store: Store, artifact: Artifact, kind: type[Value]) -> Value:
    """Read an artifact as a value.

    Raises:
        CorruptObject: it is damaged, or of another trtbuild; it has been removed.
    """
    path = store.verify(artifact)
    try:
        return kind.model_validate_json(path.read_bytes())
    except ValidationError:
        path.unlink(missing_ok=True)
        raise CorruptObject(
            f"{artifact.name} in the store was written by another trtbuild",
            hint="it has been removed; the next apply makes it again",
        ) from None


def while_reading(error: ValidationError) -> bool:
    """Tell whether an error came of reading a value, and not of making one, which is a bug."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_code.co_name == "model_validate_json"
