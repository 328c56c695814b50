"""SFTP as fsspec has it, but that a host is believed by its known key, and a name is made once."""

from __future__ import annotations

import contextlib
from typing import Any

__all__ = ["make_sftp_class"]

KNOWN_HOSTS = "/etc/ssh/ssh_known_hosts"
"""The machine's, beside the user's own (`~/.ssh/known_hosts`)."""


def make_sftp_class() -> Any:
    """Return fsspec's class for SFTP, held to what a store needs.

    Raises:
        ImportError: fsspec or paramiko is not installed.
    """
    import paramiko
    from fsspec.implementations.sftp import SFTPFileSystem

    class Sftp(SFTPFileSystem):  # type: ignore[misc]  # fsspec has no types
        def _connect(self) -> None:
            # fsspec takes any host for the one that is meant, and whoever answers could say what
            # was built.
            self.client = paramiko.SSHClient()
            self.client.load_system_host_keys()
            with contextlib.suppress(OSError):
                self.client.load_system_host_keys(KNOWN_HOSTS)
            self.client.set_missing_host_key_policy(paramiko.RejectPolicy())
            self.client.connect(self.host, **self.ssh_kwargs)
            self.ftp = self.client.open_sftp()

        def makedirs(self, path: str, *, exist_ok: bool = False, mode: int = 0o777) -> None:
            try:
                super().makedirs(path, exist_ok=exist_ok, mode=mode)
            except OSError:  # another may have made it between look and deed
                if not self.isdir(path):
                    raise

        def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **more: Any) -> None:
            if mode != "create":
                super().pipe_file(path, value, mode=mode, **more)
                return
            try:
                file = self.ftp.open(path, "wx")  # the server makes it, or says no
            except OSError as error:  # which SFTP says without a word of why
                if self.exists(path):
                    raise FileExistsError(path) from error
                raise
            with file:
                file.write(value)

    return Sftp
