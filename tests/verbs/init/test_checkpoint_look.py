"""Checkpoints, and the architectures they are of."""

from __future__ import annotations

import zipfile

import pytest
import torch
from safetensors.torch import save_file

from trtbuild.core.errors import MissingFile, UsageError
from trtbuild.verbs.init.checkpoint_look import look_at_checkpoint
from trtbuild.verbs.init.models import ModelRequest


def look(path):
    return look_at_checkpoint(ModelRequest(str(path), path.parent))


def test_weights_of_no_known_architecture_need_their_code(tmp_path):
    """The hint names the command that says it."""
    path = tmp_path / "net.safetensors"
    save_file({"first.weight": torch.zeros(3, 4)}, path)
    with pytest.raises(UsageError, match=r"of no architecture .*`first.weight` \[3, 4\]") as raised:
        look(path)

    assert f"trtbuild init FILE.py:FUNCTION --weights {path}" in raised.value.hint


@pytest.mark.parametrize(
    ("member", "content", "told"),
    [("m/code/net.py", b"", "TorchScript"), ("m/data.pkl", b"ultralytics.nn.tasks", "Ultralytics")],
)
def test_programs_are_told_from_weights(member, content, told, tmp_path):
    """Without running a line of them."""
    path = tmp_path / "m.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, content)
    with pytest.raises(UsageError, match=told) as raised:
        look(path)

    assert "onnx" in raised.value.hint


def test_what_is_not_there_is_missing(tmp_path):
    """As any file."""
    with pytest.raises(MissingFile):
        look(tmp_path / "gone.pth")
