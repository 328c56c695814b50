"""How fast it is, on a page and as files."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from tests.helpers.records import good
from tests.helpers.speed import bench_result
from trtbuild.core.accuracy import Accuracy
from trtbuild.core.comparison import Comparison, Measure
from trtbuild.core.placed import BENCH_FILES
from trtbuild.core.timing import SpeedVerdict
from trtbuild.report.blocks import PlotRow
from trtbuild.report.html import render_page
from trtbuild.report.markdown import render_markdown_page
from trtbuild.report.speed import _list_plots, draw_files, make_bench_page, make_speed_section


def test_a_page_says_all_of_it(golden):
    """Doubts and gates first, then plots, tables, and what was not run."""
    gates = (
        SpeedVerdict(gate="int8: p50_ms ≤ 2", variant="int8/x", passed=True, found="1 ms"),
        SpeedVerdict(gate="int8: p50_ms ≤ 0.5", variant="int8/x", passed=False, found="1 ms"),
        SpeedVerdict(
            gate="half: p50_ms ≤ 1", variant="half", passed=False, judged=False, remark="no"
        ),
    )
    page = make_bench_page(bench_result().model_copy(update={"verdicts": gates}))

    golden("bench/page.md", render_markdown_page(page))
    assert 4 == render_page(page).count("<figure>")


def test_plots_are_files_of_their_own():
    """Well formed, each with its colours, and a line a variant."""
    found = draw_files(bench_result())

    assert {"latency.svg", "throughput.svg", "memory.svg", "size.svg"} == set(found)
    assert {f"bench-{each}" for each in found} < set(BENCH_FILES)
    for text in found.values():
        root = ET.fromstring(text)  # noqa: S314  # it is ours
        assert "{http://www.w3.org/2000/svg}svg" == root.tag
        assert ".s0{" in text


def test_accuracy_is_set_against_latency():
    """By the first figure that both sides have; where there is none, the plot is left out."""
    top1 = Measure(metric="top1", output="", value=0.9, reference=0.95, unit="share", own=True)
    comparison = Comparison(
        reference="FP32 model", candidate="INT8 model", runner="r", samples=8, labelled=True,
        measures=(top1,), verdicts=(),
    )  # fmt: skip
    record = good().model_copy(update={"bench": bench_result(), "comparison": comparison})
    blocks = make_speed_section(record).blocks
    figures = next(each for each in blocks if isinstance(each, PlotRow)).items

    assert "top1 against latency at x 1×3" == figures[-1].plot.title
    assert [95.0, 90.0] == [points[0].y for _, points in figures[-1].plot.series]
    assert make_speed_section(good()) is None


def test_a_bench_that_knows_how_right_its_models_are_draws_it_itself():
    """Of engines, too; with the ends of its interval, in percent."""
    known = tuple(
        Accuracy(model=model, metric="top1", output="y", unit="share", value=value,
                 low=value - 0.01, high=value + 0.01, measured_by="ONNX Runtime")
        for model, value in (("fp32", 0.95), ("int8", 0.9))
    )  # fmt: skip
    found = bench_result().model_copy(update={"accuracy": known})
    plots = dict(_list_plots(found, None))

    assert "accuracy.svg" in draw_files(found)
    (point,) = plots["accuracy"].series[1][1]
    assert (90.0, 89.0, 91.0) == tuple(round(each, 6) for each in (point.y, point.low, point.high))
