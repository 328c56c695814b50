"""Where a server listens: sockets that are bound before any model is loaded."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator

from trtbuild.core.errors import UsageError

__all__ = ["bind_sockets", "write_address"]

_ABSENT = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
"""What is said of one of several addresses, IPv6's say, that this machine does not have."""


def bind_sockets(host: str, port: int) -> list[socket.socket]:
    """Return a socket for each address of a host, bound to a port; of port 0, to one that is free.

    Raises:
        UsageError: it is no address of this machine, or the port is taken or not for this user.
    """
    bound: list[socket.socket] = []
    error: OSError | None = None
    for family, address in _find_addresses(host, port):
        free = bound[0].getsockname()[1] if bound else port
        try:
            bound.append(_bind(family, (address[0], free, *address[2:])))
        except OSError as problem:
            error = error or problem
            if problem.errno not in _ABSENT:
                break
    if error is not None and (not bound or error.errno not in _ABSENT):
        for each in bound:
            each.close()
        raise _explain(host, port, error)
    return bound


def _find_addresses(host: str, port: int) -> Iterator[tuple[int, tuple[object, ...]]]:
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UsageError(
            f"--host {host}: is no address: {getattr(error, 'strerror', None) or error}",
            hint="127.0.0.1 is this machine alone, 0.0.0.0 any network that it is in",
        ) from None
    yield from dict.fromkeys((family, address) for family, _, _, _, address in found)


def _bind(family: int, address: tuple[object, ...]) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere two servers would share the port
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
        # Bound alone, two would share a port on Linux until one of them listens.
        made.listen()
    except BaseException:
        made.close()
        raise
    return made


def _explain(host: str, port: int, error: OSError) -> UsageError:
    told = f"{host} port {port}: {error.strerror or error}"
    if error.errno in _ABSENT:
        return UsageError(f"--host {told}", hint="127.0.0.1 is this machine alone, 0.0.0.0 any")
    return UsageError(f"--port: {told}", hint="name another: --port 8001; 0 takes one that is free")


def write_address(host: str, sockets: list[socket.socket]) -> str:
    """Return where a server is found, as the beginning of an address: `http://127.0.0.1:8000`."""
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{sockets[0].getsockname()[1]}"
