"""Differences as Markdown for a pull request."""

from __future__ import annotations

import re

import pytest

from trtbuild.plan.difference import Change, Diff, FigureChange, GateChange, ListChange, Loosened
from trtbuild.plan.explain import Reason
from trtbuild.plan.range_diff import MovedRange, RangeDiff
from trtbuild.report.pull_request import render_differences_markdown, render_reasons_markdown

AA, BB = "sha256:" + "aa" * 32, "sha256:" + "bb" * 32
SAME = Diff(before="a.yaml", after="a.yaml")
MOVED = Diff(
    before="a.yaml",
    after="a.yaml",
    verdict="worse",
    gates=(
        GateChange(
            gate="y: top1 drop ≤ 1 point", before=True, after=False, told="drop 1.40 points"
        ),
    ),
    measures=(Change(what="y.top1", before=0.911, after=0.9),),
    figures=(
        FigureChange(
            output="y",
            metric="top1",
            before=0.91123,
            after=0.9,
            verdict="worse",
            reference_before=0.914,
            reference_after=0.914,
            samples=280,
            paired=True,
            lost=("eval/cat_7.png", "eval/dog_1.png"),
        ),
    ),
    targets=(
        Change(what="rtx.engine_size_bytes", before=2048, after=3072),
        Change(what="rtx.engine_digest", before=AA, after=BB),
        Change(what="rtx.built_for", before="8.6 8.9", after="8.9 8.6 12.0"),
    ),
    recipe=(
        Change(what="quantization.skip[0]", before="a", after="b"),
        Change(what="targets.rtx.workspace", before=268435456, after=None),
        Change(what="targets.rtx.frozen", before=False, after=True),
    ),
    lists=(ListChange(what="quantization.skip", added=("c",), removed=("a",)),),
    sources=(
        Change(what="eval/7.png", before=AA, after=BB),
        Change(what="fetched/abababababababab", before=None, after=BB),
    ),
    ranges=RangeDiff(
        moved=(MovedRange(tensor="t", before=1.0, after=0.5, ratio=0.5, bits_lost=-1.0),),
        same=7,
        tolerance=0.0,
    ),
)


def test_the_verdict_leads_and_the_rest_is_folded():
    """Values as people write them, samples by name, lists as sets, and no digests."""
    text = render_differences_markdown([SAME, MOVED])

    assert (
        """## 1 gate failed; recipes: 1 worse, 1 the same

### a.yaml: worse

- **Gate failed**: y: top1 drop ≤ 1 point: drop 1.40 points, and passed before

| | before | after | |
| --- | ---: | ---: | --- |
| top1 of y | 91.1 % | 90.0 % | worse; 2 lost, 0 gained of 280 samples; FP32 91.4 % |
| rtx: engine | 2.0 KiB | 3.0 KiB | +50.0 % |

<details><summary>Samples lost (2)</summary>

- eval/cat\\_7.png (top1 of y)
- eval/dog\\_1.png (top1 of y)

</details>

<details><summary>Recipe (3)</summary>

- targets.rtx.workspace: 256.0 MiB → not set
- targets.rtx.frozen: no → yes
- quantization.skip: a → c

</details>

<details><summary>Files (2)</summary>

- eval/7.png: changed
- a file that was fetched: new

</details>

<details><summary>Engines (2)</summary>

- rtx.engine\\_digest: changed
- rtx.built\\_for: added 12.0

</details>

<details><summary>Calibrated ranges (1)</summary>

- t: ±1 → ±0.5 (1.00 bits gained)

</details>
"""
        == text
    )
    assert not re.search("[0-9a-f]{8}", text)


def test_a_new_recipe_is_summed_up_and_what_is_wrong_is_said():
    """A recipe that one side lacks has nothing to be compared with."""
    new = Diff(before="n", after="n", only="after", verdict="unknown", summary=("model: onnx x",))
    wrong = Diff(before="w", after="w", wrong=("after: w:3: no such kind",))

    text = render_differences_markdown([new, wrong])

    assert "### n: new\n\n- model: onnx x" in text
    assert "### w: wrong\n\n- after: w:3: no such kind" in text
    assert "## No recipe is in either revision\n" == render_differences_markdown([])
    assert "## recipe: 1 the same\n" == render_differences_markdown([SAME])


def test_a_gate_that_fails_is_said_though_nothing_differs():
    """Those recipes come first, then what got worse."""
    failing = SAME.model_copy(
        update={"before": "f", "after": "f", "gates": MOVED.gates, "verdict": "same"}
    )
    better = MOVED.model_copy(
        update={"before": "b", "after": "b", "gates": (), "verdict": "better"}
    )

    heads = re.findall("^### .*", render_differences_markdown([better, failing]), re.MULTILINE)

    assert ["### f: the same", "### b: better"] == heads


def test_what_is_demanded_less_is_said_beside_the_verdict():
    """A pull request that passes because its gate is gone does not look like one that passes."""
    found = MOVED.model_copy(
        update={
            "verdict": "better",
            "gates": (),
            "loosened": (Loosened(what="Gate removed", told="top1 drop ≤ 1 point"),),
        }
    )

    first, _, recipe, _, told, *_ = render_differences_markdown([found]).splitlines()

    assert "## less is demanded; recipe: 1 better" == first
    assert "### a.yaml: better" == recipe
    assert "- **Gate removed**: top1 drop ≤ 1 point" == told


@pytest.mark.parametrize(("recipes", "facts"), [(1, 9000), (900, 1), (50, 400)])
def test_it_fits_into_a_comment_and_counts_the_rest(recipes, facts):
    """Names of any length, recipes and facts of any number."""
    tools = tuple(Change(what=f"{'x' * 5000}{n}", before="1", after="2") for n in range(facts))
    found = [
        MOVED.model_copy(update={"before": f"r{n}", "after": f"r{n}", "tools": tools})
        for n in range(recipes)
    ]

    text = render_differences_markdown(found)

    assert 20_000 < len(text) <= 60_000
    assert re.search(r"and \d+ more", text)
    assert text.count("<details>") == text.count("</details>")


def test_names_are_no_markup():
    """Of a tensor or a file: shown, not obeyed."""
    odd = SAME.model_copy(
        update={"before": "[a](b)", "tools": (Change(what="<b>*x*|`y`", before="1", after="2"),)}
    )

    text = render_differences_markdown([odd])

    assert "&#60;b&#62;\\*x\\*\\|\\`y\\`: 1 → 2" in text
    assert r"### \[a\](b) → a.yaml" in text


def test_a_plan_says_why_without_digests():
    """What a file came to is that it changed."""
    reasons = (
        Reason(path="inputs.files.0", before=AA, after=BB),
        Reason(path="params.x", before=1, after=2),
    )

    text = render_reasons_markdown("r", "1 to run", [("run", "calibrate", reasons)])

    assert text.endswith("| run | calibrate | inputs.files.0: changed · params.x: 1 → 2 |")
