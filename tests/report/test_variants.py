"""The variants of a recipe side by side."""

from __future__ import annotations

from dataclasses import replace

from tests.helpers.records import failing_gate, good, layer, target, words
from tests.helpers.speed import bench_result
from trtbuild.core.records import PlacedFile
from trtbuild.core.timing import NotRun
from trtbuild.core.variants import VariantResult
from trtbuild.report.blocks import Bullets, TableBlock
from trtbuild.report.html import render_page
from trtbuild.report.variants import make_variants_page


def plain(size):
    """FP32: two layers, an engine and a model of so many bytes."""
    floats = tuple(layer(name, "fp32").model_copy(update={"asked": "fp32"}) for name in ("a", "b"))
    engine = target(floats).model_copy(update={"engine_size_bytes": size})
    files = (PlacedFile(path="model.fp32.onnx", size_bytes=4000),)
    return good(recipe="net.fp32", targets=(engine,), files=files, comparison=None)


def small(size):
    engine = target().model_copy(update={"engine_size_bytes": size})
    files = (
        PlacedFile(path="model.int8.onnx", size_bytes=600),
        PlacedFile(path="model.int8.weights", size_bytes=400),
        PlacedFile(path="model.fp32.onnx", size_bytes=4000),
    )
    return good(recipe="net.int8", targets=(engine,), files=files)


def blocks(*variants):
    (section,) = make_variants_page("net", variants).sections
    return section.blocks


def test_a_row_has_the_figures_the_types_and_the_sizes():
    """Sizes beside FP32's: 1000 of 4000 bytes, 2 MiB of 8 MiB."""
    figures, sizes, *_ = blocks(
        VariantResult("fp32", "built", plain(8 << 20)),
        VariantResult("int8", "built", small(2 << 20)),
    )

    assert isinstance(figures, TableBlock)
    assert isinstance(sizes, TableBlock)
    at = figures.head.index("top1_agreement of logits")
    assert ["int8", "built"] == [words(cell) for cell in figures.rows[1][:2]]
    assert "98.75 %" == words(figures.rows[1][at])
    fp32, int8 = ([words(cell) for cell in row] for row in sizes.rows)
    assert ["fp32", "3.9 KiB", "8.0 MiB (2 fp32)"] == fp32
    assert ["int8", "1000 B (0.25 × fp32)"] == int8[:2]
    assert int8[2].startswith("2.0 MiB (0.25 × fp32) (")


def test_a_smaller_type_with_a_larger_engine_is_told():
    """In words, below the table."""
    told = [
        words(item)
        for block in blocks(
            VariantResult("fp32", "built", plain(1 << 20)),
            VariantResult("int8", "built", small(2 << 20)),
        )
        if isinstance(block, Bullets)
        for item in block.items
    ]

    assert "The engine of int8 for rtx is larger than that of fp32: 2.0 MiB to 1.0 MiB." in told, (
        told
    )


def test_what_failed_says_why_and_leaves_the_others():
    """Its row has no figures; nothing is held against what is not there."""
    gate = VariantResult("strict", "gate failed", failing_gate())
    found = blocks(VariantResult("fp8", "failed", message="import_model: broken"), gate)
    page = render_page(make_variants_page("net", [gate]))

    assert "fp8: import_model: broken" == words(found[2].items[0])
    assert ["fp8", "failed", "–"] == [words(cell) for cell in found[0].rows[0][:3]]
    assert "gate failed" in page


def test_each_has_the_time_of_its_own_model():
    """Not that of another that was timed beside it; its engines' where one ran."""
    times = bench_result(fp32=2.0, int8=3.0)
    record = small(1).model_copy(update={"bench": times})
    gone = VariantResult("int8", "gate failed", record, folder="net.int8/failed")
    figures, *_, last = blocks(gone)
    engine = bench_result(rtx=4.0)
    (run, *_) = blocks(replace(gone, record=record.model_copy(update={"bench": engine})))

    half = times.model_copy(
        update={
            "variants": times.variants[:1],
            "rows": [row for row in times.rows if row.variant.startswith("fp32")],
            "not_run": (NotRun(name="half/onnxruntime-cpu", reason="it would say nothing"),),
        }
    )
    (none, *_) = blocks(replace(gone, record=record.model_copy(update={"bench": half})))

    assert isinstance(figures, TableBlock)
    assert isinstance(run, TableBlock)
    assert isinstance(none, TableBlock)
    assert "p50" == words(figures.head[-1])
    assert "p50" not in map(words, none.head)
    assert "3 ms (int8/onnxruntime-cpu, x 1×3)" == words(figures.rows[0][-1])
    assert "4 ms (rtx/onnxruntime-cpu, x 1×3)" == words(run.rows[0][-1])
    assert isinstance(last, Bullets)
    assert ["../net.int8/failed/report.md"] == [words(item) for item in last.items]
