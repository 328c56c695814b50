"""Layers measured: what is told before, what is kept, and where it lies."""

from __future__ import annotations

import pytest

from tests.helpers.projects import small_project
from trtbuild.recipe.load import load_recipe
from trtbuild.recipe.schema import LayerMeasurement
from trtbuild.run.executor import QuietListener
from trtbuild.run.inline import Inline
from trtbuild.verbs.sensitivity import measure_layers


class Stopping(QuietListener):
    """Remembers which steps start, and is interrupted when one does."""

    def __init__(self, before=""):
        self.before = before
        self.steps = []

    def started(self, name):
        if name == self.before:
            raise KeyboardInterrupt
        self.steps.append(name)


@pytest.fixture
def measure(tmp_path, store):
    """Measure the layers of a small project."""
    recipe = small_project(tmp_path / "project")

    def run(listener=None, samples=2):
        costs = []
        found = measure_layers(
            load_recipe(recipe),
            store,
            executor=Inline(),
            directory=tmp_path / "build",
            asked=LayerMeasurement(samples=samples),
            listener=listener or QuietListener(),
            announce=costs.append,
        )
        return found, costs

    return run


def test_an_interrupted_run_goes_on_where_it_was(measure):
    """Parts that were measured are not measured again; once all are, nothing costs anything."""
    with pytest.raises(KeyboardInterrupt):
        measure(Stopping(before="measure_layers(2 of 3)"))
    listener = Stopping()
    found, (cost,) = measure(listener)

    assert ["measure_layers(2 of 3)", "measure_layers(3 of 3)", "sensitivity"] == listener.steps
    assert (3, 2, 12) == (cost.layers, cost.samples, cost.passes)
    assert 0 < cost.seconds < 10
    assert 3 == len(found.sensitivity.layers)
    assert found.file.is_file()
    assert [] == measure()[1]
