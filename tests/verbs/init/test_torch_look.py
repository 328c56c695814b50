"""Modules of PyTorch, made and tried."""

from __future__ import annotations

import pytest

from trtbuild import api
from trtbuild.core.errors import StepInputError, UsageError
from trtbuild.recipe.load import load_recipe
from trtbuild.verbs.ready import list_problems

CODE = """
import torch
from torch import nn

class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(50, 8)
        self.last = nn.Linear(8, 3)
    def forward(self, input_ids, attention_mask, scale=None):
        found = self.table(input_ids) * attention_mask.unsqueeze(-1)
        return {"hidden": found, "scores": self.last(found.mean(1))}

class Odd(nn.Module):
    def forward(self, x):
        assert x.shape[1] == 7
        return x.unsqueeze(0), x + 1

def pair(): return Pair()
def odd(): return Odd()
def wrong(): return 3
def asking(width): return Odd()
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(CODE)
    return tmp_path


def recipe_of(model, **more):
    made = api.init(model, **more)
    assert () == list_problems(made.file)
    return load_recipe(made.file).recipe


def test_tokens_and_a_mask_are_found_by_name(here):
    """With the rows of the first table, and outputs by their keys."""
    recipe = recipe_of("net.py:pair")

    assert {"input_ids": ("batch", "length"), "attention_mask": ("batch", "length")} == {
        name: spec.shape for name, spec in recipe.model.inputs.items()
    }
    assert ("hidden", "scores") == recipe.model.outputs
    assert 50 == recipe.data["calib"].inputs["input_ids"].high
    assert (here / "pair.yaml").is_file()


def test_what_cannot_be_tried_is_told(here):
    """`--input`; outputs of a tuple get numbers."""
    with pytest.raises(UsageError, match=r"what its `forward` takes \(x\)") as raised:
        api.init("net.py:odd")
    recipe = recipe_of("net.py:odd", inputs=("x=batch,7",))

    assert "--input" in raised.value.hint
    assert ("output_0", "output_1") == recipe.model.outputs
    assert (here / "odd.yaml").is_file()


@pytest.mark.parametrize(
    ("model", "inputs", "error", "told"),
    [
        ("net.py:odd", ("x=batch,8",), UsageError, "does not run on these inputs"),
        ("net.py:odd", ("x",), UsageError, "is no input"),
        ("net.py:odd", ("x=a b",), UsageError, "is no input"),
        ("net.py:wrong", (), StepInputError, "returned int"),
        ("net.py:asking", (), StepInputError, "raised"),
        ("net.py:gone", (), UsageError, "no callable"),
    ],
)
@pytest.mark.usefixtures("here")
def test_what_does_not_work_is_one_error(model, inputs, error, told):
    """Nothing is written."""
    with pytest.raises(error, match=told) as raised:
        api.init(model, inputs=inputs)

    assert raised.value.hint
