"""Where results go: what passed is placed; what did not leaves all as it is."""

from __future__ import annotations

import pytest

from tests.helpers.records import good
from trtbuild.core.records import GateVerdict
from trtbuild.verbs.deliver import prepare_directory
from trtbuild.verbs.gated_delivery import Delivery, place_results


@pytest.fixture
def place(store, tmp_path):
    """Place a page, of a build whose gate passes or not."""
    directory = tmp_path / "build"
    prepare_directory(directory)

    def placed(*, passed, complete=lambda told: told, **options):
        verdict = GateVerdict(gate="cosine ≥ 1", passed=passed, value=None)
        compared = good().comparison.model_copy(update={"verdicts": (verdict,)})
        record = good(comparison=compared, engine_comparisons=())
        pages = {"report.md": lambda page: f"{passed} {page.refused} {page.waived}"}
        delivery = Delivery(directory, pages, complete, whole=True, **options)
        return place_results(record, {}, delivery, store)

    return placed


def test_what_fails_is_told_beside_and_goes_when_the_next_passes(place, tmp_path):
    """The page of the build that passed stays, byte for byte."""
    page, beside = tmp_path / "build/report.md", tmp_path / "build/failed/report.md"
    assert () == place(passed=True).overview.kept

    refused = place(passed=False)

    assert ("True False False", "False True False") == (page.read_text(), beside.read_text())
    assert (("report.md",), beside.parent) == (refused.overview.kept, refused.directory)
    place(passed=True)
    assert not beside.parent.exists()


def test_no_gates_places_it(place, tmp_path):
    """And the page says so."""
    assert place(passed=False, no_gates=True).overview.waived
    assert "False False True" == (tmp_path / "build/report.md").read_text()
    assert not (tmp_path / "build/failed").exists()


def test_a_folder_of_that_name_that_is_not_ours_stays(place, tmp_path):
    """Nobody's files are removed for their name."""
    mine = tmp_path / "build/failed/notes.txt"
    mine.parent.mkdir()
    mine.write_text("mine")
    place(passed=True)

    assert "mine" == mine.read_text()


def test_what_pages_show_is_read_where_one_is_rendered(place, tmp_path):
    """Once for all of them; where nothing has changed, not at all; a basis is a reason to look."""
    made = []
    complete = {"complete": lambda told: made.append(told) or told}
    page = tmp_path / "build/report.md"
    assert ("report.md",) == place(passed=True, **complete).changed
    before = page.stat()

    assert () == place(passed=True, **complete).changed
    assert () == place(passed=True, basis=("another recipe",), **complete).changed

    assert 2 == len(made)
    assert before == page.stat()


def test_a_page_that_was_edited_is_written_again(place, tmp_path):
    """Though it would come out as it is there."""
    page = tmp_path / "build/report.md"
    place(passed=True)
    rendered = page.read_text()
    page.write_text("mine")

    assert ("report.md",) == place(passed=True).changed
    assert rendered == page.read_text()
