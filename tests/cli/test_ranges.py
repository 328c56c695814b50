"""trtbuild ranges, as its user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.helpers.projects import edit
from tests.helpers.quant import ranges_of

pytestmark = pytest.mark.usefixtures("steps_here")

CALIBRATION = "  data: calib\n  calibrator: {kind: minmax}\n"
OLD = "TRT-8601-EntropyCalibration2\ninput: 3caa54fc\nb: 3d4ccccd\ng: 3caa54fc\nz|1: 0\n"


@pytest.fixture
def tables(project):
    """Two tables and a cache beside the recipe."""
    Path("a.json").write_text(ranges_of(x=1.0, y=2.0, z=4.0, w=8.0).model_dump_json())
    Path("b.json").write_text(ranges_of(x=1.0, y=3.0, z=1.0, v=8.0).model_dump_json())
    Path("old.cache").write_text(OLD)


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_a_difference_looks_like_this(trtbuild, golden, form):
    """Worst first, with a line that sums it up; exit code 1."""
    answer = trtbuild("ranges", "diff", "a.json", "b.json", "--format", form)

    assert (1, "") == (answer.code, answer.err)
    golden(f"ranges/diff.{form}", answer.out)


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_a_table_looks_like_this(trtbuild, golden, form):
    """Sorted, with limit, scale and origin; exit code 0."""
    answer = trtbuild("ranges", "show", "old.cache", "--format", form)

    assert (0, "") == (answer.code, answer.err)
    golden(f"ranges/show.{form}", answer.out)


@pytest.mark.usefixtures("tables")
def test_equal_tables_are_exit_code_0(trtbuild):
    """Within the tolerance too."""
    assert 0 == trtbuild("ranges", "diff", "a.json", "a.json").code
    Path("c.json").write_text(ranges_of(x=1.01, y=2.0, z=4.0, w=8.0).model_dump_json())
    assert 1 == trtbuild("ranges", "diff", "a.json", "c.json").code
    assert 0 == trtbuild("ranges", "diff", "a.json", "c.json", "--tolerance", "1.1%").code
    answer = trtbuild("ranges", "diff", "a.json", "c.json", "--tolerance", "some")
    assert (2, "`some` is no share" in answer.err) == (answer.code, True)


@pytest.mark.usefixtures("tables")
def test_the_largest_limit_may_stand_first(trtbuild):
    """Instead of the first name."""
    answer = trtbuild("ranges", "show", "a.json", "--sort", "limit")

    rows = [line.split()[0] for line in answer.out.splitlines()[3:7]]
    assert ["w", "z", "y", "x"] == rows


@pytest.mark.usefixtures("tables")
def test_a_cache_comes_in_and_goes_out_bit_for_bit(trtbuild):
    """Import for a model, and export for the same TensorRT: the scales are those of before."""
    answer = trtbuild("ranges", "import", "old.cache", "--model", "model.onnx", "-o", "new.json")
    assert 0 == answer.code, answer.err
    assert "covers 3 of the 3 tensors" in answer.out
    assert "`z|1`" in answer.out

    arguments = ["--format", "tensorrt", "--trt-version", "8.6.1"]
    answer = trtbuild("ranges", "export", "new.json", *arguments)

    header, *lines = OLD.splitlines()
    assert [header, *sorted(line for line in lines if "|" not in line)] == answer.out.splitlines()
    trtbuild("ranges", "export", "new.json", *arguments, "-o", "new.cache")
    assert answer.out == Path("new.cache").read_text()


def test_a_team_moves_without_its_data(project, trtbuild):
    """A cache of an old TensorRT makes engines: no data is captured, nothing is calibrated."""
    Path("old.cache").write_text(OLD)
    edit(project, CALIBRATION, "  calibrator: {kind: cache, path: old.cache}\n")

    answer = trtbuild("apply", "recipe.yaml", "-v")

    assert 0 == answer.code, answer.err
    assert "3 of 3 delivered" in answer.out
    assert "covers 3 of the 3 tensors that INT8 needs (100.00 %)" in answer.out
    assert "capture_data(calib)" not in answer.err
    table = json.loads(Path("build/small/ranges.json").read_text())["tensors"]
    assert {"imported"} == {each["origin"] for each in table.values()}
    assert 0 == trtbuild("ranges", "diff", "recipe.yaml", "build/small").code
    assert "nothing to do" in trtbuild("apply", "recipe.yaml").out


def test_a_build_that_would_fall_back_is_refused(project, trtbuild):
    """At the line, before anything is quantized; with permission it is built, and says so."""
    edit(project, CALIBRATION, "  ranges: {input: 3, b: 4}\n")

    answer = trtbuild("apply", "-q", "recipe.yaml")
    assert 2 == answer.code
    assert "recipe.yaml:10:3: error: 1 of the 3 tensors that INT8 needs have no range: `g`" in (
        answer.err
    )
    assert "no range: `g`, read by" in trtbuild("ranges", "show", "recipe.yaml").out

    edit(project, "b: 4}\n", "b: 4}\n  allow_missing: true\n")
    answer = trtbuild("apply", "-v", "recipe.yaml")
    assert 0 == answer.code, answer.err
    assert "2 of 2 delivered" in answer.out
    assert "stays float: there is no range for `g`" in answer.out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["show", "gone.json"], 4, "gone.json: no such file"),
        (["show", "."], 2, "holds no ranges.json"),
        (["show", "model.onnx"], 2, "is not text"),
        (["show", "recipe.yaml"], 2, "has no ranges yet"),
        (["import", "a.json"], 2, "ranges are for one model"),
        (["import", "a.json", "--model", "m", "--recipe", "r"], 2, "ranges are for one model"),
        (["import", "a.json", "--model", "recipe.yaml"], 2, "is not an ONNX model"),
        (["export", "a.json", "--format", "tensorrt"], 2, "none is given"),
        (["export", "a.json", "--format", "csv"], 2, "csv"),
        (["diff", "a.json"], 2, "AFTER"),
    ],
)
@pytest.mark.usefixtures("tables")
def test_what_cannot_be_done_is_said(trtbuild, arguments, code, message):
    """Without a traceback."""
    answer = trtbuild("ranges", *arguments)

    assert code == answer.code
    assert message in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.usefixtures("tables")
def test_a_cache_of_inverse_scales_is_compared_and_exported_too(trtbuild):
    """42406d3a are the bits of 127 / 2.64, nearly, and 3caa54fc those of 2.64 / 127."""
    header = "TRT-8601-EntropyCalibration2\n"
    Path("inverse.cache").write_text(header + "x: 42406d3a\n")
    Path("plain.cache").write_text(header + "x: 3caa54fc\n")
    found = {
        values: trtbuild(
            "ranges", "diff", "inverse.cache", "plain.cache", "--tolerance=1%", *values
        )
        for values in [
            (),
            ("--values", "inverse", "--values", "auto"),
            ("--values", "scale"),
            ("--values", "auto") * 3,
        ]
    }

    assert [2, 0, 1, 2] == [answer.code for answer in found.values()]
    exported = trtbuild(
        "ranges", "export", "inverse.cache", "--format", "text", "--values", "inverse"
    )
    assert 2.64 == pytest.approx(float(exported.out.removeprefix("x: ")), rel=0.001)
