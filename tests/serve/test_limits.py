"""How much is taken on."""

from __future__ import annotations

import asyncio
import threading

import pytest

from trtbuild.serve.limits import Desk, Limits, read_body
from trtbuild.serve.problem import HttpProblem


async def drip(*pieces, wait=0.0):
    for piece in pieces:
        await asyncio.sleep(wait)
        yield piece


def read(*pieces, told=None, wait=0.0, **limits):
    return asyncio.run(read_body(drip(*pieces, wait=wait), told, Limits(**limits)))


def test_a_body_is_put_together():
    """Of its pieces."""
    assert b"abc" == read(b"a", b"", b"bc")


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"told": "9" * 30, "body_bytes": 9}, 413),
        ({"body_bytes": 2}, 413),
        ({"wait": 5.0, "seconds": 0.05}, 408),
    ],
)
def test_too_large_and_too_slow_bodies_are_refused(options, status):
    """At once where the size is told, else where it passes the limit."""
    with pytest.raises(HttpProblem) as caught:
        read(b"a", b"bc", **options)

    assert status == caught.value.status


def test_work_is_done_in_turn_and_no_more_than_fits_waits():
    """What was given up counts until it has ended."""
    free = threading.Event()

    async def scene():
        desk = Desk(Limits(seconds=0.05, waiting=0))
        with pytest.raises(HttpProblem, match="no answer after"):
            await desk.compute(lambda: free.wait(30))
        with pytest.raises(HttpProblem, match="1 requests wait already"):
            await desk.compute(lambda: 1)
        free.set()
        while True:
            try:
                return await desk.compute(lambda: 2)
            except HttpProblem:
                await asyncio.sleep(0.01)

    assert 2 == asyncio.run(scene())


def test_what_fails_is_whoever_asked_fors():
    """Other requests go on."""

    async def scene():
        desk = Desk(Limits())
        with pytest.raises(HttpProblem, match="wrong"):
            await desk.compute(fail)
        return await desk.compute(lambda: 3)

    assert 3 == asyncio.run(scene())


def fail():
    raise HttpProblem(400, "wrong")


def test_no_more_come_in_at_once_than_may_wait():
    """Each takes as much memory; who comes after one that has come in is taken."""
    desk = Desk(Limits(waiting=1))

    with desk.receiving():
        with desk.receiving(), pytest.raises(HttpProblem) as caught, desk.receiving():
            pass
        with desk.receiving():
            pass
    desk.close()
    assert (503, "2 requests wait already: send this one again later") == (
        caught.value.status,
        caught.value.sentence,
    )


def test_while_too_many_wait_nothing_comes_in():
    """It is told at once, and not after all of it was sent."""
    free = threading.Event()

    async def crowd():
        desk = Desk(Limits(waiting=0))
        job = asyncio.ensure_future(desk.compute(lambda: free.wait(30)))
        await asyncio.sleep(0)
        try:
            with pytest.raises(HttpProblem, match="1 requests wait"), desk.receiving():
                pass
        finally:
            free.set()
            await job
        with desk.receiving():
            pass
        desk.close()

    asyncio.run(crowd())
