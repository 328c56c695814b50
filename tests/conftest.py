"""A store per test; no default store or network unless asked for."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _no_default_store(monkeypatch, tmp_path_factory):
    """Whoever wants a store asks for the `store` fixture; the default one is out of reach."""
    monkeypatch.setenv("TRTBUILD_STORE", "/dev/null/a-test-forgot-to-choose-a-store")


@pytest.fixture
def store(tmp_path):
    """An empty store of the test's own."""
    from trtbuild.core.store import Store

    store = Store(tmp_path / "store")
    store.prepare()
    return store
