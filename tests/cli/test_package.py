"""trtbuild package, as its user meets it."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _here(steps_here):
    """Steps run in this process."""


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--format", "triton", "--picture", "4"], "--picture 4: is no size"),
        (["--format", "triton", "--triton", "26.07", "--server-tensorrt", "10"], "say the same"),
        (["--format", "bundle", "--triton", "26.07"], "are for `--format triton`"),
        (["recipe.yaml", "--format", "bundle"], "a bundle is of one recipe, and 2 are named"),
        (["--format", "triton", "--target", "none"], "there is no target `none`"),
    ],
)
def test_what_is_typed_wrong_is_told(project, trtbuild, arguments, told):
    """With exit code 2, and nothing written."""
    (project.parent / "build/small").mkdir(parents=True)
    (project.parent / "build/small/model.int8.onnx").write_bytes(b"")
    answer = trtbuild("package", "recipe.yaml", *arguments, "--to", "out")

    assert 2 == answer.code
    assert told in answer.err
    assert not (project.parent / "out").exists()


def test_it_says_what_it_wrote_and_left_out(project, trtbuild):
    """Model by model, with notes."""
    assert 0 == trtbuild("apply", "-q", "recipe.yaml").code
    answer = trtbuild("package", "recipe.yaml", "--format", "triton", "--to", "out")

    assert 0 == answer.code, answer.err
    assert "  small_onnx  model.int8.onnx in ONNX Runtime on the CPU" in answer.out
    assert "note: the engine of `rtx` is left out" in answer.out
    assert (project.parent / "out/small_onnx/warmup/sample_0").stat().st_size == 3 * 8 * 8 * 4
