"""Reducers that other processes can make: what a pool's jobs are in tests."""

from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from trtbuild.core.errors import StepInputError


@dataclass
class Sum:
    """Adds up what it is fed; tells in which process."""

    total: float = 0.0

    def add(self, feed):
        self.total += float(feed.arrays["x"].sum() + feed.arrays["n"][0])

    def result(self):
        return os.getpid(), self.total


class Refusing(Sum):
    """Takes `0.png` and `1.png`, and no more."""

    def add(self, feed):
        if feed.samples[0] > "1.png":
            raise StepInputError(f"{feed.samples[0]} is bad", hint="look at it")
        super().add(feed)


class Buggy(Sum):
    """Fails with what is no error of the input."""

    def add(self, feed):
        del feed
        return {}["typo"]


class Talking(Sum):
    """Prints where answers go, as C libraries do too."""

    def add(self, feed):
        sys.stdout.write("told by Python\n")
        sys.stdout.flush()
        os.write(1, b"told by C\n")
        super().add(feed)


@dataclass
class Marking(Sum):
    """Leaves a file once it has been fed."""

    mark: str = ""

    def add(self, feed):
        super().add(feed)
        Path(self.mark).touch()


class DeadInAdd(Sum):
    """Is killed while it takes a feed in."""

    def add(self, feed):
        del feed
        os.kill(os.getpid(), signal.SIGKILL)


class DeadInResult(Marking):
    """Is killed before it can tell what came of it."""

    def result(self):
        os.kill(os.getpid(), signal.SIGKILL)


class Sleeping(Marking):
    """Is busy with a feed for a minute."""

    def add(self, feed):
        super().add(feed)
        time.sleep(60)
