"""A store per test; no default store or network unless asked for."""

from __future__ import annotations

import gc
import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A shared machine stalls now and then: how long an example took says nothing about the code.
settings.register_profile("trtbuild", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("trtbuild")

# Tests start some thousand Python processes: each would compile every module anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A shell's background jobs ignore the interrupt key, and so do all processes that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# All tests together are a million objects that stay: looking through them again and again for
# what could go took a twentieth of the time.
gc.disable()

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser):
    """One flag rewrites the golden texts; the diff is the review."""
    parser.addoption(
        "--rewrite-golden", action="store_true", help="write tests/golden/ anew; read the diff"
    )
    parser.addoption(
        "--record", action="store_true", help="keep what TensorRT answers in tests/gpu/recorded/"
    )


def pytest_configure(config):
    """Let files be handed out in the order given below, not by how many tests they hold."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def pytest_collection_modifyitems(items):
    """Begin with the files that build whole recipes: else one process ends with them alone.

    While it is at these, the other has those that export from PyTorch: what PyTorch loads for its
    first export takes as long as ten exports, and one process of the two is spared it.
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.path not in slow, "torch" not in item.path.name))


def pytest_collection_finish(session):
    """From here on garbage is looked for among what tests make."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    gc.enable()


def pytest_sessionfinish():
    """What is left is looked through once, and not five times by pytest and once by Python."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def golden(request):
    """Compare a text with a file below tests/golden/, or rewrite that file when asked to."""

    def check(name, text):
        path = GOLDEN / name
        if request.config.getoption("--rewrite-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.read_text(encoding="utf-8") == text

    return check


@pytest.fixture(autouse=True)
def _no_default_store(monkeypatch, tmp_path_factory):
    """Whoever wants a store asks for the `store` fixture; the default one is out of reach."""
    monkeypatch.setenv("TRTBUILD_STORE", "/dev/null/a-test-forgot-to-choose-a-store")


@pytest.fixture
def store(tmp_path):
    """An empty store of the test's own."""
    from trtbuild.store.store import Store

    store = Store(tmp_path / "store")
    store.prepare()
    return store
