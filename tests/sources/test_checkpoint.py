"""Weights are found in what a file holds, whatever wrapped the module that was saved."""

from __future__ import annotations

from pathlib import Path

import pytest

from trtbuild.core.errors import StepInputError
from trtbuild.sources.checkpoint import fit_weights

torch = pytest.importorskip("torch")

WANTED = {"conv.weight": torch.zeros(2, 3), "bn.num_batches_tracked": torch.tensor(0)}
WANTED |= {"bn.weight": torch.zeros(2), "fc.bias": torch.zeros(4)}
TRAINED = {name: tensor + 1 for name, tensor in WANTED.items()}


def fit(content, key=None, wanted=None):
    """Fit a content; return each tensor's first value, and the notes."""
    state, notes = fit_weights(content, wanted or WANTED, key=key, path=Path("w.pth"))
    assert (wanted or WANTED).keys() == state.keys()
    return {int(tensor.flatten()[0]) for tensor in state.values()}, notes


def refused(content, key=None):
    with pytest.raises(StepInputError) as caught:
        fit(content, key)
    return caught.value


def begun(prefix, weights=None):
    return {prefix + name: tensor for name, tensor in (weights or TRAINED).items()}


def test_a_state_dict_is_taken_as_it_is():
    """Nothing is to be noted."""
    assert ({1}, ()) == fit(TRAINED)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "model.", "net.backbone."])
def test_a_prefix_of_all_names_is_stripped_and_noted(prefix):
    """DataParallel, `torch.compile`, Lightning, and what people write themselves."""
    told = f"names in the weights file begin with `{prefix}`, which was stripped"

    assert ({1}, (told,)) == fit(begun(prefix))


def test_several_wrappers_and_those_within_are_undone():
    """A compiled part of a model in DataParallel; an average counts its updates."""
    inner = {name.replace("conv.", "conv._orig_mod."): each for name, each in TRAINED.items()}
    values, notes = fit({**begun("module.", inner), "n_averaged": torch.tensor(7)})

    assert {1} == values
    assert "`_orig_mod` in the names of the weights file was left out; names in" in notes[0]
    assert "begin with `module.`, which was stripped" in notes[0]


def test_a_prefix_that_only_the_module_has_is_added():
    """The entrypoint wraps what was trained."""
    told = "names in the weights file lack the module's `body.`, which was added"

    assert ({1}, (told,)) == fit(TRAINED, wanted=begun("body.", WANTED))


def test_a_count_of_batches_is_not_missed():
    """Old files lack it, and inference does not read it: the module's own stays."""
    values, _ = fit({name: each for name, each in TRAINED.items() if "tracked" not in name})

    assert {0, 1} == values


def test_tied_weights_may_be_there_once():
    """As safetensors has them: the other name is the same tensor."""
    tied = {**WANTED, "head.weight": WANTED["conv.weight"]}

    assert ({1}, ()) == fit(TRAINED, wanted=tied)


@pytest.mark.parametrize("entry", ["state_dict", "model", "model_ema", "ema.state_dict"])
def test_the_one_entry_that_fits_is_taken_and_noted(entry):
    """Among numbers, an optimizer's state, and weights of other shapes."""
    outer, _, inner = entry.partition(".")
    held = {inner: TRAINED} if inner else begun("module.")
    others = {"epoch": 3, "optimizer": {"state": {0: {"step": torch.zeros(1)}}}, "head": {"x": 1}}
    values, notes = fit({**others, "other": {"w": torch.zeros(1)}, outer: held})

    assert {1} == values
    assert f"the weights are those of the entry `{entry}`" == notes[0]


def test_of_several_that_fit_one_must_be_named():
    """Nobody can tell whether the averaged weights are meant."""
    both = {"model": begun("module."), "ema": {"averaged": TRAINED}, "epoch": 2}
    error = refused(both)

    assert "w.pth: several of its entries fit the module: `model`, `ema.averaged`" == error.message
    assert "key: " in error.hint
    assert [{1}, {1}] == [fit(both, "ema.averaged")[0], fit(both, "model")[0]]


def test_an_average_is_said_to_be_one():
    """Chosen by its key, or alone there; nothing else is called so."""
    both = {"state_dict": TRAINED, "state_dict_ema": TRAINED}
    told = "`state_dict_ema` is an average of weights (EMA)"

    assert "`state_dict_ema`: an average (EMA), which is mostly the one" in refused(both).hint
    assert told in fit({"state_dict_ema": TRAINED})[1]
    assert 1 == len(fit({"schema": TRAINED})[1])


def test_tensors_beside_plain_values_are_a_state_dict():
    """As where somebody put the epoch into it."""
    assert ({1}, ()) == fit({**TRAINED, "epoch": 3, "name": "net"})


def test_a_key_may_be_what_names_begin_with():
    """A part of a larger model; without the key, the hint says it."""
    whole = {**begun("generator."), **begun("critic.", {"w": torch.zeros(1)})}

    assert ({1}, ()) == fit(whole, "generator")
    assert ({1}, ()) == fit({"state_dict": whole}, "state_dict.generator")
    assert "write `key: state_dict.generator`" in refused({"state_dict": whole}).hint


def test_what_holds_no_weights_lists_its_entries():
    """As does a key that is not there."""
    assert "is not a state dict (names → tensors); entries there: epoch" in str(
        refused({"epoch": 3})
    )
    assert "is not a state dict" in str(refused([TRAINED]))
    assert "has no entry `ema`; entries there: epoch" in str(refused({"epoch": 3}, "ema"))


def test_other_names_come_with_the_nearest():
    """Counted after the wrapper that explains most; a few of each sort."""
    renamed = {name.replace("conv.weight", "conv1.weight"): each for name, each in TRAINED.items()}
    error = refused({"state_dict": begun("module.", {**renamed, "fc.bias": torch.zeros(5)})})

    assert (
        "w.pth: the weights in its entry `state_dict` do not fit the module: "
        "1 not in the file (conv.weight); 1 not in the module (conv1.weight); "
        "1 of another shape (fc.bias [5], not [4]) "
        "(names in the weights file begin with `module.`, which was stripped)"
    ) == error.message
    assert error.hint.startswith("`conv.weight` may be `conv1.weight` there: ")
