"""What is timed, and what runs it."""

from __future__ import annotations

from trtbuild.timing.base import name_variant


def test_a_variant_is_a_model_and_what_runs_it():
    """In this order, so that patterns can mean either."""
    assert "int8/onnxruntime-cpu" == name_variant("int8", "onnxruntime-cpu")
