"""Variants that take turns."""

from __future__ import annotations

from tests.helpers.speed import Spinning
from trtbuild.core.protocol import Protocol
from trtbuild.timing.rounds import LEAST_CALLS, Lane, run_rounds


def lanes_of(**models):
    return [Lane(name, model) for name, model in models.items()]


def test_each_round_has_a_block_of_each():
    """In an order that is drawn from the seed, settling calls uncounted."""
    log = []
    protocol = Protocol(iterations=32, rounds=8, warmup_seconds=0.0, settle=3)
    lanes = lanes_of(a=Spinning(0.5, log, "a"), b=Spinning(0.5, log, "b"))
    told = []
    run_rounds(lanes, protocol, progress=lambda *each: told.append(each))
    block = 3 + LEAST_CALLS
    timed = log[-16 * block :]

    assert [LEAST_CALLS] * 8 == [len(each) for each in lanes[0].host]
    assert [(done, 8) for done in range(1, 9)] == told
    turns = [timed[place : place + block] for place in range(0, len(timed), block)]
    assert all(len(set(turn)) == 1 for turn in turns)
    pairs = {turns[place][0] + turns[place + 1][0] for place in range(0, 16, 2)}
    assert {"ab", "ba"} == pairs


def test_a_row_says_all_of_it():
    """Of four samples a call: four times the calls a second; what speaks against it is said."""
    (lane,) = lanes_of(a=Spinning(1.0))
    run_rounds([lane], Protocol(iterations=16, rounds=8, warmup_seconds=0.0))
    row = lane.row(shapes={"x": (4, 2)}, batch=4, inputs="seeded")

    assert (32, 8) == (row.host.calls, len(row.host.blocks))
    assert row.host.least >= 1.0
    assert 4000 / row.host.mean == row.per_second
    assert "not stable after" in row.remarks[0]
    assert "32 calls do not bound p99 from above" == row.remarks[1]


def test_a_block_that_takes_far_too_long_is_ended_where_it_is():
    """A machine that others have taken meanwhile costs no hour; the row says it."""
    model = Spinning()
    (lane,) = lanes_of(a=model)
    lane.warm_up(Protocol(iterations=8 * 1000, rounds=8, warmup_seconds=0.0))
    lane.overdue_ns = 20e6
    model.ms = 2.0
    lane.run_block(0)
    row = lane.row(shapes={}, batch=None, inputs="seeded")

    assert (1000, 125) == (lane.calls, row.host.calls)
    assert "1 of 1 blocks were ended early" in " ".join(row.remarks)


def test_copies_are_timed_apart():
    """Blocks of their own, in the same rounds; by the device's clock, the same calls."""
    model = Spinning(0.1)
    model.has_transfers = model.has_events = True
    (lane,) = lanes_of(a=model)
    run_rounds([lane], Protocol(iterations=32, rounds=8, warmup_seconds=0.0))
    row = lane.row(shapes={}, batch=None, inputs="seeded")

    assert row.host.calls == row.device.calls == row.transfers.calls == 32
    assert 0.1 == row.device.p99.ms
