"""How two results of a bench differ, as Markdown."""

from __future__ import annotations

from tests.helpers.speed import bench_result
from trtbuild.report.bench_diff import make_bench_diff_page
from trtbuild.report.markdown import render_markdown_page
from trtbuild.verbs.benching.compare import compare_benches


def test_a_table_says_what_moved():
    """The verdict first; what is gone or new, and notes."""
    before, after = bench_result(gone=3.0), bench_result(int8=2.0)
    page = make_bench_diff_page(compare_benches(before, after, names=("a.json", "b.json")))
    text = render_markdown_page(page)

    assert text.startswith("# Speed: a.json → b.json\n\n## 2 of 4 slower")
    assert "| `int8/onnxruntime-cpu` | x 1×3 | **slower** | 0.5× (" in text
    assert "| `fp32/onnxruntime-cpu` | x 8×3 | no difference found | 1× (" in text
    assert "- gone: gone/onnxruntime-cpu at x 1×3" in text


def test_nothing_moved_is_said():
    """In its heading."""
    same = compare_benches(bench_result(), bench_result(), names=("a", "b"))

    assert "## No time moved beyond noise" in render_markdown_page(make_bench_diff_page(same))
