"""What a search left in the build directory."""

from __future__ import annotations

import pytest

from tests.helpers.records import tuning
from trtbuild.verbs.tuned import read_tuning


def trial(**changes):
    return (*tuning().trials[:1], tuning().trials[1].model_copy(update=changes))


def test_what_a_search_left_is_read(tmp_path):
    """For the recipe that it was made for."""
    (tmp_path / "tune.json").write_text(tuning().model_dump_json())

    assert tuning() == read_tuning(tmp_path, "digits-int8")
    assert read_tuning(tmp_path, "another") is None
    assert read_tuning(tmp_path / "elsewhere", "digits-int8") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[" * 100_000,
        tuning().model_copy(update={"best": 9}).model_dump_json(),
        tuning().model_copy(update={"best": -1}).model_dump_json(),
        tuning().model_copy(update={"trials": trial(of=1)}).model_dump_json(),
        tuning().model_copy(update={"trials": trial(int8_share=2.0)}).model_dump_json(),
        tuning().model_copy(update={"trials": trial(size_bytes=-1)}).model_dump_json(),
        tuning().model_copy(update={"trials": trial(sqnr_db=-1e308)}).model_dump_json(),
        tuning().model_copy(update={"patch": "x" * (5 << 20)}).model_dump_json(),
    ],
    ids=range(10),
)
def test_a_file_that_makes_no_sense_is_none(tmp_path, text):
    """Whoever wrote it: a report is made all the same."""
    (tmp_path / "tune.json").write_text(text)

    assert read_tuning(tmp_path, "digits-int8") is None
