"""ResNet-50's calibration, shared out over two workers: by processor time, and by the clock.

`python -m tests.bench.fleet shards` counts processor time, whatever else the machine does;
`python -m tests.bench.fleet wall` takes three to four minutes, with two idle processors.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.helpers.projects import edit
from trtbuild import api
from trtbuild.core.log_levels import USUAL
from trtbuild.run.cluster.sharing import share_out
from trtbuild.run.executor import Call, CallResult, Executor
from trtbuild.run.inline import Inline

__all__ = ["count_processor_time", "count_wall_time"]

REPOSITORY = Path(__file__).parents[2]
SAMPLES = 600
"""So many that one worker takes more than a minute: what starting costs is seconds."""
RANDOM = """\
  calib: {{kind: random, count: {count}, inputs: {{input: {{shape: [3, 224, 224]}}}}}}
  eval:
"""
LIMIT_SECONDS = 600.0


def count_processor_time(place: Path) -> None:
    """Say how much sooner two workers calibrate than one, each counted by itself."""
    call = find_calibration(place)
    made, spent = [], {}
    for workers in (1, 2):
        here = move(call, place / f"of{workers}")
        if workers == 1:
            spent[1] = [spend(here)]
        else:
            shared = share_out(here, 0, workers)
            spent[2] = [spend(part) for part in shared.parts]
            counts = {f"share/{n}": f"{part.out}/counts.npz" for n, part in enumerate(shared.parts)}
            last = spend(here.model_copy(update={"inputs": here.inputs | counts}))
        made.append(Path(here.out, "ranges.json").read_bytes())
    two = " and ".join(f"{each:.1f}" for each in spent[2])
    say(f"one: {spent[1][0]:.1f} s; two: {two} s, merged {last:.1f}")
    together = max(spent[2]) + last
    say(f"{spent[1][0] / together:.2f} times as fast; ranges.json: {made[0] == made[1]}")


def count_wall_time(place: Path, cluster: Callable[[int], contextlib.AbstractContextManager]):
    """Say how much sooner Ray is done on two workers of one processor than on one."""
    call = find_calibration(place, samples=SAMPLES)
    made, seconds = [], []
    for workers in (1, 2):
        here = move(call, place / f"of{workers}")
        with cluster(workers) as executor:
            begin = time.perf_counter()
            end = carry_out(executor, here)
            seconds.append(time.perf_counter() - begin)
        made.append(Path(here.out, "ranges.json").read_bytes())
        say(f"{workers}: {seconds[-1]:.1f} s ({end.where}); load {os.getloadavg()[0]:.1f}")
    one, two = seconds
    say(f"{one / two:.2f} times as fast; ranges.json: {made[0] == made[1]}")


def carry_out(executor: Executor, call: Call) -> CallResult:
    """Run a call, and say how far it is."""
    begin = time.perf_counter()
    executor.start(call)
    while time.perf_counter() - begin < LIMIT_SECONDS:
        told = executor.wait(1.0)
        if isinstance(told, CallResult):
            assert "" == told.message, told.message
            return told
    raise TimeoutError


def find_calibration(place: Path, *, samples: int = 0) -> Call:
    """Build ResNet-50 as far as its calibration; on so many random samples, if any."""
    calls = []

    class Keeping(Inline):
        def start(self, call):
            if call.step.kind == "calibrate":
                calls.append(call)
                raise KeyboardInterrupt
            super().start(call)

    os.environ["TRTBUILD_STORE"] = str(place / "store")
    for folder in ("recipes", "calib_data"):
        shutil.copytree(REPOSITORY / folder, place / folder)
    recipe = place / "recipes/resnet50_int8.yaml"
    if samples:
        text = recipe.read_text()
        start, end = text.index("  calib:\n"), text.index("  eval:\n") + len("  eval:\n")
        edit(recipe, text[start:end], RANDOM.format(count=samples))
    with contextlib.suppress(KeyboardInterrupt):
        api.apply(recipe, build_dir=place / "build", executor=Keeping(log_level=USUAL))
    return calls[0]


def move(call: Call, folder: Path) -> Call:
    """Return a call with a place of its own: what is interrupted is swept."""
    out = folder / "out"
    out.mkdir(parents=True)
    return call.model_copy(update={"out": str(out), "log": str(folder / "log")})


def spend(call: Call) -> float:
    """Return the processor time of a call in this process, in seconds."""
    executor, begin = Inline(), time.process_time()
    executor.start(call)
    seconds = time.process_time() - begin
    assert "" == executor._happened[-1].message
    return seconds


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
