"""Whose a plan is, of which version: read off its first bytes."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trtbuild.backends.tensorrt.plan_header import PlanHeader, read_header

RTX = b"vtrt" + bytes(4) + struct.pack("<QQ", 2, 1000) + bytes([1, 7, 1, 116]) + b"vtrt"
FULL = b"ftrt" + bytes(20) + bytes([10, 16, 1, 11])


def test_a_plan_of_rtx_tells_version_size_and_gpus():
    """Bit 0 is 7.5, 2 is 8.6, 3 is 8.9, 4 is 12.0."""
    expected = PlanHeader("TensorRT-RTX", "1.7.1.116", 1000, ("7.5", "8.6", "8.9", "12.0"))

    found = read_header((RTX + struct.pack("<Q", 0b11101)).ljust(64, b"\0"))

    assert expected == found
    assert "tensorrt_rtx" == found.kind


def test_a_plan_of_tensorrt_tells_its_version():
    """Where NVIDIA's trtexec looks for it; GPUs and size it does not tell."""
    found = read_header(FULL)

    assert PlanHeader("TensorRT", "10.16.1.11") == found
    assert "tensorrt10" == found.kind


@pytest.mark.parametrize("data", [FULL[:27], b"ftrt\1" + FULL[5:], RTX + bytes(10)])
def test_what_is_cut_off_or_laid_out_otherwise_is_no_plan(data):
    """Nothing is claimed of another serialization version."""
    assert read_header(data) is None


@given(st.binary(max_size=80))
def test_any_bytes_are_no_plan(data):
    """Bytes of another kind are an answer, not a crash."""
    assert read_header(data) is None
