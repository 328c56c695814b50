"""trtbuild serve, as far as it goes before it listens."""

from __future__ import annotations

import pytest

from tests.helpers.models import model_of


@pytest.fixture
def served(monkeypatch):
    """What is served, and how, instead of being so."""
    found = []
    monkeypatch.setattr(
        "trtbuild.serve.app.serve",
        lambda models, limits, **where: found.append((models.engines, limits, where)),
    )
    return found


def test_it_says_what_it_serves_and_where(project, trtbuild, served):
    """With the limits that are typed."""
    text = "net (float[n,2] x) => (float[n,2] y) { y = Add(x, x) }"
    (project.parent / "net.onnx").write_bytes(model_of(text).SerializeToString())
    answer = trtbuild(
        *("serve", "net.onnx", "--port", "9000", "--device", "cpu"),
        *("--waiting", "3", "--at-once", "2", "--timeout", "1.5", "--most-mib", "1"),
    )
    ((engines, limits, where),) = served

    assert 0 == answer.code, answer.err
    assert "net: net.onnx in ONNX Runtime, CPUExecutionProvider" in answer.out
    assert "http://127.0.0.1:9000/v2/models/NAME/infer" in answer.out
    assert {"host": "127.0.0.1", "port": 9000} == where
    assert ["net"] == [*engines]
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
