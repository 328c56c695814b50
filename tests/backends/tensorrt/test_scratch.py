"""Scratch memory: heard of in the builder's words, told in the recipe's."""

from __future__ import annotations

import pytest

from trtbuild.backends.tensorrt.scratch import ScratchMemory, leave_margin

TIMED = [
    "--------------- Timing Runner: conv1 + relu1 (CaskConvolution[0x80000009])",
    "Tactic: 0x0000000000000004 skipped. Scratch requested: 8388608, available: 1048576",
    "Tactic: 0x000000000000003c skipped. Scratch requested: 4194304, available: 1048576",
    "--------------- Timing Runner: {ForeignNode[a (b)...fc]} (Myelin[0x80000023])",
    "Tactic: 0x0000000000000000 Time: 0.02",
    "--------------- Timing Runner: fc2 (CublasConvolution)",
    "Tactic: 1 skipped. Scratch requested: 2097152, available: 1048576",
    (
        "Some tactics do not have sufficient workspace memory to run. Increasing workspace size "
        "will enable more tactics, please check verbose output for requested sizes."
    ),
]
NEED = ["Total Host Persistent Memory: 80 bytes", "Max Scratch Memory: 524288 bytes"]
MIB = 1 << 20


def heard(lines):
    scratch = ScratchMemory()
    for line in lines:
        scratch.hear(f"[X] {line}")
    return scratch


def test_layers_that_lost_kernels_are_named():
    """The one that asks for most first, with what it asks for."""
    (told,) = heard(TIMED).explain(MIB)

    assert told == (
        "2 layers lost kernels, which ask for up to 8.0 MiB of scratch memory where `workspace` "
        "lets a layer have 1.0 MiB: `conv1 + relu1`, `fc2`; raise it"
    )


def test_a_loss_without_names_is_a_loss():
    """The names are among what the builder says at `verbose` alone."""
    (told,) = heard(TIMED[-1:]).explain(MIB)

    assert "some layers lost kernels that need more scratch memory" in told


@pytest.mark.parametrize(
    ("lines", "needed"),
    [
        (NEED, "the engine's layers need 512.0 KiB of it"),
        (["Total Scratch Memory: 2048"], "the engine's layers need 2.0 KiB of it"),
        ([], "the builder does not say how much its layers need"),
    ],
)
def test_auto_says_what_it_came_to_and_what_was_needed(lines, needed):
    """Seven eighths of 24 GiB; a build that lost nothing says nothing else."""
    device = 24 << 30
    (told,) = heard(lines).explain(leave_margin(device), device=device)

    assert f"`workspace: auto` is 21.0 GiB, the GPU's 24.0 GiB less 1/8; {needed}" == told


def test_a_larger_gpu_is_what_helps_where_auto_is_too_little():
    """There is nothing to raise."""
    _, loss = heard(TIMED).explain(leave_margin(MIB), device=MIB)

    assert loss.endswith("make the profiles smaller, or take a larger GPU")


def test_without_a_limit_nothing_is_told():
    """Kernels that the whole GPU is too small for are the builder's own warnings."""
    assert [] == list(heard([*TIMED, *NEED]).explain(None))
