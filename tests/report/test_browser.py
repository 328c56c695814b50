"""Pages as a browser shows them: on a phone and on a desk, in light and in dark."""

from __future__ import annotations

import pytest

from tests.helpers.browser import Browser, find_browser
from tests.helpers.records import costly, good, layer, target
from tests.helpers.speed import LOADED, TAKEN_APART, bench_result
from trtbuild.core.values import Range
from trtbuild.report.html import render_html

pytestmark = pytest.mark.skipif(find_browser() is None, reason="no Chromium is installed")

OPEN = "document.querySelectorAll('details').forEach(each => each.open = true)"
WIDTHS, SCHEMES = (390, 1280), ("light", "dark")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """A browser for all tests: it takes a second to start."""
    found = Browser(find_browser(), tmp_path_factory.mktemp("profile"))
    try:
        found.start()
        yield found
    finally:
        found.close()


def endless():
    """A record whose names never end and have no place to break."""
    name = "a" * 400
    ranges = {name: Range(low=-1.0, high=1.0, origin="manual")}
    layers = (layer(name, "fp32", name), layer(f"/{'b/' * 200}Conv"))
    return good(recipe=name, targets=(target(layers),), ranges=ranges, warnings=(name, name[:-1]))


def measured():
    """A record of a bench with layers, and requests that came at a rate."""
    rows = tuple(
        row.model_copy(update={"variant": f"{'v' * 60}{row.variant}"}) for row in LOADED.rows
    )
    more = {"load": LOADED.model_copy(update={"rows": rows}), "layers": TAKEN_APART}
    return good(bench=bench_result().model_copy(update=more))


@pytest.mark.parametrize("record", [costly, endless, measured])
def test_a_page_fits_its_window_and_the_console_stays_empty(browser, tmp_path, record):
    """Whether wide or narrow, light or dark, with all that is folded unfolded."""
    page = tmp_path / "report.html"
    page.write_text(render_html(record()))
    backs = set()

    for width in WIDTHS:
        for scheme in SCHEMES:
            browser.show(page, width=width, scheme=scheme)
            browser.evaluate(OPEN)
            assert width >= browser.evaluate("document.documentElement.scrollWidth")
            assert [] == browser.complaints
            backs.add(browser.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(SCHEMES) == len(backs)


def test_plots_are_seen_and_told(browser, tmp_path):
    """Each has a size, a role, and words for who cannot see it; none is wider than its place."""
    page = tmp_path / "report.html"
    page.write_text(render_html(costly()))
    browser.show(page, width=390, scheme="light")
    found = browser.evaluate(
        "[...document.querySelectorAll('svg[role=img]')].map(each => ["
        "each.querySelector('title').textContent, each.getBoundingClientRect().width,"
        "each.parentElement.clientWidth])"
    )

    assert 3 == len(found)
    assert [] == [title for title, width, place in found if not (title and 200 < width <= place)]


def test_the_browser_tells_what_is_wrong(browser, tmp_path):
    """What is too wide is measured as such, and an error reaches the console."""
    page = tmp_path / "wrong.html"
    page.write_text("<p style='width: 500px'>wide<script>throw new Error('lost')</script>")
    browser.show(page, width=390, scheme="light")

    assert 500 <= browser.evaluate("document.documentElement.scrollWidth")
    assert "lost" in str(browser.complaints)
