"""Models timed side by side, in one process."""

from __future__ import annotations

import onnx
import pytest

from tests.helpers.models import model_of
from trtbuild.core.digest import digest_of_file
from trtbuild.core.protocol import Protocol
from trtbuild.core.timing import ColdStart
from trtbuild.steps.base import Context, Pinned, QuietEvents
from trtbuild.steps.time_runners import MeasuredSpeed, TimeRunners
from trtbuild.steps.time_start import TimeStart
from trtbuild.steps.timed_subjects import TimedSubject, Timings
from trtbuild.timing.onnx_runtime import OnnxRuntime

FAST = Protocol(iterations=16, rounds=8, warmup_seconds=0.0)
CPU = OnnxRuntime(kind="onnx_runtime")


class Told(QuietEvents):
    def __init__(self):
        super().__init__()
        self.rounds = []

    def progress(self, done, total, unit):
        self.rounds.append((done, total, unit))


@pytest.fixture
def subject(tmp_path):
    def made(name, text):
        path = tmp_path / f"{name}.onnx"
        onnx.save(model_of(text), path)
        return TimedSubject(name=name, model=Pinned(path=str(path), digest=digest_of_file(path)))

    return made


@pytest.fixture
def context(tmp_path):
    (tmp_path / "out").mkdir()
    return Context(inputs={}, out=tmp_path / "out", events=Told())


DOUBLE = "g (float[n,2] x) => (float[n,2] y) { y = Add(x, x) }"
OTHER = "g (float[n,3] x) => (float[n,3] y) { y = Add(x, x) }"


def test_what_does_not_take_the_shapes_is_named_and_the_rest_goes_on(subject, context):
    """Rows by shapes, in order; progress over all rounds."""
    step = TimeRunners(
        subjects=(subject("double", DOUBLE), subject("other", OTHER)),
        runners=(CPU,),
        timings=Timings(protocol=FAST, shapes=({"x": (1, 2)}, {"x": (4, 2)})),
    )
    step.run(context)
    found = MeasuredSpeed.read_json((context.out / "speed.json").read_bytes(), what="it")

    assert [("double/onnxruntime-cpu", 1), ("double/onnxruntime-cpu", 4)] == [
        (row.variant, row.batch) for row in found.rows
    ]
    assert 2 == len(found.not_run)
    assert "does not fit" in found.not_run[0].reason
    assert (16, 16, "rounds") == context.events.rounds[-1]
    assert "FP32" == found.variants[0].precision
    assert "load average" in found.machine.state


def test_several_callers_at_once_are_measured(subject, context):
    """As many as are asked for; of one, the row itself tells."""
    step = TimeRunners(
        subjects=(subject("double", DOUBLE),),
        runners=(CPU,),
        timings=Timings(
            protocol=FAST.model_copy(update={"streams": (1, 3)}), shapes=({"x": (4, 2)},)
        ),
    )
    step.run(context)
    ((rate,),) = (
        row.streams
        for row in MeasuredSpeed.read_json((context.out / "speed.json").read_bytes(), what="").rows
    )

    assert 3 == rate.streams
    assert rate.per_second > 0
    assert rate.p99_ms >= rate.p50_ms > 0


def test_it_has_a_process_and_an_engine_a_gpu_of_its_own():
    """Company would spoil the times."""
    timings = Timings(protocol=FAST, shapes=())
    plain = TimeRunners(subjects=(), runners=(), timings=timings)
    engines = plain.model_copy(update={"flavour": "tensorrt11"})

    assert plain.needs().own_process
    assert plain.needs().gpu is None
    assert engines.needs().gpu.alone


def test_a_start_has_its_parts(subject, context):
    """Library, model, first call, first call at another shape, and memory where it is told."""
    step = TimeStart(
        subject=subject("double", DOUBLE),
        runner=CPU,
        timings=Timings(protocol=FAST, shapes=({"x": (1, 2)}, {"x": (1 << 22, 2)})),
    )
    step.run(context)
    found = ColdStart.read_json((context.out / "start.json").read_bytes(), what="it")

    assert min(found.load_ms, found.first_call_ms, *found.changed_ms) > 0
    assert 1 == len(found.changed_ms)
    # 32 MiB of input and as much of output: of so much at once nothing lies in memory that it had.
    assert found.host_peak_bytes is None or found.host_peak_bytes >= 32 << 20
    assert found.device_peak_bytes is None
