from __future__ import annotations

import pytest

from tests.helpers.quant import seeded
from trtbuild.core.errors import RangeFileError
from trtbuild.core.values import Ranges
from trtbuild.steps.base import Context, Pinned, Ref
from trtbuild.steps.import_ranges import ImportRanges

MODEL = """g (float[N,4] x) => (float[N,2] y) {
    [one] a = MatMul(x, w)  r = Relu(a)  [two] y = MatMul(r, v)
}"""
CACHE = b"""TRT-8601-EntropyCalibration2
x: 41800000
a: 3c010204
r: 0
(Unnamed Layer* 3) [Shuffle]_output: 3c010204
"""


def run(folder, data, **options):
    folder.mkdir()
    (folder / "in.onnx").write_bytes(seeded(MODEL, w=(4, 4), v=(4, 2)).SerializeToString())
    (folder / "old.cache").write_bytes(data)
    out = folder / "out"
    out.mkdir()
    context = Context(inputs={"fix_graph/model": folder / "in.onnx"}, out=out)
    step = ImportRanges(
        model=Ref(step="fix_graph", output="model"),
        table=Pinned(path=str(folder / "old.cache"), digest="sha256:aa"),
        **options,
    )
    ImportRanges.model_validate_json(step.model_dump_json()).run(context)
    return (out / "ranges.json").read_bytes(), context.events.notes


def test_the_models_tensors_get_their_ranges(tmp_path):
    """And the rest is told: coverage, gaps, unknown names, scales that say nothing or too much."""
    data, notes = run(tmp_path / "here", CACHE, values="scale")

    table = Ranges.model_validate_json(data).tensors
    assert {"x": 16 * 127.0, "a": 1.0, "r": 0.0} == pytest.approx(
        {name: each.limit for name, each in table.items()}
    )
    assert {"imported"} == {each.origin for each in table.values()}
    assert [
        "covers 1 of the 2 tensors that INT8 needs (50.00 %)",
        "without a range: `r`",
        "1 of its 4 names are not in the model: `(Unnamed Layer* 3) [Shuffle]_output`",
        "1 of which it says nothing (0, infinity or no number): `r`",
        "the input `x` has the scale 16, a range of ±2.03e+03: is that so?",
    ] == [note.removeprefix("TensorRT 8.6.1 cache (EntropyCalibration2): ") for note in notes]


@pytest.mark.parametrize("wish", [{"skip": ("two",)}, {"precision": {"two": "fp32"}}])
def test_a_layer_that_stays_float_needs_no_range(tmp_path, wish):
    """What the recipe keeps out of INT8 counts for no gap."""
    _, notes = run(tmp_path / "here", CACHE, values="scale", **wish)

    assert notes[0].endswith("covers 1 of the 1 tensors that INT8 needs (100.00 %)")
    assert not any("without a range" in note for note in notes)


def test_equal_files_give_equal_bytes(tmp_path):
    """Whatever order their lines are in."""
    first, _ = run(tmp_path / "here", CACHE)
    header, *lines = CACHE.splitlines(keepends=True)
    second, _ = run(tmp_path / "there", b"".join([header, *reversed(lines)]))

    assert first == second


def test_inverse_scales_are_read_as_such_when_told_so(tmp_path):
    """127 / 127 is a limit of 1."""
    data, _ = run(
        tmp_path / "here", b"TRT-8601-EntropyCalibration2\nx: 42fe0000\n", values="inverse"
    )

    assert 1.0 == Ranges.model_validate_json(data).tensors["x"].limit


def test_what_is_no_table_is_refused(tmp_path):
    """By the name of the file."""
    with pytest.raises(RangeFileError, match=r"old\.cache: line 2"):
        run(tmp_path / "here", b"TRT-8601-EntropyCalibration2\nx: 1.5\n")
