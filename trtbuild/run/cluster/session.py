"""A session with Ray: a cluster that is there, or one of this machine for as long as it is used."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trtbuild.core.devices import Where
from trtbuild.core.errors import MissingDependency, UsageError
from trtbuild.core.watch import note_elsewhere
from trtbuild.core.words import quote_whole
from trtbuild.run.cluster.nodes import ClusterNode, look_around, read_node

__all__ = ["AUTO", "RaySession", "demand_address", "name_loss"]

AUTO = "ray://auto"
"""The cluster that this machine is a node of."""
PROBE_SECONDS = 120.0
MOST_STARTS = 3
TOO_SLOW = "timed out during startup", "Starting Ray client server failed"
"""What Ray says of itself, and of a process of its own for a client: it gives either 30 seconds,
which a busy machine may take longer than."""
SCHEME = "ray://"
NAMESPACE = "trtbuild"


def demand_address(executor: str) -> None:
    """Refuse what names no cluster: `ray`, `ray://auto` and `ray://HOST:PORT` do.

    Raises:
        UsageError: it is none of these.
    """
    host, colon, port = executor.removeprefix(SCHEME).rpartition(":")
    if executor in {"ray", AUTO} or (host and colon and port.isdigit()):
        return
    raise UsageError(
        f"`{executor}` names no cluster",
        hint="ray (started here, for as long as it takes), ray://auto, or ray://HOST:10001",
    )


class RaySession:
    """Ray, connected; `close` leaves it, and stops what was started here."""

    def __init__(self, executor: str) -> None:
        """Connect to a cluster, or start one.

        Raises:
            MissingDependency: Ray is not installed, or no cluster answers there.
        """
        demand_address(executor)
        try:
            import ray
        except ModuleNotFoundError:
            raise MissingDependency(
                f"the executor `{executor}` needs Ray, which is not installed",
                hint="pip install 'trtbuild[ray]'",
            ) from None
        self.ray: Any = ray
        note_elsewhere("steps run on a cluster")
        self._owns = not ray.is_initialized()
        if self._owns:
            self._begin(executor)

    def _begin(self, executor: str) -> None:
        options: dict[str, Any] = {
            "namespace": NAMESPACE, "log_to_driver": False, "logging_level": logging.ERROR,
        }  # fmt: skip
        if executor == AUTO:
            options["address"] = "auto"
        elif executor != "ray":
            options["address"] = executor
        elif not os.environ.get("RAY_ADDRESS"):
            _prepare_own()
            # `local`: else it would be whichever other one runs on this machine.
            options |= {"address": "local", "num_cpus": _count_cpus(), "include_dashboard": False}
        with _told_alone():
            for tries in range(MOST_STARTS, 0, -1):
                try:
                    self.ray.init(**options)
                except Exception as error:  # noqa: BLE001  # Ray raises whatever it meets
                    if not any(each in str(error) for each in TOO_SLOW) or tries == 1:
                        raise _explain(executor, error) from None
                else:
                    return

    def list_nodes(self, where: Where = "cpu", batch: int | None = None) -> tuple[ClusterNode, ...]:
        """Ask every node that lives what it has; in the order of their names.

        `where` says what ONNX Runtime shall compute on there, a `batch` at a time at most.
        """
        states = [each for each in self.ray.nodes() if each["Alive"]]
        probe = self.ray.remote(num_cpus=0, max_retries=1)(look_around)
        asked = [probe.options(label_selector=self.select([each["NodeID"]])).remote(where)
                 for each in states]  # fmt: skip
        self.ray.wait(asked, num_returns=len(asked), timeout=PROBE_SECONDS)
        found = [
            read_node(self._hear(ref), state, batch)
            for ref, state in zip(asked, states, strict=True)
        ]
        return tuple(sorted(found, key=lambda node: (node.host, node.id)))

    def _hear(self, ref: Any) -> dict[str, Any] | None:
        try:
            told: dict[str, Any] = self.ray.get(ref, timeout=0.1)
        except Exception:  # noqa: BLE001  # a node without trtbuild, or without an answer
            return None
        return told

    def select(self, nodes: list[str]) -> dict[str, str]:
        """Return what keeps an actor to some nodes."""
        return {"ray.io/node-id": f"in({','.join(nodes)})"}

    def close(self) -> None:
        """Leave; what was started here ends."""
        if self._owns:
            with contextlib.suppress(Exception):
                self.ray.shutdown()


def _explain(executor: str, error: Exception) -> MissingDependency:
    if executor == "ray":
        return MissingDependency(
            f"Ray could not be started here: {quote_whole(str(error))}",
            hint="logs are below /tmp/ray/session_latest/logs; a busy machine may be too slow",
        )
    return MissingDependency(
        f"Ray ({executor}) does not answer: {quote_whole(str(error))}",
        hint="`ray status` on the cluster; a client needs Ray's own version and Python's, and "
        "`pip install 'ray[client]'`",
    )


def _prepare_own() -> None:
    """Let a Ray of this machine's own tell nobody anything, and write no secret into HOME."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    token = Path("~/.ray/auth_token").expanduser()
    if not token.exists() and "RAY_AUTH_TOKEN_PATH" not in os.environ:
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))


def _count_cpus() -> int:
    bound = hasattr(os, "sched_getaffinity")
    return len(os.sched_getaffinity(0)) if bound else os.cpu_count() or 1


@contextlib.contextmanager
def _told_alone() -> Iterator[None]:
    """Keep what Ray's start says off the screen: what matters is said by errors."""
    logger = logging.getLogger("ray")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def name_loss(error: Exception) -> str:
    """Say in a line which worker was lost, by what Ray tells."""
    lines = [line.strip() for line in str(error).splitlines()]
    told = [line for line in lines if line.startswith(("pid:", "ip:"))]
    why = next((line for line in lines if "because" in line or "died" in line), lines[0])
    return f"{', '.join(told)}{': ' if told else ''}{why.partition('. ')[0][:160]}"
