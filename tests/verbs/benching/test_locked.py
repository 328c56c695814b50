"""Speed in a lock."""

from __future__ import annotations

from types import SimpleNamespace

from tests.helpers.speed import bench_result
from trtbuild.plan.lock import Lock, find_lock, write_lock
from trtbuild.store.benches import keep_bench
from trtbuild.verbs.benching.locked import find_locked_speed, make_recall


def lock_of(**models):
    return Lock(models=models, recipe={}, sources={}, tools={}, targets={}, measures={})


def test_the_last_bench_of_these_models_is_locked_and_recalled(store, tmp_path):
    """Of other models nothing is; under another protocol or elsewhere it says why not."""
    found = bench_result()
    keep_bench(store, found)
    digests = {each.model: each.model_digest for each in found.variants}
    speed = find_locked_speed(lock_of(**digests), "small", store)
    loaded = SimpleNamespace(file=tmp_path / "r.yaml")
    row = found.rows[1]

    assert 1.0 == speed["int8/onnxruntime-cpu at x 1×3"].p50_ms
    assert {} == find_locked_speed(lock_of(int8="sha256:other"), "small", store)
    assert "there is no lock yet" in make_recall(loaded, found)(row)[1]
    write_lock(find_lock(loaded.file), lock_of(**digests).model_copy(update={"speed": speed}))
    assert (0.99, 1.01) == make_recall(loaded, found)(row)[0]
    others = [
        ({"protocol_digest": "sha256:another"}, "another protocol"),
        ({"machine": found.machine.model_copy(update={"cores": 1})}, "another machine"),
    ]
    for change, why in others:
        assert why in make_recall(loaded, found.model_copy(update=change))(row)[1]
    unknown = row.model_copy(update={"variant": "half/x"})
    assert "no such time yet" in make_recall(loaded, found)(unknown)[1]
