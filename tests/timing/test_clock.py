"""Calls timed one by one, and warmed up."""

from __future__ import annotations

import gc
from types import SimpleNamespace

from tests.helpers.speed import Spinning
from trtbuild.timing import clock
from trtbuild.timing.clock import quiet_collector, time_calls, time_events, warm_up


def test_each_call_is_timed():
    """No less than it took; events beside it."""
    model = Spinning(ms=1.0)
    times, events = time_events(model.call, model.read_events_ms, 3)

    assert 3 == model.calls
    assert all(each >= 1e6 for each in (*times, *time_calls(model.call, 2)))
    assert [1.0] * 3 == list(events)


class Steady:
    """A clock that a call puts forward, by more each time or always alike."""

    def __init__(self, monkeypatch, ms, growth=1.0):
        self.now, self.ms, self.growth, self.calls = 0, ms, growth, 0
        monkeypatch.setattr(clock, "time", SimpleNamespace(perf_counter_ns=lambda: self.now))

    def call(self):
        self.calls += 1
        self.now += round(self.ms * 1e6)
        self.ms *= self.growth


def test_what_never_settles_is_ended_by_the_cap(monkeypatch):
    """Each window takes longer than the last: it says so."""
    model = Steady(monkeypatch, 1.0, growth=1.02)
    found, last = warm_up(model.call, cap_seconds=1.0)

    assert not found.stable
    assert (found.calls, True) == (model.calls, 1.0 <= found.seconds < 1.2)
    assert last > 1e7


def test_what_is_steady_is_stable_after_three_windows(monkeypatch):
    """Of 40 ms, or three calls where these are slow."""
    quick, _ = warm_up(Steady(monkeypatch, 2.0).call, cap_seconds=5.0)
    slow, last = warm_up(Steady(monkeypatch, 50.0).call, cap_seconds=5.0)

    assert (60, 9) == (quick.calls, slow.calls)
    assert (True, True, 5e7) == (quick.stable, slow.stable, last)


def test_the_collector_of_cycles_waits():
    """And comes back, whatever happens."""
    with quiet_collector():
        assert not gc.isenabled()

    assert gc.isenabled()
