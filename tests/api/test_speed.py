"""Speed from Python."""

from __future__ import annotations

from pathlib import Path

from trtbuild import api


def test_a_bench_leaves_a_result_a_page_and_plots(project):
    """Of the models of a recipe; the next apply shows it in its report."""
    found = api.bench(
        project,
        build_dir="build",
        shapes=["x=2x4"],
        protocol={"iterations": 16, "rounds": 8, "warmup_seconds": 0.0},
        executor="inline",
    )

    assert ["bench.json", "bench.html"] == [each.name for each in found.files][:2]
    assert all((Path("build/tiny") / each.name).is_file() for each in found.files)
    assert ["fp32/onnxruntime-cpu", "int8/onnxruntime-cpu"] == [
        row.variant for row in found.result.rows
    ]
    api.apply(project, build_dir="build", executor="inline")
    assert "<h2>Speed</h2>" in Path("build/tiny/report.html").read_text()
    assert Path("build/tiny/bench.json").is_file()
