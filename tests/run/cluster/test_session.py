"""What names a cluster, and what is said where there is none."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from trtbuild.core.errors import MissingDependency, UsageError
from trtbuild.run.cluster.session import RaySession, demand_address


@pytest.mark.parametrize("name", ["ray", "ray://auto", "ray://host:10001", "ray://[::1]:10001"])
def test_a_cluster_has_a_name(name):
    """One of this machine, the one it is of, or one elsewhere."""
    demand_address(name)


@pytest.mark.parametrize("name", ["ray://", "ray://host", "ray://host:port", "ray://:1", "ray:"])
def test_what_names_none_is_refused(name):
    """With what does."""
    with pytest.raises(UsageError) as caught:
        demand_address(name)

    assert "ray://HOST:10001" in caught.value.hint


def test_without_ray_it_is_said_what_installs_it(monkeypatch):
    """And nothing else is tried."""
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingDependency) as caught:
        RaySession("ray")

    assert "pip install 'trtbuild[ray]'" == caught.value.hint


class Starting:
    """A Ray that does not start so many times."""

    def __init__(self, *errors):
        self.errors, self.asked = list(errors), []

    def is_initialized(self):
        return False

    def init(self, **options):
        self.asked.append(options)
        if self.errors:
            raise self.errors.pop(0)


@pytest.fixture
def starting(monkeypatch):
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", "/nowhere")
    for name in ("RAY_ADDRESS", "RAY_USAGE_STATS_ENABLED", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"):
        monkeypatch.setenv(name, "")

    def start(executor, *errors):
        ray = Starting(*errors)
        monkeypatch.setitem(sys.modules, "ray", ray)
        return ray, lambda: RaySession(executor)

    return start


def test_a_busy_machine_is_given_more_time(starting):
    """Ray itself gives up after half a minute."""
    slow = RuntimeError("The current node timed out during startup.")
    ray, begin = starting("ray", slow, slow)
    begin()

    assert 3 == len(ray.asked)
    assert ("local", False) == (ray.asked[0]["address"], ray.asked[0]["include_dashboard"])


def test_a_busy_head_is_given_more_time(starting):
    """It starts a process for each client, and gives up on that after half a minute too."""
    slow = ConnectionAbortedError("RuntimeError: Starting Ray client server failed. See ...")
    ray, begin = starting("ray://host:10001", slow)
    begin()

    assert 2 == len(ray.asked)


def test_a_cluster_that_does_not_answer_is_one_error(starting):
    """Tried once, and quoted."""
    ray, begin = starting("ray://host:10001", ConnectionError("ray client connection timeout"))
    with pytest.raises(MissingDependency, match=r"does not answer.*connection timeout"):
        begin()

    assert ["ray://host:10001"] == [each["address"] for each in ray.asked]


def test_a_node_that_does_not_answer_is_told_of():
    """A cluster may have nodes that are not for this."""
    session = RaySession.__new__(RaySession)

    def refuse(*_, **__):
        raise RuntimeError

    session.ray = SimpleNamespace(get=refuse)
    assert session._hear("ref") is None
