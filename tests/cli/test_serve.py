"""trtbuild serve, as far as it goes before it listens."""

from __future__ import annotations

import socket

import pytest

from tests.helpers.models import model_of


@pytest.fixture
def served(monkeypatch):
    """What is served, and how, instead of being so."""
    found = []
    monkeypatch.setattr(
        "trtbuild.serve.app.serve",
        lambda *given: found.append(given),
    )
    return found


def test_it_says_what_it_serves_and_where(project, trtbuild, served):
    """With the limits that are typed."""
    text = "net (float[n,2] x) => (float[n,2] y) { y = Add(x, x) }"
    (project.parent / "net.onnx").write_bytes(model_of(text).SerializeToString())
    answer = trtbuild(
        *("serve", "net.onnx", "--port", "0", "--device", "cpu"),
        *("--waiting", "3", "--at-once", "2", "--timeout", "1.5", "--most-mib", "1"),
    )
    ((models, limits, sockets),) = served

    assert 0 == answer.code, answer.err
    assert "net: net.onnx in ONNX Runtime, CPUExecutionProvider" in answer.out
    assert 1 == len(sockets)
    assert "http://127.0.0.1:0" not in answer.out
    assert "/v2/models/NAME/infer" in answer.out
    assert ["net"] == [*models.engines]
    assert (1 << 20, 1.5, 3, 2) == (
        limits.body_bytes,
        limits.seconds,
        limits.waiting,
        limits.at_once,
    )


@pytest.mark.parametrize(
    ("path", "code", "told"),
    [("recipe.yaml", 4, "is not built there"), ("none.onnx", 4, "none.onnx")],
)
def test_what_cannot_be_served_is_told(project, trtbuild, served, path, code, told):
    """Before anything listens."""
    answer = trtbuild("serve", path)

    assert (code, []) == (answer.code, served)
    assert told in answer.err


def test_a_port_that_is_taken_is_told_before_anything_loads(project, trtbuild, served):
    """By one sentence, with the way out; so is a host that is none."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        answer = trtbuild("serve", "none.onnx", "--port", str(port))

    assert (2, []) == (answer.code, served)
    assert f"error: --port: 127.0.0.1 port {port}: Address already in use" in answer.err
    assert "--port 8001" in answer.err
    answer = trtbuild("serve", "none.onnx", "--host", "no host")
    assert 2 == answer.code
    assert "--host no host: is no address" in answer.err


def test_what_a_recipe_no_longer_makes_is_not_served_for_it(applied_project, trtbuild, served):
    """Nor run in a pipeline: an edited recipe is not answered with the model of the one before."""
    text = applied_project.read_text()
    assert 0 == trtbuild("serve", "recipe.yaml", "--port", "0").code
    applied_project.write_text(text.replace("kind: minmax", "kind: mse"))

    answer = trtbuild("serve", "recipe.yaml", "--port", "0")

    assert (2, 1) == (answer.code, len(served))
    assert "was built, but not from recipe.yaml as it stands" in answer.err
