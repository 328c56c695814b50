"""A fleet on paper: the walk and the store as they are, over workers and a storage that keep time.

Run by hand: `python -m tests.bench.scale [RECIPES] [WORKERS] [OBJECTS]` (10 000, 500 and 1 000 000
by default). Time passes on a made-up clock; what is measured for real is this process: processor
time and memory of the driver. Steps take made-up times, drawn once with a fixed seed; their outputs
are small files.
"""

from __future__ import annotations

import heapq
import random
import resource
import sys
import tempfile
import time
from collections import Counter, deque
from pathlib import Path

from tests.helpers.plans import FACTS, plan_with
from trtbuild.core.digest import digest_of_bytes
from trtbuild.machine.places import Place
from trtbuild.run.executor import CallResult, QuietListener
from trtbuild.run.walk import _Walk
from trtbuild.store import remote as remote_module
from trtbuild.store.remote import Remote
from trtbuild.store.shared import SharedStore
from trtbuild.store.storage import StorageEntry

RECIPES, WORKERS, OBJECTS = 10_000, 500, 1_000_000
VARIANTS = 4
"""Recipes that share a model: its import and its fixes are done once."""
MEDIAN_SECONDS = {
    "import_model": 20, "fix_graph": 5, "capture_data": 30, "calibrate": 120, "quantize": 8,
    "build_engine": 300,
}  # fmt: skip
SPREAD = 0.5
BESIDE = 2
"""Recipes under way for each worker."""
SCRATCH = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
"""How fast a disk is has no part in it."""


class Memory:
    """A storage that holds names, and counts what is asked of it."""

    name = "memory"

    def __init__(self, objects: int) -> None:
        self.data = {f"objects/{n % 256:02x}/{n:062x}": b"" for n in range(objects)}
        self.asked: Counter[str] = Counter()

    def read(self, key, most_bytes):
        self.asked["read"] += 1
        return self.data.get(key)

    def size(self, key):
        self.asked["size"] += 1
        found = self.data.get(key)
        return None if found is None else len(found)

    def fetch(self, key, path):
        self.asked["fetch"] += 1
        if key in self.data:
            path.write_bytes(self.data[key])
        return key in self.data

    def write(self, key, data):
        self.asked["write"] += 1
        self.data[key] = data

    def send(self, key, path):
        self.asked["send"] += 1
        self.data[key] = path.read_bytes()

    def create(self, key, data):
        self.asked["create"] += 1
        if key in self.data:
            return False
        self.data[key] = data
        return True

    def remove(self, key):
        self.asked["remove"] += 1
        self.data.pop(key, None)

    def list(self, prefix):
        self.asked["list"] += 1
        return [
            StorageEntry(k, len(v), 0.0) for k, v in self.data.items() if k.startswith(prefix + "/")
        ]


class Clock:
    """Workers that take made-up times; the next to be done moves the clock."""

    def __init__(self, workers: int) -> None:
        self.now, self.free, self.work = 0.0, workers, 0.0
        self.ends: list[tuple[float, int, View, CallResult]] = []
        self.random = random.Random(0)
        self.number = 0

    def start(self, view, call):
        kind = call.step.kind
        seconds = MEDIAN_SECONDS[kind] * self.random.lognormvariate(0, SPREAD)
        for output, file in call.step.outputs.items():
            text = f"{call.step.model_dump_json()} {output} {sorted(call.inputs.values())}"
            (Path(call.out) / file).write_text(digest_of_bytes(text.encode()))
        self.free -= 1
        self.work += seconds
        self.number += 1
        end = CallResult(name=call.name, seconds=seconds, where="a worker")
        heapq.heappush(self.ends, (self.now + seconds, self.number, view, end))

    def step(self):
        self.now, _, view, end = heapq.heappop(self.ends)
        self.free += 1
        view.told.append(end)
        return view.walk


class View:
    """What a walk sees of the workers."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.told, self.walk = clock, deque(), None

    def place(self, needs):
        return Place(FACTS)

    def has_room(self, needs):
        return self.clock.free > 0

    def start(self, call):
        self.clock.start(self, call)

    def wait(self, timeout_seconds):
        return self.told.popleft() if self.told else None

    def close(self):
        pass


def walks(recipes: int, store, clock: Clock):
    """Yield a walk a recipe; of four, all but the last two steps are one's and the others'."""
    for number in range(recipes):
        model = digest_of_bytes(f"{number // VARIANTS}".encode())
        plan = plan_with(model=model, percentile=99.0 + number % VARIANTS / 10)
        view = View(clock)
        view.walk = _Walk(plan, store, view, QuietListener())
        yield view.walk


def drive(recipes: int, store, clock: Clock, workers: int) -> None:
    """Let all walks go, so many at once, as their steps end."""
    rest = walks(recipes, store, clock)
    going: set[_Walk] = set()
    waiting: deque[_Walk] = deque()
    while True:
        while len(going) + len(waiting) < BESIDE * workers and (walk := next(rest, None)):
            waiting.append(walk)
        for _ in range(len(waiting)):
            if not clock.free:
                break
            walk = waiting.popleft()
            walk._settle_ready()
            (going.add if walk.claimed else waiting.append)(walk)
            if len(walk.outcomes) == len(walk.plan.steps):
                going.discard(walk)
                waiting = deque(each for each in waiting if each is not walk)
        if not clock.ends:
            if not waiting:
                return
            continue
        walk = clock.step()
        walk._wait()
        if not walk.claimed:
            going.discard(walk)
            if len(walk.outcomes) < len(walk.plan.steps):
                waiting.appendleft(walk)


def main(recipes: int, workers: int, objects: int) -> None:
    """Say how long all would take against the least that is possible, and the driver's part."""
    remote_module._within = lambda _, ask: ask()  # the made-up storage always answers
    with tempfile.TemporaryDirectory(prefix="scale-", dir=SCRATCH) as scratch:
        storage = Memory(objects)
        store = SharedStore(Path(scratch), Remote(storage))
        store.prepare()
        clock = Clock(workers)
        begin, memory = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        drive(recipes, store, clock, workers)
        store.finish()
        seconds = time.process_time() - begin
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1024
    steps = clock.number
    longest = sum(MEDIAN_SECONDS.values())
    least = max(clock.work / workers, longest)
    told = ", ".join(f"{count} {name}" for name, count in sorted(storage.asked.items()))
    share = sum(storage.asked.values()) / steps
    sys.stdout.write(
        f"{recipes} recipes, {workers} workers, {objects} objects there: {steps} steps ran\n"
        f"makespan {clock.now / 3600:.2f} h, at least {least / 3600:.2f} h: "
        f"{clock.now / least:.3f} times\n"
        f"requests to the storage: {share:.1f} a step ({told})\n"
        f"driver: {1000 * seconds / steps:.2f} ms of processor time a step, {seconds:.0f} s in all "
        f"({100 * seconds / clock.now:.1f} % of the makespan); {grown:.0f} MiB more memory\n"
    )


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:]]
    main(*(given + [RECIPES, WORKERS, OBJECTS][len(given) :]))
