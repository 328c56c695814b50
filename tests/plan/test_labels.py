"""Labels that are arrays have a step of their own, where a metric may be held against them."""

from __future__ import annotations

import pytest

from tests.helpers.sources import picture
from tests.plan.test_compile import INT8, RECIPE, steps_of
from trtbuild.core.errors import MissingFile

DATA = """\
data:
  eval: {kind: images, path: photos, labels: {kind: yolo, path: labels}, preprocess: {}}
compare: {data: eval, metrics: METRICS}
"""
DETECTION = "[{kind: detection, layout: {kind: yolov8}}]"


@pytest.fixture
def folder(tmp_path):
    picture(tmp_path / "photos" / "a" / "1.png")
    picture(tmp_path / "photos" / "2.png")
    (tmp_path / "labels" / "a").mkdir(parents=True)
    (tmp_path / "labels" / "a" / "1.txt").write_text("")
    return tmp_path


def test_label_files_are_pinned_by_their_pictures(folder):
    """And the comparison reads what becomes of them; no model runs again for them."""
    steps = steps_of(folder, RECIPE + DATA.replace("METRICS", DETECTION) + INT8)
    made = steps["capture_labels(eval)"]

    assert ("2.png", "a/1.png") == made.pictures
    assert [("a/1.png", str(folder / "labels" / "a" / "1.txt"))] == [
        (each.name, each.file.path) for each in made.files
    ]
    assert "capture_labels(eval)" == steps["compare"].more.labels.step
    assert made.data == steps["infer(reference)"].data


def test_a_description_brings_its_labels(folder):
    """As files of labels beside pictures do; classes in a table need no such step."""
    (folder / "data.yaml").write_text("val: photos\n")
    (folder / "photos/2.txt").write_text("")
    described = DATA.replace(
        "{kind: images, path: photos, labels: {kind: yolo, path: labels}",
        "{kind: yolo, path: data.yaml",
    )

    steps = steps_of(folder, RECIPE + described.replace("METRICS", DETECTION) + INT8)

    (file,) = steps["capture_labels(eval)"].files
    assert ("photos/2.png", str(folder / "photos/2.txt")) == (file.name, file.file.path)
    (folder / "t.csv").write_text("file,label\n1,4\n2,3\n")
    table = DATA.replace("{kind: yolo, path: labels}", "{kind: csv, path: t.csv}")
    steps = steps_of(folder, RECIPE + table.replace("METRICS", "[top1]") + INT8)
    assert "capture_labels(eval)" not in steps
    assert (3, 4) == steps["capture_data(eval)"].labels


def test_without_a_metric_that_reads_them_there_is_no_such_step(folder):
    """Cosine asks for no label."""
    steps = steps_of(folder, RECIPE + DATA.replace("METRICS", "[cosine]") + INT8)

    assert "capture_labels(eval)" not in steps
    assert steps["compare"].more.labels is None


def test_labels_that_are_not_here_are_told(folder):
    """As the plan is made."""
    (folder / "labels" / "a" / "1.txt").unlink()

    with pytest.raises(MissingFile, match="holds no text file of boxes of any picture"):
        steps_of(folder, RECIPE + DATA.replace("METRICS", DETECTION) + INT8)
