"""The variants of a recipe, timed in turn: what they are called, and what each is told."""

from __future__ import annotations

from pathlib import Path

from trtbuild.core.protocol import Protocol
from trtbuild.recipe.load import load_recipe
from trtbuild.recipe.variants import expand_variants
from trtbuild.run.executor import QuietListener
from trtbuild.run.inline import Inline
from trtbuild.store.benches import list_benches, read_bench
from trtbuild.verbs.benching.request import BenchRequest
from trtbuild.verbs.benching.variants import are_variants, bench_variants

VARIANTS = """
variants:
  plain: {without: [quantization]}
  small: {bench: {gates: [{variant: small, at_most: 10000}]}}
"""


def test_all_take_turns_and_each_has_its_own(tiny, store, tmp_path):
    """What two share is timed once; the whole goes by the recipe's name, the parts by theirs."""
    tiny.write_text(tiny.read_text() + VARIANTS)
    found = bench_variants(
        [load_recipe(path) for path in expand_variants([tiny])],
        store,
        executor=Inline(),
        build_dir=tmp_path / "build",
        request=BenchRequest(
            protocol=Protocol(iterations=16, rounds=8, warmup_seconds=0.0), cold=False
        ),
        listener=QuietListener(),
    ).result

    names = ["plain/onnxruntime-cpu", "small/onnxruntime-cpu"]
    assert ("tiny", names) == (found.name, [each.name for each in found.variants])
    assert names == [row.variant for row in found.rows[:2]]
    assert {(True, names[1])} == {(each.judged, each.variant) for each in found.verdicts}
    plain, small = (
        read_bench(tmp_path / "build" / f"tiny.{name}" / "bench.json")
        for name in ("plain", "small")
    )
    assert plain is not None
    assert small is not None
    assert ["fp32"] == [each.model for each in plain.variants]
    assert ["fp32", "int8"] == [each.model for each in small.variants]
    assert {"fp32/onnxruntime-cpu", "int8/onnxruntime-cpu"} == {r.variant for r in small.rows}
    assert ("int8/onnxruntime-cpu", "fp32/onnxruntime-cpu") == (
        small.contrasts[0].variant,
        small.contrasts[0].against,
    )
    assert [small] == list(list_benches(store, "tiny.small"))


def test_several_of_one_file_are_variants(tiny):
    """Not one alone, and not other recipes."""
    tiny.write_text(tiny.read_text() + VARIANTS)
    both = expand_variants([tiny])

    assert [True, False, False] == [
        are_variants(each) for each in (both, both[:1], (both[0], Path("other.a.yaml")))
    ]
