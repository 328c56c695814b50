"""Hugging Face datasets on disk."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from tests.helpers import media
from tests.helpers.sources import picture, source_of
from trtbuild.core.errors import MissingDependency, MissingFile, StepInputError


def datasets(extra="", path="data", columns='{"x": "x"}'):
    return source_of(f'{{"kind": "datasets", "path": "{path}", "columns": {columns}{extra}}}')


def read(source, folder):
    return list(source.samples(source.find_files(folder)))


def test_what_save_to_disk_has_written_is_read(tmp_path):
    """All its files, in their order; numbers as int64 and float32, labels with their names."""
    columns = {"x": [[1, 2], [3, 4], [5, 6]], "y": [[0.5], [1.5], [2.5]], "label": [2, 0, 1]}
    media.saved_dataset(tmp_path / "data", names=["a", "b", "c"], **columns)
    source = datasets(', "labels": "label"', columns='{"i": "x", "f": "y"}')

    found = read(source, tmp_path)

    assert [[1, 2], [3, 4], [5, 6]] == [each.arrays["i"].tolist() for each in found]
    assert [2, 0, 1] == [each.label for each in found]
    assert ("float32", "int64") == tuple(found[0].arrays[key].dtype.name for key in ("f", "i"))
    assert "data-00001-of-00002.arrow[1]" == found[2].name
    assert ("a", "b", "c") == source.find_class_names(tmp_path)


def test_splits_are_chosen(tmp_path):
    """Of those that were saved together, one."""
    for name in ("train", "test"):
        media.saved_dataset(tmp_path / "data" / name, x=[1, 2, 3] if name == "train" else [7, 8])
    (tmp_path / "data/dataset_dict.json").write_text(json.dumps({"splits": ["train", "test"]}))

    assert [7, 8] == [int(s.arrays["x"]) for s in read(datasets(', "split": "test"'), tmp_path)]
    with pytest.raises(StepInputError, match="data: holds several splits") as caught:
        datasets().find_files(tmp_path)
    assert "train, test" in caught.value.hint
    with pytest.raises(StepInputError, match="data: has no split `val`"):
        datasets(', "split": "val"').find_files(tmp_path)
    with pytest.raises(StepInputError, match="train: has no splits"):
        datasets(', "split": "val"', "data/train").find_files(tmp_path)


def test_parquet_files_follow_each_other(tmp_path):
    """A count is spread over all rows of all files."""
    media.parquet(tmp_path / "b.parquet", x=[5, 6, 7, 8, 9])
    media.parquet(tmp_path / "a.parquet", x=[1, 2, 3, 4])

    found = read(datasets(', "count": 3', "*.parquet"), tmp_path)

    assert [("a.parquet[0]", 1), ("a.parquet[3]", 4), ("b.parquet[2]", 7)] == [
        (each.name, int(each.arrays["x"])) for each in found
    ]


def test_pictures_are_preprocessed(tmp_path):
    """Their bytes as `Image()` saves them, or alone; or numbers from 0 to 255 in rows."""
    data = picture(tmp_path / "a.png", 51, size=(3, 2)).read_bytes()
    rows = np.full((2, 3, 3), 51).tolist()
    asked = ', "preprocess": {"color": "gray", "layout": "hwc"}'
    media.parquet(tmp_path / "a.parquet", x=[{"bytes": data, "path": None}], b=[data], r=[rows])

    source = datasets(asked, "a.parquet", '{"x": "x", "b": "b", "r": "r"}')
    (sample,) = read(source, tmp_path)

    wanted = np.full((2, 3, 1), np.float32(0.2)).tolist()
    assert [wanted] * 3 == [sample.arrays[key].tolist() for key in "xbr"]
    assert ("numpy", "pillow", "pyarrow") == source.fact_names()


@pytest.mark.parametrize(
    ("values", "extra", "told"),
    [
        ([1, 2], ', "count": 3', "a.parquet: holds 2 rows, and `count` asks for 3"),
        ([1, 2], ', "labels": "y"', "a.parquet: has no column `y`"),
        (["a"], "", r"a.parquet\[0\]: `x`: holds str, no numbers"),
        ([[[1], [2, 3]]], "", r"a.parquet\[0\]: `x`: holds list, no numbers of one shape"),
        ([{"bytes": None, "path": "a.png"}], "", "holds the path of a picture, and not its bytes"),
        ([b"x"], "", "holds a picture"),
        ([b"x"], ', "preprocess": {}', r"a.parquet\[0\]: `x`: is not a picture"),
        ([None], "", "holds NoneType"),
    ],
)
def test_rows_that_give_no_sample_are_named(tmp_path, values, extra, told):
    """With the column, and those that there are."""
    media.parquet(tmp_path / "a.parquet", x=values)

    with pytest.raises(StepInputError, match=told):
        read(datasets(extra, "a.parquet"), tmp_path)


def test_files_that_are_none_are_named(tmp_path):
    """Damaged, no Arrow at all, or named and not there."""
    whole = media.parquet(tmp_path / "a.parquet", x=[1] * 50).read_bytes()
    for data in (b"no table", b"", whole[:30], b"ARROW1 torn", b"PAR1"):
        (tmp_path / "a.parquet").write_bytes(data)
        with pytest.raises(StepInputError, match=r"a\.parquet: is no Arrow or Parquet file"):
            read(datasets("", "a.parquet"), tmp_path)
    media.saved_dataset(tmp_path / "data", x=[1, 2])
    (tmp_path / "data/data-00001-of-00002.arrow").unlink()
    with pytest.raises(MissingFile, match=r"data-00001-of-00002.arrow: no such file"):
        datasets().find_files(tmp_path)
    (tmp_path / "data/state.json").write_text("[")
    with pytest.raises(StepInputError, match=r"state\.json: is not JSON"):
        datasets().find_files(tmp_path)
    (tmp_path / "data/state.json").write_text('{"_indices_data_files": [1]}')
    with pytest.raises(StepInputError, match="a choice from other rows"):
        datasets().find_files(tmp_path)


def test_a_missing_library_is_said(tmp_path, monkeypatch):
    """With the command that brings it."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(MissingDependency, match="`pyarrow` is not installed") as caught:
        datasets().samples([tmp_path / "a.parquet"])
    assert "pip install 'trtbuild[datasets]'" == caught.value.hint
