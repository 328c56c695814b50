"""A recipe's models, timed: what is built for it, what is kept."""

from __future__ import annotations

from trtbuild.core.protocol import Protocol
from trtbuild.recipe.load import load_recipe
from trtbuild.run.executor import QuietListener
from trtbuild.run.inline import Inline
from trtbuild.store.benches import list_benches
from trtbuild.verbs.benching.recipe import bench_recipe
from trtbuild.verbs.benching.request import BenchRequest

FAST = Protocol(iterations=16, rounds=8, warmup_seconds=0.0)


class Heard(QuietListener):
    def __init__(self):
        self.steps = []

    def started(self, name):
        self.steps.append(name)


def test_it_is_built_once_and_measured_each_time(tiny, store, tmp_path):
    """No engine is built for it; the store keeps what was measured by time."""
    heard = [Heard(), Heard()]
    found = [
        bench_recipe(
            load_recipe(tiny),
            store,
            executor=Inline(),
            directory=tmp_path / "build",
            request=BenchRequest(protocol=FAST),
            listener=each,
        )
        for each in heard
    ]

    starts = ["start(fp32/onnxruntime-cpu)", "start(int8/onnxruntime-cpu)"]
    assert ["import_model", "fix_graph", "quantize", "time", *starts] == heard[0].steps
    assert ["time", *starts] == heard[1].steps
    kept = list_benches(store, "tiny")
    assert [each.result.when for each in found] == [each.when for each in kept]
    assert {"fp32", "int8"} == {each.model for each in kept[0].variants}
