"""Runners that take as long as they are told, noise as on a busy machine, and results by hand."""

from __future__ import annotations

import time

import numpy as np

from trtbuild.core.layer_times import LayerProfile, LayerProfiles, LayerTime
from trtbuild.core.load import Load, LoadResult, LoadRow
from trtbuild.core.protocol import Protocol, digest_of_protocol
from trtbuild.core.timing import (
    BenchResult,
    ColdStart,
    Machine,
    NotRun,
    SpeedRow,
    Spread,
    TimedVariant,
    TimePercentile,
    WarmUp,
)
from trtbuild.core.values import TensorSpec
from trtbuild.timing.load.arrivals import draw_arrivals
from trtbuild.timing.load.result import Offered, make_row
from trtbuild.timing.load.serving import serve
from trtbuild.verbs.benching.measure import contrast_rows


class Spinning:
    """A model that keeps a processor busy for so long; what it computes is twice its input."""

    has_transfers = False
    has_events = False

    def __init__(self, ms=0.0, log=None, name="spin"):
        self.inputs = (TensorSpec(name="x", dtype="float32", shape=("n", 2)),)
        self.ms, self.log, self.name, self.calls = ms, log, name, 0
        self.arrays = {}

    def feed(self, arrays):
        self.arrays = dict(arrays)
        self.call()

    def call(self):
        self.calls += 1
        if self.log is not None:
            self.log.append(self.name)
        until = time.perf_counter() + self.ms / 1000
        while time.perf_counter() < until:
            pass

    call_whole = call

    def read_events_ms(self):
        return self.ms

    def outputs(self):
        return {"y": 2 * self.arrays["x"]}

    def fork(self):
        return Spinning(self.ms, self.log, self.name)

    def peak_bytes(self):
        return None

    def close(self):
        self.arrays = {}


def busy_blocks(seed, slower=(1.0, 1.0), *, rounds=24, calls=60, ms=2.0):
    """Blocks of times of two models that took turns on a machine that others use.

    Each call has a long tail to the right, now and then one waits for its turn of the processor,
    and the machine as a whole gets slower and faster for seconds: an autoregressive walk that
    meets both alike, since they take turns.
    """
    drawn = np.random.default_rng(seed)
    walk, found = 0.0, ([], [])
    for _ in range(rounds):
        walk = 0.8 * walk + drawn.normal(0, 0.05)
        for side, factor in enumerate(slower):
            own = walk + drawn.normal(0, 0.02)
            times = ms * factor * np.exp(own) * (1 + drawn.gamma(0.5, 0.03, calls))
            times += (drawn.random(calls) < 0.03) * drawn.exponential(8.0, calls)
            found[side].append(times)
    return found


def medians(blocks):
    return [float(np.median(block)) for block in blocks]


def spread(ms: float, *, calls: int = 480) -> Spread:
    """Times around so many ms, in 24 blocks that differ by a thousandth."""
    blocks = tuple(ms * (1 + 0.001 * (place % 3 - 1)) for place in range(24))
    return Spread(
        calls=calls,
        mean=1.05 * ms,
        least=0.9 * ms,
        most=9 * ms,
        p50=TimePercentile(ms=ms, low=0.99 * ms, high=1.01 * ms),
        p90=TimePercentile(ms=1.2 * ms, low=1.1 * ms, high=1.3 * ms),
        p99=TimePercentile(ms=2 * ms, low=1.5 * ms, high=None),
        blocks=blocks,
    )


def speed_row(variant: str, ms: float, batch: int = 1) -> SpeedRow:
    """A variant at a batch size."""
    return SpeedRow(
        variant=variant,
        shapes={"x": (batch, 3)},
        batch=batch,
        inputs="seeded",
        host=spread(ms),
        per_second=batch * 1000 / (1.05 * ms),
        warmup=WarmUp(calls=60, seconds=0.25, stable=True),
    )


def bench_result(**times: float) -> BenchResult:
    """A result of an FP32 and an INT8 model at batches of 1 and 8; `int8=1.0` says how many ms."""
    ms = {"fp32": 2.0, "int8": 1.0, **times}
    rows = tuple(
        speed_row(f"{name}/onnxruntime-cpu", each * batch, batch)
        for batch in (1, 8)
        for name, each in ms.items()
    )
    cold = ColdStart(
        import_ms=120.0, load_ms=60.0, first_call_ms=5.0, changed_ms=(1.0,), host_peak_bytes=9 << 20
    )
    variants = tuple(
        TimedVariant(
            name=f"{name}/onnxruntime-cpu",
            model=name,
            runner="onnxruntime-cpu",
            on="cpu",
            model_digest=f"sha256:{name.encode().hex():0<64}",
            size_bytes=(4 if name == "fp32" else 1) << 20,
            libraries={"onnxruntime": "1.30.0"},
            precision="FP32" if name == "fp32" else "INT8 in 12 of 13 weighted operators",
            cold=cold,
        )
        for name in ms
    )
    return BenchResult(
        name="small",
        when="2030-01-02T03:04:05.000006+00:00",
        protocol=Protocol(),
        protocol_digest=digest_of_protocol(Protocol()),
        machine=Machine(
            processor="A Processor", cores=4, affinity="0-3", memory_bytes=8 << 30, system="Linux 6"
        ),
        variants=variants,
        rows=rows,
        contrasts=tuple(contrast_rows([rows])),
        not_run=(NotRun(name="int8/onnxruntime-cuda", reason="there is no CUDAExecutionProvider"),),
        doubts=("other processes took 30% of the processors' time",),
    )


class VirtualClock:
    """Time that passes only where somebody waits or works."""

    def __init__(self, now):
        self.now = now

    def now_ns(self):
        return self.now

    def wait_until_ns(self, when):
        self.now = max(self.now, when)

    def work(self, ns):
        self.now += ns


def serve_at(asked: Load, call, clock) -> LoadRow:
    """Serve the first rate that is asked for by a call on a clock of its own."""
    due = draw_arrivals(asked, asked.rates[0])
    served = serve(
        due,
        call,
        most=asked.max_batch,
        wait_ns=int(asked.max_wait_ms * 1e6),
        give_up_ns=int(2e9 * asked.seconds),
        clock=clock,
    )
    return make_row(Offered("m/spin", {"x": (1, 3)}, asked.rates[0], due, served), asked)


def bear(rate):
    clock = VirtualClock(0)
    asked = Load(rates=(rate,), arrivals="uniform")
    return serve_at(asked, lambda _: clock.work(20_000_000), clock)


LOADED = LoadResult(
    asked=Load(rates=(10.0, 100.0), arrivals="uniform"),
    sizes=(1,),
    rows=(bear(10.0), bear(100.0)),
    not_run=(NotRun(name="gone/x", reason="it died"),),
)
TAKEN_APART = LayerProfiles(
    profiles=(
        LayerProfile(
            variant="int8/x",
            shapes={"x": (8, 3)},
            calls=20,
            total_ms=4.0,
            layers=(
                LayerTime(
                    name="conv", op="Conv", asked="int8", delivered="fp32", ms=3.0, share=0.75
                ),
                *(LayerTime(name=f"n{n}", op="Add", ms=0.1, share=0.025) for n in range(6)),
            ),
            left_out=2,
            remarks=("`conv` is slow",),
        ),
    ),
    not_run=(NotRun(name="source/torch", reason="it is not taken apart"),),
)
