"""A download ends in a file or one sentence, and in time, whatever the server does."""

from __future__ import annotations

import gc
import hashlib
import os
import socket
import threading
import time
from pathlib import Path
from urllib.request import HTTPSHandler

import pytest

from trtbuild.core.errors import CorruptObject, MissingFile
from trtbuild.sources import download as module
from trtbuild.sources.download import DownloadLimits, download
from trtbuild.sources.kinds import Weights
from trtbuild.sources.weights import fetch_weights

CONTENT = b"weights" * 10_000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
OK = b"HTTP/1.1 200 OK\r\n"
SECONDS = 1.5
QUICK = DownloadLimits(answer_seconds=SECONDS, whole_seconds=60, whole_bytes=1 << 20)
PATIENT = DownloadLimits(answer_seconds=60, whole_seconds=60, whole_bytes=1 << 20)
"""Where the server is at fault, and at once: a busy machine is not."""


@pytest.fixture
def serve(monkeypatch):
    """Return a function that serves a connection by pieces of bytes and seconds to wait."""

    class Plain(HTTPSHandler):
        def https_open(self, request):
            import http.client

            request.type = "http"
            return self.do_open(http.client.HTTPConnection, request)

    monkeypatch.setattr("urllib.request.HTTPSHandler", Plain)
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    listening = socket.create_server(("127.0.0.1", 0))
    end, threads = threading.Event(), []

    def answer(pieces):
        connection, _ = listening.accept()
        with connection:
            connection.recv(1 << 16)
            for piece in pieces:
                if end.wait(0 if isinstance(piece, bytes) else piece):
                    return
                try:
                    connection.sendall(piece if isinstance(piece, bytes) else b"")
                except OSError:
                    return

    def start(*pieces):
        threads.append(threading.Thread(target=answer, args=(pieces,), daemon=True))
        threads[-1].start()
        return f"https://127.0.0.1:{listening.getsockname()[1]}/net.pth"

    yield start
    end.set()
    listening.close()
    for thread in threads:
        thread.join(5)


def length(size):
    return b"Content-Length: %d\r\n\r\n" % size


CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("pieces", "whole"),
    [
        ((OK, length(len(CONTENT)), CONTENT), True),
        ((OK, CHUNKED, b"%x\r\n" % len(CONTENT), CONTENT, b"\r\n0\r\n\r\n"), True),
        ((OK, b"\r\n", CONTENT), False),
    ],
)
def test_what_comes_whole_is_known_for_it(serve, tmp_path, pieces, whole):
    """By its length or its last chunk; without either nobody can tell."""
    found = download(serve(*pieces), tmp_path / "it", PATIENT)

    assert (DIGEST, whole) == (found.sha256, found.whole)
    assert CONTENT == (tmp_path / "it").read_bytes()


@pytest.mark.parametrize(
    ("pieces", "message"),
    [
        ((b"\x00\x01\x1b[31m nonsense\r\n\r\n",), r"not HTTP \(BadStatusLine: .*\\u001b\[31m"),
        ((b"HTTP/1.1 banana\r\n\r\n",), r"not HTTP \(BadStatusLine"),
        ((b"x" * 70_000,), "not HTTP"),
        ((), "closed connection without response|Connection reset"),
        ((OK, b"a: b\r\n" * 200), "not HTTP"),
        ((OK, CHUNKED, b"banana\r\nxx"), "was cut off after 0 B"),
        ((OK, CHUNKED, b"ff\r\nxx"), "was cut off after 2 B"),
        ((OK, length(100), b"x" * 10), "was cut off after 10 B; try again"),
        ((OK, length(1 << 30), b"x" * 10), "is larger than"),
        ((b"HTTP/1.1 404 no\x1b such\r\n\r\n",), r"cannot be fetched: no\\u001b such"),
    ],
)
def test_nonsense_is_told_in_a_sentence(serve, tmp_path, pieces, message):
    """Nothing that a server says is a bug of ours."""
    with pytest.raises(MissingFile, match=message) as caught:
        download(serve(*pieces), tmp_path / "it", PATIENT)

    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 400


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_redirect_to_nonsense_is_told(serve, tmp_path):
    """Python leaves the answer open where its address is none; that is not ours to close."""
    with pytest.raises(MissingFile, match="cannot be fetched: Invalid IPv6 URL"):
        download(serve(b"HTTP/1.1 302 x\r\nLocation: https://[\r\n\r\n"), tmp_path / "it", PATIENT)
    gc.collect()


@pytest.mark.parametrize(
    ("before", "message"),
    [
        (b"", "no answer in 1.5 seconds"),
        (OK, "no answer in 1.5 seconds"),
        (OK + length(1 << 19), "fewer than 64.0 KiB came in 1.5 seconds"),
        (OK + CHUNKED, "fewer than 64.0 KiB came in 1.5 seconds"),
    ],
)
def test_a_server_that_drips_is_given_up(serve, tmp_path, before, message):
    """Be it in its status line, its headers, its chunks or the file."""
    drops = [each for _ in range(1000) for each in (b"a", 0.05)]
    begin = time.monotonic()

    with pytest.raises(MissingFile, match=message):
        download(serve(before, *drops), tmp_path / "it", QUICK)

    assert time.monotonic() - begin < 30


def test_the_whole_has_a_limit_too(serve, tmp_path, monkeypatch):
    """Enough comes at any time, and there is no end to it."""
    monkeypatch.setattr(module, "LEAST_BYTES", 1)
    limits = DownloadLimits(answer_seconds=60, whole_seconds=2, whole_bytes=1 << 20)
    drops = [each for _ in range(1000) for each in (b"a" * 100, 0.05)]

    with pytest.raises(MissingFile, match="came in 2 seconds, and it is not all"):
        download(serve(OK, length(1 << 19), *drops), tmp_path / "it", limits)


def fetched(url, path):
    fetch_weights(Weights(url=url, sha256=DIGEST), path, timeout_seconds=60)


def test_a_download_that_was_cut_off_is_not_called_tampered_with(serve, tmp_path):
    """It is a network's doing; nothing is left behind."""
    with pytest.raises(MissingFile, match="cut off"):
        fetched(serve(OK, length(len(CONTENT)), CONTENT[:-1]), tmp_path / "it")

    assert not (tmp_path / "it").exists()


def test_without_a_length_both_are_possible(serve, tmp_path):
    """And said so."""
    with pytest.raises(CorruptObject) as caught:
        fetched(serve(OK, b"\r\n", CONTENT[:-1]), tmp_path / "it")

    assert caught.value.hint.startswith("try again, the server did not say where the file ends")


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="Windows has no such files")  # noqa: PTH110
def test_a_device_is_no_file_to_fetch(tmp_path):
    """It has no end; nor is a folder one, nor a file that lies on another machine."""
    for url, says in (
        ("file:///dev/zero", "is a pipe or a device"),
        (f"file://{tmp_path}", "is a directory"),
        (f"file:///{tmp_path}/none", "no such file"),
        ("file://elsewhere/etc/hosts", "lies on another machine"),
    ):
        with pytest.raises(MissingFile, match=says):
            download(url, tmp_path / "it", QUICK)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux alone has a full disk to hand")  # noqa: PTH110
def test_a_full_disk_is_not_the_server_s_fault(serve, tmp_path):
    """What the system says is passed on, to be told with the file that was written."""
    large = DownloadLimits(answer_seconds=60, whole_seconds=60, whole_bytes=1 << 30)
    with pytest.raises(OSError, match="No space left"):
        download(serve(OK, length(len(CONTENT)), CONTENT), Path("/dev/full"), large)
