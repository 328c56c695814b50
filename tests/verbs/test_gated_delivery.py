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

    def placed(*, passed, **options):
        verdict = GateVerdict(gate="cosine ≥ 1", passed=passed, value=None)
        compared = good().comparison.model_copy(update={"verdicts": (verdict,)})
        record = good(comparison=compared, engine_comparisons=())
        pages = {"report.md": lambda page: f"{passed} {page.refused} {page.waived}"}
        return place_results(record, {}, Delivery(directory, pages, whole=True, **options), store)

    return placed


def test_what_fails_is_told_beside_and_goes_when_the_next_passes(place, tmp_path):
    """The page of the build that passed stays, byte for byte."""
    page, beside = tmp_path / "build/report.md", tmp_path / "build/failed/report.md"
    assert () == place(passed=True).record.kept

    refused = place(passed=False)

    assert ("True False False", "False True False") == (page.read_text(), beside.read_text())
    assert (("report.md",), beside.parent) == (refused.record.kept, refused.directory)
    place(passed=True)
    assert not beside.parent.exists()


def test_no_gates_places_it(place, tmp_path):
    """And the page says so."""
    assert place(passed=False, no_gates=True).record.waived
    assert "False False True" == (tmp_path / "build/report.md").read_text()
    assert not (tmp_path / "build/failed").exists()


def test_a_folder_of_that_name_that_is_not_ours_stays(place, tmp_path):
    """Nobody's files are removed for their name."""
    mine = tmp_path / "build/failed/notes.txt"
    mine.parent.mkdir()
    mine.write_text("mine")
    place(passed=True)

    assert "mine" == mine.read_text()
