"""trtbuild kinds."""

from __future__ import annotations

import pytest

from trtbuild.cli.kinds import kinds
from trtbuild.core.errors import UsageError


def told(capsys, name=""):
    """What is written of a name."""
    kinds(name)
    return capsys.readouterr().out


def test_kinds_are_listed_by_section(capsys):
    """And sections that have none by where they stand."""
    listed = told(capsys)

    assert "\nquantization.calibrator:\n" in listed
    assert "  percentile " in listed
    assert "  data.preprocess " in listed


def test_a_kind_is_told_with_its_options(capsys):
    """Each with its default."""
    one = told(capsys, "percentile")

    assert one.startswith("kind: percentile\nClip each tensor at a percentile")
    assert "  percentile (default 99.99)\n" in one


def test_a_section_is_told_with_its_options_or_its_kinds(capsys):
    """By its name, or by its place where a name stands for two."""
    assert told(capsys, "preprocess").startswith("section: data.preprocess\n")
    assert "  resize (default none)\n" in told(capsys, "preprocess")
    assert "cosine: the cosine of" in told(capsys, "compare")
    assert told(capsys, "targets").startswith("targets: one of these kinds")
    both = told(capsys, "weights")
    assert "section: model.weights\n" in both
    assert "quantization.weights: one of" in both
    assert "section: model.weights\n" not in told(capsys, "quantization.weights")


def test_an_option_is_told_wherever_it_stands(capsys):
    """With the metrics where it takes them; lines that go on stay below the first."""
    metrics = told(capsys, "metrics")
    assert metrics.startswith("section: compare\n  metrics (default [cosine, ")
    assert "\n      top1: the share of labelled samples" in metrics
    assert told(capsys, "data.labels").count("section: data of kind: ") == 6
    assert told(capsys, "compare.reference").startswith("section: compare\n  reference (")
    assert "\n      and `top5`.\n" in told(capsys, "gates")
    assert "  workspace (default 64GiB)\n" in told(capsys, "tensorrt_rtx")


def test_a_word_that_is_none_gets_those_that_there_are(capsys):
    """Of kinds and of sections."""
    with pytest.raises(UsageError, match=r"no kind, section or option `data\.Images`") as caught:
        kinds("data.Images")

    assert caught.value.hint.startswith("did you mean `images`? kinds: ")
    assert "percentile" in caught.value.hint
    assert "preprocess" in caught.value.hint
