"""Fetch a file by its URL, from a server that may say anything, at any pace, or nothing at all."""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass
from http.client import HTTPException, IncompleteRead
from pathlib import Path
from typing import Any, BinaryIO

from trtbuild.core.errors import MissingFile, UsageError
from trtbuild.core.regular_files import open_regular
from trtbuild.core.words import format_size

__all__ = ["DownloadLimits", "Downloaded", "download"]

PIECE_BYTES = 1 << 20
LEAST_BYTES = 64 << 10
"""What must come in the time that a server has to answer: 3 kB a second are no download."""
LONGEST_REASON = 200
PAUSE_SECONDS = 0.1
HINT = "fetch it by other means, and name the file in the recipe by `path` in place of `url`"


@dataclass(frozen=True)
class DownloadLimits:
    """How long a server is waited for, and how much is taken from it."""

    answer_seconds: float
    """For its answer, and again for every 64 KiB of the file."""
    whole_seconds: float
    whole_bytes: int


@dataclass(frozen=True)
class Downloaded:
    """What came."""

    sha256: str
    whole: bool
    """The server said where it ends, and it came so far."""


@dataclass
class _Going:
    """How far a download is; told by its thread, read by the one that waits for it."""

    answered: bool = False
    size: int = 0
    sha256: str = ""
    whole: bool = False
    failure: Exception | None = None
    unwritten: OSError | None = None
    """What kept it from being written here."""
    given_up: bool = False


def download(url: str, destination: Path, limits: DownloadLimits) -> Downloaded:
    """Fetch a URL of https, or file, to `destination`.

    It is fetched in a thread of its own: a server that sends a byte now and then, be it of the
    handshake or of a header, holds that thread and not its caller.

    Raises:
        MissingFile: the URL cannot be reached, what comes is too slow or too large, or it was cut
            off; something may be left at `destination`.
        UsageError: it is not a URL of https or file.
        OSError: it cannot be written down.
    """
    scheme = _scheme(url)
    going = _Going()
    with destination.open("wb") as file:
        thread = threading.Thread(
            target=_run, args=(url, scheme, file, limits, going), daemon=True, name="download"
        )
        thread.start()
        try:
            _wait(thread, going, limits)
        except TimeoutError as error:
            raise _unreached(url, str(error)) from None
        finally:
            going.given_up = True
    if going.failure is not None:
        raise _told(url, going) from going.failure
    return Downloaded(going.sha256, going.whole)


def _wait(thread: threading.Thread, going: _Going, limits: DownloadLimits) -> None:
    """Wait for the end of a download for as long as it goes on.

    Raises:
        TimeoutError: it does not, or takes too long.
    """
    begin = last = time.monotonic()
    seen = 0
    while thread.is_alive():
        thread.join(PAUSE_SECONDS)
        now = time.monotonic()
        if going.size - seen >= LEAST_BYTES:
            last, seen = now, going.size
        elif now - last > limits.answer_seconds:
            came = f"fewer than {format_size(LEAST_BYTES)} came" if going.answered else "no answer"
            raise TimeoutError(f"{came} in {limits.answer_seconds:g} seconds")
        if now - begin > limits.whole_seconds:
            came = format_size(going.size)
            raise TimeoutError(
                f"{came} came in {limits.whole_seconds:g} seconds, and it is not all"
            )


def _run(url: str, scheme: str, file: BinaryIO, limits: DownloadLimits, going: _Going) -> None:
    from urllib.error import HTTPError

    try:
        with _open(url, scheme, limits.answer_seconds) as answer:
            going.answered = True
            _copy(url, answer, file, limits, going)
            going.whole = scheme == "file" or _says_its_end(answer)
    except Exception as error:  # noqa: BLE001  # raised where it is waited for
        if isinstance(error, HTTPError):
            error.close()
        going.failure = error


def _copy(url: str, answer: Any, file: BinaryIO, limits: DownloadLimits, going: _Going) -> None:
    digest = hashlib.sha256()
    promised = getattr(answer, "length", None) or 0
    # `read1` returns what is there, where `read` waits for all that was asked for.
    while not going.given_up and (piece := answer.read1(PIECE_BYTES)):
        going.size += len(piece)
        if max(going.size, promised) > limits.whole_bytes:
            raise MissingFile(f"{url}: is larger than {limits.whole_bytes / 1e9:.1f} GB")
        digest.update(piece)
        try:
            file.write(piece)
        except OSError as error:  # of the disk, which the server has no part in
            going.unwritten = error
            raise
    if going.size < promised:
        raise IncompleteRead(b"", promised - going.size)
    going.sha256 = digest.hexdigest()


def _says_its_end(answer: Any) -> bool:
    return bool(getattr(answer, "chunked", False)) or getattr(answer, "length", None) is not None


def _told(url: str, going: _Going) -> Exception:
    """Return what a failure is for whoever wanted the file."""
    error = going.failure
    if going.unwritten is not None:
        return going.unwritten
    if isinstance(error, IncompleteRead):
        return _unreached(url, f"it was cut off after {format_size(going.size)}; try again")
    if isinstance(error, HTTPException) and not isinstance(error, OSError):
        return _unreached(url, f"what it answers is not HTTP ({type(error).__name__}: {error})")
    if isinstance(error, OSError | ValueError):
        return _unreached(url, str(getattr(error, "reason", None) or error))
    assert error is not None  # noqa: S101  # the caller has looked
    return error


def _unreached(url: str, reason: str) -> MissingFile:
    short = reason if len(reason) <= LONGEST_REASON else f"{reason[:LONGEST_REASON]}..."
    return MissingFile(f"{url}: cannot be fetched: {short}", hint=HINT)


def _scheme(url: str) -> str:
    from urllib.parse import urlsplit

    scheme = urlsplit(url).scheme
    if scheme not in {"https", "file"}:
        raise UsageError(
            f"{url}: weights are fetched over https, or from file:// URLs",
            hint="use the https address, or a path",
        )
    return scheme


def _open_file(url: str) -> BinaryIO:
    """Open a file of this machine by its URL; a device, which has no end, is refused."""
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost"):
        raise MissingFile(f"{url}: cannot be fetched: lies on another machine", hint=HINT)
    return open_regular(
        Path(url2pathname(parts.path)), called=f"{url}: cannot be fetched", hint=HINT
    )


def _open(url: str, scheme: str, timeout_seconds: float) -> Any:
    """Open a URL; a server that sends us on to plain http, or to our own files, is refused."""
    if scheme == "file":
        return _open_file(url)
    from urllib.request import (
        HTTPDefaultErrorHandler,
        HTTPErrorProcessor,
        HTTPRedirectHandler,
        HTTPSHandler,
        OpenerDirector,
        ProxyHandler,
        Request,
        UnknownHandler,
    )

    opener = OpenerDirector()
    handlers: list[Any] = [
        ProxyHandler(),
        HTTPSHandler(),
        HTTPRedirectHandler(),
        HTTPDefaultErrorHandler(),
        HTTPErrorProcessor(),
        UnknownHandler(),
    ]
    for handler in handlers:
        opener.add_handler(handler)
    return opener.open(Request(url), timeout=timeout_seconds)  # noqa: S310  # checked above
