"""A model that is served, and a way to ask for what it answers without a socket."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass

import pytest

from tests.helpers.models import model_of
from trtbuild.serve.app import make_app
from trtbuild.serve.limits import Limits
from trtbuild.serve.models import open_models

DOUBLE = "net (float[n,2] x) => (float[n,2] y) { y = Add(x, x) }"


@dataclass
class Reply:
    status: int
    headers: dict
    body: bytes

    @property
    def told(self):
        return json.loads(self.body)


async def send(app, method, path, body=b"", headers=(), pieces=None):
    """Send a request to an ASGI application, its body in two pieces, or what is in their place."""
    sent, half = [], len(body) // 2
    pieces = pieces or [
        {"type": "http.request", "body": body[:half], "more_body": True},
        {"type": "http.request", "body": body[half:], "more_body": False},
    ]
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in dict(headers).items()],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("localhost", 80),
        "client": ("localhost", 1),
        "root_path": "",
    }

    async def receive():
        return pieces.pop(0)

    async def take(message):
        sent.append(message)

    await app(scope, receive, take)
    start, *rest = sent
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    return Reply(start["status"], headers, b"".join(each.get("body", b"") for each in rest))


@pytest.fixture
def models(tmp_path):
    (tmp_path / "net.onnx").write_bytes(model_of(DOUBLE).SerializeToString())
    path = tmp_path / "net.onnx"
    found = open_models([path], build_dir=tmp_path, device="cpu", contexts=1, threads=1)
    yield found
    found.close()


@pytest.fixture
def ask(models):
    """Ask a server of the model; `limits` are its own."""

    def asked(method, path, body=b"", headers=(), **limits):
        app = make_app(models, Limits(**limits))
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return asyncio.run(send(app, method, path, data, headers))

    return asked
