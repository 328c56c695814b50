"""What `trtbuild bench` is worth: against a plain loop, of no model, and of a planted difference.

    python -m tests.bench.timing [--runs 20] [--seconds 2]

1. ONNX Runtime by the harness and by a loop of ten lines, block by block in turn: within 3 %.
2. The harness's own cost per call, of a model that does nothing: median below 20 µs.
3. A model that waits 5 % longer than another is found slower, and the same model twice is not found
   to differ: 20 of 20 runs each.

Numbers of a busy machine are what they are: the load average is said.
"""

# ruff: noqa: T201  # it prints what it finds

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx

from tests.helpers.models import model_of
from tests.helpers.speed import Spinning
from trtbuild.core.protocol import Protocol
from trtbuild.timing.base import Setting, TimedModel
from trtbuild.timing.clock import quiet_collector, time_calls
from trtbuild.timing.contrasts import compare_paired
from trtbuild.timing.onnx_runtime import OnnxRuntime
from trtbuild.timing.rounds import Lane, run_rounds

MODEL = """
g (float[n,32,40,40] x) => (float[n,32,40,40] y) {
  a = Conv <pads: ints = [1, 1, 1, 1]> (x, w)  b = Relu(a)
  c = Conv <pads: ints = [1, 1, 1, 1]> (b, w)  y = Relu(c)
}
"""
MS = 0.2
"""What a call of the waiting models takes."""


class ByHand:
    """The plain loop, as a lane: `session.run`, and nothing else."""

    has_transfers = has_events = False

    def __init__(self, session, feed):
        self._session, self._feed = session, feed

    def call(self):
        self._session.run(None, self._feed)


class Waiting(Spinning):
    """Keeps a processor busy until its own thread has had so much of it, whatever others take."""

    def call(self):
        end = time.thread_time_ns() + self.ms * 1e6
        while time.thread_time_ns() < end:
            pass


def compare_with_loop(protocol):
    """Time one model by the harness and by hand; return the contrast and the share apart."""
    import onnxruntime as ort

    weights = {"w": np.random.default_rng(0).normal(0, 0.1, (32, 32, 3, 3)).astype(np.float32)}
    feed = {"x": np.ones((1, 32, 40, 40), np.float32)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.onnx"
        onnx.save(model_of(MODEL, weights), path)
        ours = OnnxRuntime(kind="onnx_runtime").open(
            TimedModel("m", "onnx", path), Setting(threads=1)
        )
        ours.feed(feed)
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        theirs = ByHand(ort.InferenceSession(path, options), feed)
        lanes = [Lane("harness", ours), Lane("by hand", theirs)]
        run_rounds(lanes, protocol)
    mine, other = ([statistics.median(block) for block in lane.host] for lane in lanes)
    return compare_paired("harness", "by hand", {"x": (1,)}, mine, other), np.median(mine) / 1e6


def measure_overhead(calls=200_000):
    """Return the median cost of a call of nothing, in µs: by its own clock, and from outside."""

    def nothing():
        pass

    with quiet_collector():
        time_calls(nothing, 1000)
        begin = time.perf_counter_ns()
        times = time_calls(nothing, calls)
        whole = (time.perf_counter_ns() - begin) / calls
    return statistics.median(times) / 1e3, whole / 1e3


def find_planted(factor, protocol):
    """Return what is found of a model that waits so many times as long as another."""
    lanes = [Lane("a", Waiting(MS)), Lane("b", Waiting(MS * factor))]
    for lane in lanes:
        lane.runner.feed({})
    run_rounds(lanes, protocol)
    one, other = ([statistics.median(block) for block in lane.host] for lane in lanes)
    return compare_paired("b", "a", {"x": (1,)}, other, one)


def main():
    """Measure, and say what came of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=2.0)
    asked = parser.parse_args()
    protocol = Protocol(seconds=asked.seconds, warmup_seconds=1.0)
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    found, each = compare_with_loop(protocol)
    print(
        f"1. harness over loop by hand: {1 / found.ratio - 1:+.2%} of {each:.3f} ms "
        f"({1 / found.high - 1:+.2%} to {1 / found.low - 1:+.2%}): {found.found}"
    )
    inner, whole = measure_overhead()
    print(f"2. a call of nothing: {inner:.2f} µs by its own clock, {whole:.2f} µs in all")
    for factor, word in ((1.05, "slower"), (1.0, "no difference found")):
        told = [find_planted(factor, protocol) for _ in range(asked.runs)]
        hits = sum(contrast.found == word for contrast in told)
        ratios = sorted(1 / contrast.ratio for contrast in told)
        print(
            f"3. {factor - 1:.0%} planted: {word} in {hits} of {len(told)}; measured "
            f"{ratios[0] - 1:+.2%} to {ratios[-1] - 1:+.2%}"
        )


if __name__ == "__main__":
    main()
