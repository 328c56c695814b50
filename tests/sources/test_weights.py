"""Weights: fetched and checked, read without running anything."""

from __future__ import annotations

import argparse
import hashlib
import json
import pickle
import threading
import warnings
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.request import HTTPSHandler

import numpy as np
import pytest

from trtbuild.core.errors import CorruptObject, MissingFile, StepInputError, UsageError
from trtbuild.sources.kinds import Weights
from trtbuild.sources.weights import fetch_weights, read_weights

CONTENT = b"weights" * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def by_url(url, digest=DIGEST):
    return Weights(url=url, sha256=digest)


@pytest.fixture
def published(tmp_path):
    """A file URL of published weights."""
    path = tmp_path / "published" / "net.pth"
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    return path.as_uri()


def test_a_file_url_is_fetched_and_checked(published, tmp_path):
    """The bytes arrive whole."""
    fetch_weights(by_url(published), tmp_path / "here", timeout_seconds=5)

    assert CONTENT == (tmp_path / "here").read_bytes()


def test_other_bytes_than_promised_are_refused(published, tmp_path):
    """Both digests are shown, and nothing is left behind."""
    with pytest.raises(CorruptObject, match=f"its sha256 is {DIGEST}, the recipe says {'0' * 64}"):
        fetch_weights(by_url(published, "0" * 64), tmp_path / "here", timeout_seconds=5)
    assert not (tmp_path / "here").exists()


def test_too_large_a_file_is_stopped(published, tmp_path):
    """However much a server sends, the disk does not fill."""
    with pytest.raises(MissingFile, match="is larger than"):
        fetch_weights(by_url(published), tmp_path / "here", timeout_seconds=5, limit_bytes=6999)
    assert not (tmp_path / "here").exists()


def test_what_is_not_there_says_so(tmp_path):
    """With what to do instead."""
    with pytest.raises(MissingFile, match="cannot be fetched") as caught:
        fetch_weights(by_url((tmp_path / "gone").as_uri()), tmp_path / "here", timeout_seconds=5)
    assert "by `path` in place of `url`" in caught.value.hint


def test_a_host_that_does_not_exist_says_so(tmp_path):
    """Without a network this is what happens: one error, in time."""
    with pytest.raises(MissingFile, match="cannot be fetched"):
        fetch_weights(
            by_url("https://weights.invalid/net.pth"), tmp_path / "here", timeout_seconds=5
        )
    assert not (tmp_path / "here").exists()


@pytest.mark.parametrize("url", ["http://x/y", "ftp://x/y", "data:,x", "/etc/passwd"])
def test_only_https_and_files(tmp_path, url):
    """Recipes refuse other schemes, and so does fetching."""
    with pytest.raises(ValueError, match="pattern"):
        by_url(url)
    with pytest.raises(UsageError, match="over https, or from file"):
        fetch_weights(
            Weights.model_construct(url=url, sha256=DIGEST), tmp_path / "x", timeout_seconds=5
        )


class Server(BaseHTTPRequestHandler):
    """Answers by path: weights, elsewhere, or an error."""

    def do_GET(self):
        if self.path == "/net":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(CONTENT)
        elif self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.end_headers()
        else:
            self.send_error(404)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def server(monkeypatch):
    """A server on this machine; plain, and spoken to as if it were https."""

    class Plain(HTTPSHandler):
        def https_open(self, request):
            import http.client

            request.type = "http"
            return self.do_open(http.client.HTTPConnection, request)

    monkeypatch.setattr("urllib.request.HTTPSHandler", Plain)
    monkeypatch.delenv("https_proxy", raising=False)
    monkeypatch.delenv("HTTPS_PROXY", raising=False)
    listening = HTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{listening.server_port}"
    listening.shutdown()
    listening.server_close()
    thread.join()


def test_https_is_fetched(server, tmp_path):
    """And followed where it redirects to https."""
    fetch_weights(by_url(f"{server}/net"), tmp_path / "a", timeout_seconds=5)
    fetch_weights(by_url(f"{server}/to/{server}/net"), tmp_path / "b", timeout_seconds=5)

    assert CONTENT == (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("target", ["http://127.0.0.1:1/net", "file:///etc/passwd", "ftp://x/y"])
def test_a_redirect_out_of_https_is_refused(server, tmp_path, target):
    """A server cannot make us speak plainly, or read our own files."""
    with pytest.raises(MissingFile, match="cannot be fetched"):
        fetch_weights(by_url(f"{server}/to/{target}"), tmp_path / "x", timeout_seconds=5)
    assert not (tmp_path / "x").exists()


def test_an_error_of_the_server_is_quoted(server, tmp_path):
    """404 is what it says."""
    with pytest.raises(MissingFile, match="Not Found"):
        fetch_weights(by_url(f"{server}/other"), tmp_path / "x", timeout_seconds=5)


def test_weights_have_one_place():
    """A path or a URL, and a URL with its digest."""
    for fields in ({}, {"path": "a", "url": "https://x/y", "sha256": DIGEST}, {"url": "https://x"}):
        with pytest.raises(ValueError, match="weights"):
            Weights(**fields)


@pytest.fixture
def tensors():
    torch = pytest.importorskip("torch")
    return {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.zeros(2)}


@pytest.mark.parametrize("form", ["safetensors", "torch", "old torch"])
def test_every_form_is_read_by_what_it_holds(tmp_path, tensors, form):
    """The file's name says nothing: fetched weights have none."""
    import torch
    from safetensors.torch import save_file

    path = tmp_path / "object"
    if form == "safetensors":
        save_file(tensors, path)
    else:
        torch.save(tensors, path, _use_new_zipfile_serialization=form == "torch")
    found = read_weights(path)

    assert tensors.keys() == found.keys()
    assert all(torch.equal(tensors[name], found[name]) for name in tensors)


class Evil:
    """Runs when it is unpickled."""

    def __reduce__(self):
        return (print, ("gotcha",))


def test_code_in_a_pickle_does_not_run(tmp_path, tensors, capsys):
    """Such a file is refused."""
    path = tmp_path / "evil.pth"
    path.write_bytes(pickle.dumps({"w": Evil()}))

    with pytest.raises(StepInputError, match=r"is no pickle that `torch\.save` writes"):
        read_weights(path)
    assert "gotcha" not in capsys.readouterr().out


@pytest.mark.parametrize("core", [b"numpy._core", b"numpy.core"])
def test_what_numpy_counts_beside_weights_is_read(tmp_path, tensors, core):
    """Best figures, states of generators: as NumPy 1 and 2 write them."""
    import torch

    path = tmp_path / "w.pt"
    beside = {"best": np.float64(0.5), "epoch": np.int64(3), "rng": np.arange(4, dtype=np.uint32)}
    torch.save({"model": tensors, **beside}, path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes().replace(b"numpy._core", core))
    found = read_weights(path)

    assert (0.5, 3, [0, 1, 2, 3]) == (found["best"], found["epoch"], found["rng"].tolist())


def test_an_array_of_objects_is_not_read(tmp_path, tensors):
    """What it holds could be anything."""
    import torch

    torch.save({"model": tensors, "it": np.array([{}], object)}, tmp_path / "w.pt")
    with pytest.raises(StepInputError, match="holds numpy"):
        read_weights(tmp_path / "w.pt")


@pytest.mark.parametrize("new", [True, False])
def test_a_class_that_is_not_loaded_is_named(tmp_path, tensors, new):
    """In both forms of `torch.save`, in words of our own, with how to get at the tensors."""
    import torch

    path = tmp_path / "w.pt"
    content = {"state_dict": tensors, "args": argparse.Namespace(lr=1)}
    torch.save(content, path, _use_new_zipfile_serialization=new)

    with pytest.raises(StepInputError) as caught:
        read_weights(path)
    assert (
        f"{path}: holds argparse.Namespace, and only tensors and plain values are loaded: "
        "the rest could be code"
    ) == caught.value.message
    assert "torch.load('w.pt', weights_only=False)['state_dict']" in caught.value.hint


def test_a_whole_module_and_a_program_say_how_to_save_their_weights(tmp_path):
    """`state_dict()` of what was saved."""
    torch = pytest.importorskip("torch")
    layer = torch.nn.Linear(2, 2)
    torch.save(layer, tmp_path / "module.pt")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is on its way out
        torch.jit.script(layer).save(tmp_path / "script.pt")
    with pytest.raises(StepInputError, match="is a program of TorchScript") as program:
        read_weights(tmp_path / "script.pt")
    with pytest.raises(StepInputError, match=r"holds torch\.nn\.modules\.linear\.Linear") as module:
        read_weights(tmp_path / "module.pt")

    assert "torch.load('module.pt', weights_only=False).state_dict()" in module.value.hint
    assert "torch.jit.load('script.pt').state_dict()" in program.value.hint


@pytest.mark.parametrize("content", [b"hello", b"\x10" + b"\0" * 7 + b"{"])
def test_another_file_is_refused(tmp_path, tensors, content):
    """Text, and files cut off: one clear error."""
    path = tmp_path / "net.pth"
    path.write_bytes(content)

    with pytest.raises(StepInputError, match=r"net\.pth: cannot be read as weights"):
        read_weights(path)


@pytest.mark.parametrize(
    ("told", "content"),
    [
        ("is empty", b""),
        ("is a web page, not weights", b"\n<!DOCTYPE html><html>"),
        ("is a web page, not weights", b"<HTML>404"),
    ],
)
def test_what_a_server_answers_in_the_place_of_weights_is_told(tmp_path, told, content):
    """There is nothing in it to be unpickled, trusted or not."""
    path = tmp_path / "net.pth"
    path.write_bytes(content)

    with pytest.raises(StepInputError, match=rf"net\.pth: {told}"):
        read_weights(path)


def test_a_file_that_was_cut_off_is_called_so(tmp_path, tensors):
    """A zip archive's index is its end."""
    import torch

    path = tmp_path / "net.pth"
    torch.save(tensors, path)
    path.write_bytes(path.read_bytes()[:-100])

    with pytest.raises(StepInputError, match=r"net\.pth: begins as .* its end is missing"):
        read_weights(path)


def test_a_compressed_archive_is_refused(tmp_path):
    """A thousandth of its size on disk, it would fill the memory; `torch.save` packs nothing."""
    with zipfile.ZipFile(tmp_path / "w.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(1 << 20))

    with pytest.raises(StepInputError, match="is a compressed archive"):
        read_weights(tmp_path / "w.pth")


def test_weights_in_several_files_are_read_by_their_index(tmp_path, tensors):
    """All that the index names, and a file that lacks one is said."""
    from safetensors.torch import save_file

    names = sorted(tensors)
    placed = {name: f"w-{number}.safetensors" for number, name in enumerate(names)}
    for name, file in placed.items():
        save_file({name: tensors[name].contiguous()}, tmp_path / file)
    index = tmp_path / "w.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": placed}))

    assert names == sorted(read_weights(index))
    index.write_text(json.dumps({"weight_map": {**placed, "more": "w-0.safetensors"}}))
    with pytest.raises(StepInputError, match=r"w-0\.safetensors: has no `more`, which"):
        read_weights(index)
