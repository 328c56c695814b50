"""A try of a step on some node: each has a directory of its own, and the last one's files stay."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trtbuild.core.needs import Needs
from trtbuild.run.cluster.slots import FarSlot
from trtbuild.run.executor import Call, CallResult

__all__ = ["Running", "bring_back", "prepare_try", "tell_lost", "tell_unseen"]


@dataclass
class Running:
    """A step that runs on a node."""

    call: Call
    """As it was asked for."""
    needs: Needs
    slot: FarSlot
    tried: Call
    """As it was handed out: each try has a directory of its own."""
    tries: int
    begin: float
    asked: Any = None
    """The question how far it is, while it is out."""
    asked_at: float = 0.0
    hosts: list[str] = field(default_factory=list)


def prepare_try(call: Call, number: int) -> Call:
    """Return a call with a directory for another try of it."""
    folder = Path(call.out).parent / f"try-{number}"
    (folder / "out").mkdir(parents=True, exist_ok=True)
    return call.model_copy(update={"out": str(folder / "out"), "log": str(folder / "log.txt")})


def bring_back(call: Call, tried: Call) -> None:
    """Move what a later try wrote to where it was asked for."""
    if tried.out == call.out:
        return
    for path in Path(tried.out).iterdir():
        shutil.move(path, Path(call.out) / path.name)
    if Path(tried.log).exists():
        shutil.move(tried.log, call.log)


def tell_lost(call: Call, seconds: float, hosts: Sequence[str]) -> CallResult:
    """Return the end of a step that lost its worker each time."""
    return CallResult(
        name=call.name,
        seconds=seconds,
        where="no worker",
        message=f"its worker was lost {len(hosts)} times: {'; '.join(hosts)}",
        hint="memory of the nodes, and `ray status`; what other steps made is kept",
        code=3,
    )


def tell_unseen(call: Call) -> CallResult:
    """Return the end of a step whose code no node sees."""
    return CallResult(
        name=call.name,
        seconds=0.0,
        where="no worker",
        message="it runs code of yours, and no worker sees the files that it lies in",
        hint="have recipes and the store in a folder that all machines share",
        code=4,
    )
