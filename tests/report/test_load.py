"""Requests at a rate, on a page and as plots."""

from __future__ import annotations

from tests.helpers.speed import LOADED
from trtbuild.core.placed import BENCH_FILES
from trtbuild.report.blocks import Page, Section
from trtbuild.report.load import list_load_blocks, list_load_plots
from trtbuild.report.markdown import render_markdown_page


def test_a_table_says_who_keeps_up():
    """And what was not run."""
    sections = (Section("S", tuple(list_load_blocks(LOADED))),)
    text = render_markdown_page(Page(title="t", caveats=(), lead=(), sections=sections))

    assert "requests that come evenly for 10 s, one a call" in text
    assert "| `m/spin` | 10.0 | 10.1 | **keeps up** | 20.0 ms |" in text
    assert "**cannot keep up: the queue grows by 50.0 a second**" in text
    assert "gone/x at a rate: not run: it died" in text


def test_latency_is_drawn_where_it_means_something():
    """A queue that grows has no latency but that of how long it has grown; it has a length."""
    plots = dict(list_load_plots(LOADED))

    assert ["m/spin p50", "m/spin p99"] == [name for name, _ in plots["load"].series]
    assert [[10.0], [10.0]] == [[each.x for each in line] for _, line in plots["load"].series]
    assert 2 == len(plots["queue"].series)
    assert {f"bench-{each}.svg" for each in plots} < set(BENCH_FILES)
    assert {} == dict(list_load_plots(LOADED.model_copy(update={"rows": ()})))
