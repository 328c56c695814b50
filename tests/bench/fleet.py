"""A fleet, measured: the same bytes from a cluster whatever is killed, and what Ray costs a step.

Run by hand, where Ray is installed: `python -m tests.bench.fleet WHAT`; WHAT is one of same, kill,
overhead, second, interrupt, shards, wall. Nodes are Ray's own, of one processor, on this machine;
labels stand for GPUs. Wall times count only beside each other, within one run.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

from tests.helpers.projects import edit, small_project
from tests.helpers.staged import artifacts
from trtbuild import api
from trtbuild.core.needs import GpuNeed, Needs

REPOSITORY = Path(__file__).parents[2]
KILLS = 30
ROUNDS = 7
EDITS = {
    "minmax": (),
    "entropy2": (("kind: minmax", "kind: entropy2"),),
    "entropy": (("kind: minmax", "kind: entropy"),),
    "percentile": (("kind: minmax", "kind: percentile"),),
    "mse": (("kind: minmax", "kind: mse"),),
    "auto": (("kind: minmax", "kind: auto"),),
    "unfixed": (("  - {kind: fold_constants}\n", "  - {kind: drop_identity}\n"),),
    "two": (("targets:\n", "targets:\n  ort: {kind: onnxruntime}\n"),),
}
"""Eight small recipes, by what makes them from one."""


def say(text: object) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def write(folder: Path, name: str) -> Path:
    recipe = small_project(folder)
    for before, after in EDITS[name]:
        edit(recipe, before, after)
    return recipe


@contextlib.contextmanager
def cluster(nodes: int = 2, **options):
    """Start nodes of one processor on this machine, and yield an executor over them."""
    import ray
    from ray.cluster_utils import Cluster

    from trtbuild.run.cluster.executor import RayCluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    try:
        for number in range(nodes):
            capability = ("7.0", "7.2")[number % 2]  # no engine is for them: none is run
            labels = {"trtbuild.gpu": f"GPU-{number}", "trtbuild.capability": capability}
            made.add_node(num_cpus=1, num_gpus=1, labels=labels, object_store_memory=100 << 20)
        ray.init(address=made.address, log_to_driver=False, namespace="trtbuild")
        with contextlib.closing(RayCluster("ray", jobs=1, **options)) as executor:
            yield executor
    finally:
        ray.shutdown()
        made.shutdown()


def apply(recipe: Path, place: Path, executor):
    os.environ["TRTBUILD_STORE"] = str(place / "store")
    return api.apply(recipe, build_dir=place / "build", executor=executor, no_gates=True)


def same(place: Path) -> None:
    """Hold what a cluster makes of nine recipes to what this machine makes."""
    with cluster() as executor:
        needs = [Needs(gpu=GpuNeed(capability=each)) for each in ("7.0", "7.2", "7.5")]
        told = [executor.place(each) for each in needs]
        say("\n  ".join(["labels:", *[each.where or each.hindrance for each in told]]))
        for name in (*EDITS, "digits"):
            recipe = (
                REPOSITORY / "recipes/digits_int8.yaml"
                if name == "digits"
                else write(place / name, name)
            )
            here = artifacts(apply(recipe, place / name / "local", "local"))
            far = artifacts(apply(recipe, place / name / "ray", executor))
            say(f"{name:12} {len(here):3} artifacts: {'the same' if here == far else 'OTHERS'}")


def find_workers(top: int) -> list[int]:
    """Return the slots that a process has started, and what runs steps in them: nobody else's."""
    listed = subprocess.check_output(["/bin/ps", "-eo", "pid,ppid,args"], text=True)
    found = {}
    for line in listed.splitlines()[1:]:
        pid, parent, args = line.split(None, 2)
        found[int(pid)] = int(parent), args
    ours = {top}
    while more := {pid for pid, (parent, _) in found.items() if parent in ours} - ours:
        ours |= more
    return [
        pid
        for pid in sorted(ours & found.keys())
        if found[pid][1].startswith("ray::Slot") or "trtbuild.run.worker" in found[pid][1]
    ]


class Strike(threading.Thread):
    """Kills what runs a step, once, at a moment of that step."""

    def __init__(self, executor, step: str, delay: float) -> None:
        super().__init__(daemon=True)
        self.executor, self.step, self.delay = executor, step, delay
        self.killed: int | None = None
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.002) and self.killed is None:
            running = self.find()
            pid = None if running is None else self.ask_pid(running)
            if pid is None or self.over.wait(self.delay):
                continue
            if running in self.list_running():
                self.killed = random.choice([pid, *find_workers(pid)])
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.killed, signal.SIGKILL)
            self.step, self.delay = "", 0.0  # too late: whatever runs next, and at once

    def list_running(self):
        return [*self.executor._running.values()]

    def find(self):
        """What runs the step, or, where that was missed, any."""
        return next((r for r in self.list_running() if self.step in {"", r.call.name}), None)

    def ask_pid(self, running) -> int | None:
        import ray

        try:
            return ray.get(running.slot.actor.__ray_call__.remote(lambda _: os.getpid()))
        except ray.exceptions.RayError:
            return None


def kill(place: Path) -> None:
    """Kill a worker at each of 30 random moments of its steps; all must end in the same bytes."""
    random.seed(0)
    recipe = write(place / "small", "minmax")
    good = hits = runs = 0
    with cluster() as executor:
        apply(recipe, place / "cold", executor)
        first = apply(recipe, place / "first", executor)
        expected = artifacts(first)
        while hits < KILLS and runs < 2 * KILLS:
            step = random.choice(first.record.outcomes)
            strike = Strike(executor, step.step, random.uniform(0, step.seconds))
            strike.start()
            applied = apply(recipe, place / str(runs), executor)
            strike.over.set()
            strike.join()
            again = [f"{o.step}: {o.where}" for o in applied.record.outcomes if ", try" in o.where]
            alike = artifacts(applied) == expected
            runs, hits, good = runs + 1, hits + bool(again), good + alike
            told = "the same" if alike else "OTHERS"
            say(f"{runs:3} killed {strike.killed}; tried again: {again}; {told}")
    say(f"{hits} kills hit a worker at its step; {good} of {runs} ended in the same bytes")


def overhead(place: Path) -> None:
    """Say what Ray costs a step beyond Local, both warm, in one interleaved run."""
    from trtbuild.run.local import Local

    recipe = write(place / "small", "two")
    extra = []
    with cluster(1) as executor, contextlib.closing(Local(1)) as local:
        for number in range(ROUNDS + 1):
            spent = {}
            for name, each in (("local", local), ("ray", executor)):
                begin = time.perf_counter()
                applied = apply(recipe, place / f"{number}{name}", each)
                spent[name] = time.perf_counter() - begin
            steps = len(applied.record.outcomes)
            if number:  # the first warms both up
                extra.append(1000 * (spent["ray"] - spent["local"]) / steps)
                say({name: round(each, 2) for name, each in spent.items()})
    say(f"Ray: {median(extra):.0f} ms a step beyond Local's (median of {ROUNDS}, {steps} steps)")


def run(recipe: Path, place: Path, remote: str, *more: str) -> subprocess.CompletedProcess[str]:
    """Apply a recipe as a machine of its own would: with its own HOME and store."""
    variables = {
        **os.environ, "HOME": str(place / "home"), "TRTBUILD_STORE": str(place / "store"),
        "TRTBUILD_STORE_REMOTE": remote, "PYTHONPATH": os.pathsep.join(sys.path[1:]),
    }  # fmt: skip
    (place / "home").mkdir(parents=True)
    command = [sys.executable, "-m", "trtbuild", "apply", "--build-dir", str(place / "build")]
    return subprocess.run(
        [*command, *more, str(recipe)], env=variables, capture_output=True, text=True, check=False
    )


def second(place: Path) -> None:
    """Build on one machine, then on another that shares the remote store and nothing else."""
    made = {}
    for name in ("one", "two"):
        copy = place / name / "work"
        for folder in ("recipes", "calib_data"):
            shutil.copytree(REPOSITORY / folder, copy / folder)
        recipe = copy / "recipes/digits_int8.yaml"
        ran = run(recipe, place / name, str(place / "remote"))
        say(f"{name}: {ran.returncode}: {ran.stdout.splitlines()[-1:]} {ran.stderr[-300:]}")
        build = place / name / "build"
        made[name] = {
            path.relative_to(build): path.read_bytes()
            for path in build.rglob("*")
            if path.is_file() and not path.name.startswith(".")
        }
    one, two = made["one"], made["two"]
    paths = one.keys() | two.keys()
    differ = sorted(str(path) for path in paths if one.get(path) != two.get(path))
    say(f"{len(one)} files placed; differing: {differ or 'none'}")


def interrupt(place: Path) -> None:
    """Press the interrupt key while steps run on a Ray that was started for it."""
    recipe = write(place / "small", "minmax")
    process = subprocess.Popen(
        [sys.executable, "-m", "trtbuild", "apply", str(recipe), "--executor", "ray"],
        env={**os.environ, "TRTBUILD_STORE": str(place / "store")},
        cwd=place,
        start_new_session=True,
    )
    while not (workers := find_workers(process.pid)):
        time.sleep(0.2)
    time.sleep(0.5)
    os.killpg(process.pid, signal.SIGINT)
    code = process.wait(60)
    time.sleep(2)
    left = [pid for pid in workers if Path(f"/proc/{pid}").exists()]
    say(f"exit code {code}; workers left: {len(left)}")


def shards(place: Path) -> None:
    """Say how much less processor time each of two workers takes for ResNet-50's calibration."""
    from tests.bench.shards import count_processor_time

    count_processor_time(place)


def wall(place: Path) -> None:
    """Say how much sooner two workers are done with it, by the clock: for a quiet machine."""
    from tests.bench.shards import count_wall_time

    count_wall_time(place, cluster)


VERBS = {
    each.__name__: each for each in (same, kill, overhead, second, interrupt, shards, wall)
}  # fmt: skip

if __name__ == "__main__":
    for word in sys.argv[1:] or [*VERBS]:
        with tempfile.TemporaryDirectory(prefix="fleet-") as scratch:
            say(f"== {word}")
            VERBS[word](Path(scratch))
