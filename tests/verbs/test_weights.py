"""Published weights: where they are looked for, and how long a failed fetch is taken for one."""

from __future__ import annotations

import time

import pytest

from trtbuild.core.watch import Watch
from trtbuild.sources.kinds import Torch
from trtbuild.verbs.weights import RETRY_AFTER_SECONDS, find_published, resolve_weights

DIGEST = "sha256:" + "a" * 64


@pytest.fixture
def model(tmp_path):
    """A model whose weights cannot be fetched, and are then seeded."""
    return Torch.model_validate(
        {
            "kind": "torch",
            "entrypoint": "model.py:model",
            "weights": {"url": f"file://{tmp_path}/nothing.pth", "sha256": "a" * 64},
            "without_weights": "seeded",
            "inputs": {"input": {"shape": ("batch", 4)}},
        }
    )


def test_weights_that_may_still_come_are_watched(model, store, tmp_path):
    """A plan made without them does not outlive their coming."""
    with Watch() as watch:
        found, reason = find_published(model, store, base=tmp_path)

    assert (DIGEST, "") == (found.digest, reason)
    assert str(store.object_path(DIGEST)) in watch.looks


def test_a_failed_fetch_is_an_answer_for_an_hour(model, store, tmp_path):
    """Then it is tried again, so nothing that rests on it holds for longer."""
    begin = time.time()
    assert resolve_weights(model, store, base=tmp_path)[0] is None
    end = time.time()

    with Watch() as watch:
        found, reason = find_published(model, store, base=tmp_path)

    assert found is None
    assert "seeded" in reason
    assert begin <= watch.until - RETRY_AFTER_SECONDS <= end


def test_a_failed_fetch_of_a_time_to_come_is_none(model, store, tmp_path, monkeypatch):
    """A clock that was wrong once does not keep weights away for years."""
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 1e9)
    resolve_weights(model, store, base=tmp_path)
    monkeypatch.setattr(time, "time", lambda: now)

    found, reason = find_published(model, store, base=tmp_path)

    assert (DIGEST, "") == (found.digest, reason)
