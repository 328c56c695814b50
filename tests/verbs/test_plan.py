from __future__ import annotations

from tests.helpers.tuning import needy_project
from trtbuild.quant.account import QuantizationAccount
from trtbuild.recipe.load import load_recipe
from trtbuild.run.executor import QuietListener
from trtbuild.run.inline import Inline
from trtbuild.verbs.build import build_plan, compile_for_machine
from trtbuild.verbs.plan import plan_recipe
from trtbuild.verbs.run_artifacts import RunArtifacts


def test_a_policy_is_told_as_the_lines_it_stands_for(tmp_path, store):
    """As soon as the model is known, by the plan, and by the account of what was quantized."""
    recipe = needy_project(tmp_path / "project")
    text = recipe.read_text().replace(
        "quantization:\n", "quantization:\n  protect: [first_and_last]\n"
    )
    recipe.write_text(text)
    loaded = load_recipe(recipe)
    before = plan_recipe(loaded, store, Inline(), targets=())
    made, _ = compile_for_machine(loaded, store, Inline(), targets=(), fetch=True)
    outcomes = build_plan(loaded, made.cut_after(("quantize",)), store, Inline(), QuietListener())
    account = RunArtifacts(outcomes, store).read("quantize", "account", QuantizationAccount)
    told = "`protect: first_and_last` stands for `skip: [first, third]`"

    assert told not in before.notes
    assert told in plan_recipe(loaded, store, Inline(), targets=()).notes
    assert told in account.remarks
    assert ["fp32", "int8", "fp32"] == [layer.precision for layer in account.layers]
