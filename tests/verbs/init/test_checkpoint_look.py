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


def write(path, member, content):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, content)
    return path


def test_programs_are_told_from_weights(tmp_path):
    """Without running a line of them."""
    with pytest.raises(UsageError, match="TorchScript") as raised:
        look(write(tmp_path / "m.pt", "m/code/net.py", b""))

    assert "onnx" in raised.value.hint


def test_a_model_of_ultralytics_is_a_source_of_its_own(tmp_path):
    """It is not unpickled to know that."""
    found = look(write(tmp_path / "m.pt", "m/data.pkl", b"ultralytics.nn.tasks DetectionModel"))

    assert ["ultralytics", "m.pt", 640, True] == [entry.value for entry in found.section]
    assert ("batch", 3, "height", "width") == found.inputs[0].shape


def test_what_is_not_there_is_missing(tmp_path):
    """As any file."""
    with pytest.raises(MissingFile):
        look(tmp_path / "gone.pth")
