"""Checkpoints, and the architectures they are of."""

from __future__ import annotations

import sys
import types
import zipfile

import pytest
import torch
from safetensors.torch import save_file

from trtbuild.core.errors import MissingFile, StepInputError, UsageError
from trtbuild.verbs.init.checkpoint_look import look_at_checkpoint
from trtbuild.verbs.init.models import ModelRequest
from trtbuild.verbs.init.torch_look import name_weights


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
        look(write(tmp_path / "m.pt", "m/constants.pkl", b""))

    assert "exporter: torchscript" in raised.value.hint


def test_a_model_of_ultralytics_is_a_source_of_its_own(tmp_path):
    """It is not unpickled to know that."""
    found = look(write(tmp_path / "m.pt", "m/data.pkl", b"ultralytics.nn.tasks DetectionModel"))

    assert ["ultralytics", "m.pt", 640, True] == [entry.value for entry in found.section]
    assert ("batch", 3, "height", "width") == found.inputs[0].shape


def test_what_is_not_there_is_missing(tmp_path):
    """As any file."""
    with pytest.raises(MissingFile):
        look(tmp_path / "gone.pth")


def make_net(name="resnet", weights=None, num_classes=1000):  # as torchvision's
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(), torch.nn.Linear(4, num_classes),
    )  # fmt: skip


@pytest.fixture
def torchvision(monkeypatch):
    """A package of that name, with one architecture."""
    models = types.ModuleType("torchvision.models")
    models.list_models = lambda **_: ["resnet_s"]
    models.get_model = make_net
    package = types.ModuleType("torchvision")
    package.models = models
    monkeypatch.setitem(sys.modules, "torchvision", package)
    monkeypatch.setitem(sys.modules, "torchvision.models", models)


@pytest.mark.parametrize("prefix", ["", "module."])
@pytest.mark.parametrize("entry", ["", "state_dict"])
def test_weights_of_a_known_architecture_are_recognized(tmp_path, torchvision, prefix, entry):
    """Whatever they are wrapped in, and however many classes there are."""
    state = {prefix + name: each for name, each in make_net(num_classes=7).state_dict().items()}
    torch.save({entry: state, "epoch": 3} if entry else state, tmp_path / "a.pth")
    section = {each.key: each.value for each in look(tmp_path / "a.pth").section}

    assert ("torchvision.models:resnet_s", {"num_classes": 7}, {"path": "a.pth"}) == (
        section["entrypoint"], section["options"], section["weights"],
    )  # fmt: skip


def test_of_several_weights_that_fit_the_average_is_guessed(tmp_path):
    """As a checkpoint of a training holds them; nothing but what fits is written."""
    net = make_net(num_classes=7)
    ema = {f"module.{name}": each for name, each in net.state_dict().items()}
    torch.save({"model": net.state_dict(), "ema": ema}, tmp_path / "last.pt")
    entry = name_weights(net, tmp_path / "last.pt", tmp_path)

    assert {"path": "last.pt", "key": "ema"} == entry.value
    assert "`model` would fit too" in entry.remark
    with pytest.raises(StepInputError, match="do not fit the module"):
        name_weights(make_net(num_classes=8), tmp_path / "last.pt", tmp_path)
