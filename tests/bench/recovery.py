"""What INT8 costs three models that are hard on it, and what `trtbuild tune` gets back, in one run.

    python -m tests.bench.recovery [depthwise] [shapes_yolo] [outlier_vit] [--budget 1800]

The models are those of `recipes/models`, trained on digits and shapes in photographs, and the
recipes are those of `tests/bench/recovery/`, all INT8 with `auto` and a gate of 0.3 points
(`pip install -e '.[test]'` has what the data and mAP need). Cost is in forward passes of the whole
model: what calibration, equalization and comparisons run, and half a pass for each layer and sample
of what is measured layer by layer; beside it what one `trtbuild sensitivity` (on 32 samples, alone
and all but it) is by the same count, and the seconds of fitting weights, which are no part of it.
What the store has from an earlier run costs nothing and is not counted: take a new one
(TRTBUILD_STORE).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from trtbuild import api
from trtbuild.core.records import Outcome
from trtbuild.core.tuning import Trial
from trtbuild.run.executor import QuietListener, StepProgress

HERE = Path(__file__).parent / "recovery"
NAMES = ("depthwise", "shapes_yolo", "outlier_vit")
WHOLE = ("calibrate", "equalize", "infer(candidate)")
"""Steps that run the whole model over data, once or twice; the reference's are an apply's."""
LAYERS, FITTED = "measure_layers", "adjust_weights"


class Costs(QuietListener):
    """Counts what steps that ran have cost."""

    def __init__(self) -> None:
        self.totals: dict[str, int] = {}
        self.passes: Counter[str] = Counter()
        self.fitted_seconds = 0.0

    def progressed(self, progress: StepProgress) -> None:
        """Remember how much a step runs in all."""
        self.totals[progress.name] = progress.total

    def finished(self, outcome: Outcome) -> None:
        """Count a step that ran."""
        if outcome.status != "ran":
            return
        if outcome.step in WHOLE:
            self.passes[outcome.step] += self.totals.get(outcome.step, 0)
        if outcome.step.startswith(LAYERS):
            self.passes[LAYERS] += self.totals.get(outcome.step, 0) // 2
        if outcome.step == FITTED:
            self.fitted_seconds += outcome.seconds


def tell(trial: Trial, better: bool) -> None:  # noqa: FBT001  # called with what it hears
    """Say how a trial went, while it goes on."""
    figures = ", ".join(f"{figure.name} {figure.found}" for figure in trial.figures)
    sys.stderr.write(f"  {'+' if better else ' '} {trial.what}: {trial.problem or figures}\n")


def measure(name: str, budget: float, folder: Path) -> list[str]:
    """Tune a recipe and return its row."""
    costs = Costs()
    found = api.tune(
        HERE / f"{name}.yaml",
        build_dir=folder,
        budget_seconds=budget,
        listener=costs,
        tell=tell,
    ).tuning
    best, start = found.trials[found.best], found.trials[0]
    layers = api.sensitivity(HERE / f"{name}.yaml", build_dir=folder, others=False).sensitivity
    one = len(layers.layers) * layers.samples  # half a pass alone, and half with all but it
    spent = sum(costs.passes.values())
    return [
        name,
        start.figures[0].found,
        best.figures[0].found,
        "yes" if found.passed else "no",
        f"{100 * best.int8_share:.1f} %",
        str(len(best.floats)),
        ", ".join(best.options) or "-",
        str(len(found.trials)),
        f"{spent} ({spent / one:.1f} x)",
        f"{costs.fitted_seconds:.0f} s",
    ]


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], help="all without any")
    parser.add_argument("--budget", type=float, default=1800.0, metavar="SECONDS")
    asked = parser.parse_args()
    head = ["model", "plain", "tuned", "passes", "INT8", "float", "options", "tried", "cost", "fit"]
    with tempfile.TemporaryDirectory() as folder:
        rows = [measure(name, asked.budget, Path(folder)) for name in asked.names or NAMES]
    for row in [head, *rows]:
        sys.stdout.write(" | ".join(row) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
