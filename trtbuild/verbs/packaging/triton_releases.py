"""Which release of Triton runs engines of which TensorRT."""

from __future__ import annotations

from trtbuild.core.errors import UsageError
from trtbuild.core.words import join_few

__all__ = ["READ_ON", "find_server_version", "list_releases"]

READ_ON = "2026-11-29"
"""When the table was read."""

_TENSORRT = {
    "24.08": "10.3.0",
    "24.09": "10.4.0",
    "24.10": "10.4.0",
    "24.11": "10.6.0",
    "24.12": "10.7.0",
    "25.01": "10.8.0.43",
    "25.02": "10.8.0.43",
    "25.03": "10.9.0.34",
    "25.04": "10.9.0.34",
    "25.05": "10.9.0.34",
    "25.06": "10.10.0.31",
    "25.07": "10.10.0.31",
    "25.08": "10.11.0.33",
    "25.09": "10.11.0.33",
    "25.10": "10.11.0.33",
    "25.11": "10.13.3.9",
    "25.12": "10.13.3.9",
    "26.01": "10.13.3.9",
    "26.02": "10.13.3.9",
    "26.03": "10.14.1.48",
    "26.04": "10.14.1.48",
    "26.05": "10.14.1.48",
    "26.06": "10.14.1.48",
    "26.07": "10.14.1.48",
}
"""The TensorRT in `tritonserver:RELEASE-trtllm-python-py3`, oldest first, as
docs/introduction/compatibility.md of triton-inference-server/server has it; of the other containers
Triton itself publishes no list."""


def list_releases(version: str) -> tuple[str, ...]:
    """Return the releases that run engines of a TensorRT, oldest first.

    An engine runs in the very TensorRT that built it; in what else a version compatible one runs
    is not counted. Where the table names three numbers of a version, these must be equal.
    """
    return tuple(release for release, known in _TENSORRT.items() if is_same(known, version))


def find_server_version(release: str) -> str:
    """Return the TensorRT of a release.

    Raises:
        UsageError: the table does not know it.
    """
    if release not in _TENSORRT:
        raise UsageError(
            f"--triton {release}: is not in the table of {READ_ON}, which goes from "
            f"{min(_TENSORRT)} to {max(_TENSORRT)}",
            hint="say which TensorRT the server has instead: --server-tensorrt VERSION",
        )
    return _TENSORRT[release]


def is_same(known: str, version: str) -> bool:
    """Tell whether two versions are equal, as far as both are written."""
    pairs = zip(known.split("."), version.split("."), strict=False)
    return all(mine == other for mine, other in pairs)


def describe_newest() -> str:
    """Say what the newest releases of the table have, each TensorRT once."""
    newest = {version: release for release, version in _TENSORRT.items()}
    told = [f"{version} in {release}" for version, release in reversed(newest.items())]
    return join_few(told, 4)
