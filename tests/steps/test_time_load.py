"""Requests that come at a rate, put on a model."""

from __future__ import annotations

import onnx

from tests.helpers.models import model_of
from trtbuild.core.digest import digest_of_file
from trtbuild.core.load import Load
from trtbuild.core.protocol import Protocol
from trtbuild.steps.any_step import read_step
from trtbuild.steps.base import Context, Pinned, QuietEvents
from trtbuild.steps.time_load import BatchShapes, MeasuredLoad, TimeLoad
from trtbuild.steps.timed_subjects import TimedSubject, Timings
from trtbuild.timing.onnx_runtime import OnnxRuntime


def test_each_rate_has_its_row(tmp_path):
    """One after the other, of one sample a request; the step is read as it was written."""
    path = tmp_path / "m.onnx"
    onnx.save(model_of("g (float[n,2] x) => (float[n,2] y) { y = Add(x, x) }"), path)
    pinned = Pinned(path=str(path), digest=digest_of_file(path))
    step = TimeLoad(
        subject=TimedSubject(name="m", model=pinned),
        runner=OnnxRuntime(kind="onnx_runtime"),
        timings=Timings(protocol=Protocol(warmup_seconds=0.0), shapes=()),
        load=Load(rates=(100.0, 200.0), arrivals="uniform", seconds=0.1, max_batch=2),
        batches=tuple(BatchShapes(size=n, shapes={"x": (n, 2)}) for n in (1, 2)),
    )
    (tmp_path / "out").mkdir()
    step.run(Context(inputs={}, out=tmp_path / "out", events=QuietEvents()))
    found = MeasuredLoad.read_json((tmp_path / "out/load.json").read_bytes(), what="it")

    assert [(100.0, 10), (200.0, 20)] == [(row.rate, row.requests) for row in found.rows]
    assert {"m/onnxruntime-cpu"} == {row.variant for row in found.rows}
    assert all(row.shapes == {"x": (1, 2)} and 1 <= row.batch <= 2 for row in found.rows)
    assert step == read_step(step.model_dump(mode="json"))
    assert step.needs().own_process
