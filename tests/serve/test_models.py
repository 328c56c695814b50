"""What is served, by which name; and a real server that Triton's own client talks to."""

from __future__ import annotations

import functools
import socket
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from tests.helpers.models import model_of
from tests.helpers.projects import tiny_project
from trtbuild.core.errors import MissingFile, NotWritable, UsageError
from trtbuild.serve.app import make_app
from trtbuild.serve.limits import Limits
from trtbuild.serve.models import ServedModels, open_models


def test_a_recipe_that_is_not_built_is_told(tmp_path):
    """With the command that builds it."""
    recipe = tiny_project(tmp_path / "project")
    options = {"build_dir": tmp_path / "build", "device": "cpu", "contexts": 1, "threads": 1}

    with pytest.raises(MissingFile, match="is not built there"):
        open_models([recipe], **options)


def test_two_of_one_name_are_refused(models, tmp_path):
    """They would have one address."""
    options = {"build_dir": tmp_path, "device": "cpu", "contexts": 1, "threads": 1}

    with pytest.raises(UsageError, match="is called `net`, as another is"):
        open_models([tmp_path / "net.onnx"] * 2, **options)


def test_all_models_are_closed_though_one_fails_to():
    """As where what it has compiled cannot be kept."""
    closed = []

    def close(name):
        closed.append(name)
        raise NotWritable(f"{name}: cannot be kept")

    engines = {name: SimpleNamespace(close=functools.partial(close, name)) for name in "ab"}
    with pytest.raises(NotWritable):
        ServedModels(engines).close()
    assert ["a", "b"] == sorted(closed)


def test_a_model_of_text_is_refused_before_anybody_asks(tmp_path):
    """The protocol's JSON and bytes are numbers here."""
    text = "net (string[n] x) => (string[n] y) { y = Identity(x) }"
    (tmp_path / "text.onnx").write_bytes(model_of(text).SerializeToString())
    options = {"build_dir": tmp_path, "device": "cpu", "contexts": 1, "threads": 1}

    with pytest.raises(UsageError, match=r"text\.onnx: `x` is .*, which is not served"):
        open_models([tmp_path / "text.onnx"], **options)


@pytest.fixture
def address(models):
    """A server with a socket of its own."""
    import uvicorn

    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(make_app(models, Limits()), log_level="critical", lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    until = time.monotonic() + 30
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    yield f"127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(30)
    listener.close()


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.filterwarnings("ignore")
def test_tritons_client_talks_to_it(address, binary):
    """Metadata, readiness, and inference with numbers and with bytes."""
    http = pytest.importorskip("tritonclient.http")

    with http.InferenceServerClient(address) as client:
        assert client.is_server_ready()
        assert client.is_model_ready("net")
        assert "x" == client.get_model_metadata("net")["inputs"][0]["name"]
        array = np.float32([[1, 2], [3, 4]])
        given = http.InferInput("x", array.shape, "FP32")
        given.set_data_from_numpy(array, binary_data=binary)
        wanted = http.InferRequestedOutput("y", binary_data=binary)
        found = client.infer("net", [given], outputs=[wanted]).as_numpy("y")
    np.testing.assert_array_equal(2 * array, found.reshape(2, 2))
