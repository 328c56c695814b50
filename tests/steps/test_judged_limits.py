from __future__ import annotations

import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of
from trtbuild.calib.auto import Auto
from trtbuild.calib.histogram import Histogram
from trtbuild.calib.judge import NothingToJudge
from trtbuild.calib.minmax import Minmax
from trtbuild.model.feeds import Feed
from trtbuild.steps import judged_limits
from trtbuild.steps.judged_limits import (
    _find_parts,
    choose_judging,
    choose_repeats,
    search_judged,
    spread_feeds,
)

TEXT = """<ir_version: 8, opset_import: ["": 17]>
    one (float[1, 64] x) => (float[1, 16] y) { y = MatMul (x, w) }"""
AUTO = {"x": Auto(kind="auto")}


def samples(outlier=40.0):
    """Sixty-four values, of which the first is once far above all others."""
    values = np.random.default_rng(0).standard_normal((256, 1, 64)).astype(np.float32)
    values[0, 0, 0] = outlier
    return [Feed((str(i),), {"x": each}) for i, each in enumerate(values)]


def judge(tmp_path, weight_of_first, *, step=32, workers=1, of=AUTO, repeats=1):
    """Judge on a layer that reads the first value with so large a weight."""
    weight = np.random.default_rng(1).standard_normal((64, 16)).astype(np.float32)
    weight[0] = weight_of_first
    path = tmp_path / "model.onnx"
    onnx.save(model_of(TEXT, {"w": weight}), path)
    histogram = Histogram()
    for feed in samples():
        histogram.add(feed.arrays["x"])
    return search_judged(
        path,
        samples()[::step],
        of,
        {"x": histogram},
        folder=tmp_path / "out",
        workers=workers,
        repeats=repeats,
    )


def test_what_no_layer_makes_use_of_is_given_up(tmp_path):
    """The outlier has no weight: each kind that clips it is better than minmax."""
    found = judge(tmp_path, 0.0)

    assert found.choices["x"].limit < 6
    assert "minmax" not in found.choices["x"].kind
    assert 8 == found.samples


def test_what_a_layer_rests_on_is_kept(tmp_path):
    """The same values, but the outlier decides what the layer makes of them."""
    assert ("readers", 40.0) == judge(tmp_path, 3.0, step=256).choices["x"]


@pytest.mark.parametrize("one", [Minmax(kind="minmax"), Auto(kind="auto", samples=0)])
def test_what_others_decide_for_is_left_to_them(one, tmp_path):
    """Such a tensor has its limit in every table, and gets none from the search."""
    found = judge(tmp_path, 0.0, of={"x": one})

    assert {} == found.choices
    assert 1 == len(set(found.found.scores.values()))


@pytest.mark.parametrize(("repeats", "expected"), [(1, 2), (2, 8)])
def test_all_samples_are_read_where_they_are_cheap(repeats, expected, tmp_path, monkeypatch):
    """Of eight; where a sample judges but once it is one in four."""
    read = []

    def find(_prepared, feeds, *_):
        read.append(len(feeds))
        return {}

    monkeypatch.setattr(judged_limits, "_find_readers", find)
    judge(tmp_path, 0.0, repeats=repeats)

    assert [expected] == read


def test_threads_change_nothing(tmp_path):
    """Each sample runs on one."""
    assert judge(tmp_path, 1.0) == judge(tmp_path, 1.0, workers=3)


def test_says_how_all_did(tmp_path):
    """The best first, in dB."""
    found = judge(tmp_path, 0.0)

    scores = found.found.scores
    assert list(scores) == sorted(scores, key=lambda kind: -scores[kind])
    told = found.describe()
    assert told.startswith(f"auto takes {found.found.taken}")
    assert ": by signal over error on 8 samples (dB), " in told
    assert all(name in told for name in scores)


def test_without_quantized_tensors_there_is_nothing_to_judge(tmp_path):
    """A model without weighted layers."""
    path = tmp_path / "model.onnx"
    text = '<ir_version: 8, opset_import: ["": 17]> g (float[1] x) => (float[1] y) { y = Relu (x) }'
    onnx.save(model_of(text), path)

    with pytest.raises(NothingToJudge):
        search_judged(path, [], {}, {}, folder=tmp_path, workers=1)


def test_feeds_are_spread_evenly_and_leave_out_what_is_broken():
    """Of 256 samples 4 are from the middle of each quarter, or none where that is broken."""
    names = [feed.samples for feed in spread_feeds(samples(), 4, 256, frozenset({159}))]

    assert [("31",), ("95",), ("223",)] == names


def test_one_in_eight_judge_but_more_of_small_models():
    """2^24 values cost nothing to speak of; where no tensor has `auto` nothing is judged."""
    large, small = Histogram(counted=False), Histogram(counted=False)
    large.total, small.total = 640 << 26, 64 << 17

    assert 96 == choose_judging(AUTO, {"x": large}, 768)
    assert 32 == choose_judging(AUTO, {"x": large}, 64)
    assert 64 == choose_judging(AUTO, {"x": small}, 64)
    assert 5 == choose_judging({"x": Auto(kind="auto", samples=5)}, {"x": small}, 64)
    assert 0 == choose_judging({"x": Minmax(kind="minmax")}, {"x": small}, 64)


@pytest.mark.parametrize(("values", "repeats"), [(1 << 26, 1), (1 << 20, 2), (1 << 10, 4)])
def test_samples_of_small_models_judge_more_than_once(values, repeats):
    """2^26 values a table, 4 times at most."""
    histogram = Histogram(counted=False)
    histogram.total = 64 * values

    assert repeats == choose_repeats({"x": histogram}, 64, 32)


def test_parts_of_unlike_scale_are_told_apart():
    """Boxes in pixels and scores below 1 of one output, as compare does."""
    values = np.random.default_rng(0).random((1, 32, 6)).astype(np.float32)
    values[..., :4] = values[..., :4] * 300 + 100

    assert [(slice(None), slice(None), slice(0, 4)), (slice(None), slice(None), slice(4, 6))] == [
        tuple(index) for index in _find_parts("y", [values])
    ]
