"""PyTorch modules are made from entrypoints, with weights loaded, seeded, or missing."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.helpers.torch_models import tiny, write_source
from trtbuild.core.errors import MissingFile, StepInputError
from trtbuild.sources import torch_module
from trtbuild.sources.kinds import Torch
from trtbuild.sources.torch_module import prepare_module

torch = pytest.importorskip("torch")


def source(**fields):
    return Torch.model_validate_json(tiny(**fields))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return write_source(tmp_path_factory.mktemp("recipes"))


def test_the_global_random_state_is_left_alone(base):
    """Whoever draws before and after draws as if nothing had been made."""
    before = torch.get_rng_state()
    torch_module._seed_statistics(torch_module._module(source(), base), 0)

    assert torch.equal(before, torch.get_rng_state())


def test_another_seed_is_another_model(base):
    """And the same one the same."""
    one, again, other = (
        torch_module._module(source(seed=seed), base).state_dict()["stem.weight"]
        for seed in (1, 1, 2)
    )

    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def saved(base, tmp_path, change=None, **fields):
    """Save weights of the tiny model, changed, and return their path."""
    state = torch_module._module(source(**fields), base).state_dict()
    if change is not None:
        change(state)
    path = tmp_path / "net.pth"
    torch.save(state, path)
    return path


def test_weights_are_loaded_and_need_no_caveat(base, tmp_path):
    """The file's values are in the module that is exported, which is not in training."""
    path = saved(base, tmp_path, lambda state: state["fc.bias"].fill_(7))
    made = prepare_module(source(), base=base, weights=path)

    assert ((), ()) == (made.notes, made.caveats)
    assert [7, 7, 7] == made.module.fc.bias.tolist()
    assert not made.module.training


def test_what_was_done_to_find_the_weights_is_noted(base, tmp_path):
    """It stands in the report."""

    def wrap(state):
        for name in list(state):
            state["module." + name] = state.pop(name)

    made = prepare_module(source(), base=base, weights=saved(base, tmp_path, wrap))

    assert ("names in the weights file begin with `module.`, which was stripped",) == made.notes


def test_weights_of_another_model_say_what_differs(base, tmp_path):
    """A few names of each sort, and how many there are."""

    def change(state):
        for name in list(state):
            if name.startswith("layer1.0."):
                state[name.replace("layer1", "stage1")] = state.pop(name)
        state["fc.weight"] = torch.zeros(5, 4)

    with pytest.raises(StepInputError) as caught:
        prepare_module(source(), base=base, weights=saved(base, tmp_path, change))
    message = caught.value.message

    assert "11 not in the file (layer1.0.conv1.weight, " in message
    assert "and 7 more)" in message
    assert "11 not in the module (stage1.0.conv1.weight" in message
    assert "1 of another shape (fc.weight [5, 4], not [3, 4])" in message
    assert "`layer1.0.conv1.weight` may be `stage1.0.conv1.weight` there, " in caught.value.hint


def test_missing_weights_are_an_error_unless_seeded(base):
    """`without_weights: fail` is the default."""
    with pytest.raises(MissingFile, match=r"net\.py:tiny: its weights are not here") as caught:
        prepare_module(source(without_weights=None), base=base, weights=None)
    assert "without_weights: seeded" in caught.value.hint


def test_random_weights_are_noticed_where_the_recipe_names_none(base):
    """An entrypoint that draws its weights cannot pass for a trained model."""
    made = prepare_module(source(weights=None), base=base, weights=None)

    assert ("seeded weights",) == made.caveats
    assert ("the entrypoint draws weights at random, from seed 0",) == made.notes


def test_an_entrypoint_with_weights_of_its_own_needs_no_caveat(base):
    """Its parameters do not depend on the seed."""
    frozen = source(entrypoint="net.py:frozen", weights=None, inputs={"x": {"shape": ["n", 2]}})
    made = prepare_module(frozen, base=base, weights=None)

    assert ((), ()) == (made.notes, made.caveats)


def test_options_reach_the_callable(base):
    """As keyword arguments."""
    module = torch_module._module(source(options={"classes": 7}), base)

    assert 7 == module.fc.out_features


RESNET = Path(__file__).parents[2] / "recipes" / "models"


def test_resnet50_has_the_published_layout():
    """Its state dict takes torchvision's weights: 320 entries, 25 557 032 parameters."""
    from trtbuild.core.entrypoint import load_entrypoint

    with torch.device("meta"):
        module = load_entrypoint("resnet50.py:resnet50", RESNET)()
    state = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    kinds = Counter(name.rpartition(".")[2] for name in state)

    assert 320 == len(state)
    assert {"weight": 107, "bias": 54, "running_mean": 53, "running_var": 53,
            "num_batches_tracked": 53} == kinds  # fmt: skip
    assert 25_557_032 == sum(parameter.numel() for parameter in module.parameters())
    assert {
        "conv1.weight": (64, 3, 7, 7),
        "bn1.running_var": (64,),
        "layer1.0.conv1.weight": (64, 64, 1, 1),
        "layer1.0.downsample.0.weight": (256, 64, 1, 1),
        "layer1.0.downsample.1.bias": (256,),
        "layer2.0.conv2.weight": (128, 128, 3, 3),
        "layer3.5.bn3.num_batches_tracked": (),
        "layer4.2.conv3.weight": (2048, 512, 1, 1),
        "fc.weight": (1000, 2048),
        "fc.bias": (1000,),
    }.items() <= state.items()
    assert (2, 2) == module.layer2[0].conv2.stride
    assert [3, 4, 6, 3] == [len(module.get_submodule(f"layer{i}")) for i in (1, 2, 3, 4)]
