"""What INT8 costs three models that are hard on it, and what `trtbuild tune` gets back, in one run.

    python -m tests.bench.recovery [depthwise] [shapes_yolo_sgd] [outlier_vit] [--budget 1800]

The models are those of `recipes/models`, trained on digits and shapes in photographs, and the
recipes are those of `tests/bench/recovery/`, all INT8 as hand-written scripts have it: `entropy2`,
the largest weights, no policy; with a gate of 0.3 points (`pip install -e '.[test]'` has what the
data and mAP need). Cost is in forward passes of the whole model: what calibration, equalization and
comparisons run, and half a pass for each layer and sample of what is measured layer by layer; and
in seconds of processors. Beside each what one `trtbuild sensitivity` (on 32 samples, alone and all
but it) is by the same count. No part of it: what `apply` has made before both, and the fitting of
weights, whose seconds are told. The store is a new one. The search is judged by what it is to
be judged by, `eval`; so both are measured once more on data that it has not seen. With `--kept`
what was built stays, for `tests/bench/recovery_peers.py`.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trtbuild import api
from trtbuild.core.records import Outcome
from trtbuild.core.tuning import Trial
from trtbuild.recipe.lines import read_lines
from trtbuild.run.executor import QuietListener, StepProgress
from trtbuild.run.inline import Inline
from trtbuild.store.store import Store, find_default_root
from trtbuild.verbs.ready import load_ready
from trtbuild.verbs.tuning.candidates import SECTION, Candidate
from trtbuild.verbs.tuning.workshop import Workshop

HEAD = (
    "model",
    "plain",
    "tuned",
    "plain, unseen",
    "tuned, unseen",
    "passes",
    "INT8",
    "float",
    "options",
    "tried",
    "passes (of a sensitivity)",
    "processor time (of a sensitivity)",
    "fitting",
)
BIAS, ROUNDED = {"bias_correction": True}, {"rounding": "reconstructed"}
FITS: dict[str, dict[str, Any]] = {
    "nothing else": {},
    "bias_correction": BIAS,
    "rounding": ROUNDED,
    "both": {**BIAS, **ROUNDED},
}
HERE = Path(__file__).parent / "recovery"
NAMES = ("depthwise", "shapes_yolo_sgd", "outlier_vit")
WHOLE = ("calibrate", "equalize", "infer(candidate)", "infer_some(")
"""Steps that run the whole model over data, once or twice."""
LAYERS, FITTED = "measure_layers", "adjust_weights"


class Costs(QuietListener):
    """Counts what steps that ran have cost."""

    def __init__(self) -> None:
        self.totals: dict[str, int] = {}
        self.passes = 0
        self.fitted = 0.0
        self._began = time.process_time()
        self._step = 0.0

    @property
    def seconds(self) -> float:
        """Of processors, but for the fitting of weights."""
        return time.process_time() - self._began - self.fitted

    def started(self, name: str) -> None:
        """Look at the clock."""
        self._step = time.process_time()

    def progressed(self, progress: StepProgress) -> None:
        """Remember how much a step runs in all."""
        self.totals[progress.name] = progress.total

    def finished(self, outcome: Outcome) -> None:
        """Count a step that ran."""
        if outcome.status != "ran":
            return
        total = self.totals.get(outcome.step, 0)
        self.passes += total if outcome.step.startswith(WHOLE) else 0
        self.passes += total // 2 if outcome.step.startswith(LAYERS) else 0
        self.fitted += time.process_time() - self._step if outcome.step == FITTED else 0.0


def tell(trial: Trial, better: bool) -> None:  # noqa: FBT001  # called with what it hears
    """Say how a trial went, while it goes on."""
    figures = ", ".join(f"{figure.name} {figure.found}" for figure in trial.figures)
    sys.stderr.write(f"  {'+' if better else ' '} {trial.what}: {trial.problem or figures}\n")


def measure(name: str, budget: float, folder: Path) -> list[str]:
    """Apply a recipe, measure its layers, tune it, and return its row."""
    recipe = HERE / f"{name}.yaml"
    given: dict[str, Any] = {"build_dir": folder, "executor": "inline", "jobs": 1}
    api.apply(recipe, no_gates=True, **given)
    one = Costs()
    api.sensitivity(recipe, listener=one, **given)
    once = one.seconds
    costs = Costs()
    found = api.tune(recipe, budget_seconds=budget, listener=costs, tell=tell, **given).tuning
    seconds = costs.seconds
    best, start = found.trials[found.best], found.trials[0]
    workshop = open_workshop(name)
    unseen = [
        workshop.attempt(Candidate(each.options, each.floats), Trial(what=""), data="unseen")
        for each in (start, best)
    ]
    return [
        name,
        start.figures[0].found,
        best.figures[0].found,
        *(each.problem or each.figures[0].found for each in unseen),
        "yes" if found.passed else "no",
        f"{100 * best.int8_share:.1f} %",
        str(len(best.floats)),
        ", ".join(best.options) or "-",
        str(len(found.trials)),
        f"{costs.passes} ({costs.passes / one.passes:.1f} x)",
        f"{seconds:.0f} s ({seconds / once:.1f} x)",
        f"{costs.fitted:.0f} s",
    ]


def open_workshop(name: str) -> Workshop:
    """Return where candidates of a recipe are built."""
    loaded = load_ready(HERE / f"{name}.yaml")
    store = Store(find_default_root())
    return Workshop(loaded, read_lines(loaded, SECTION), store, Inline(), QuietListener())


def compare_fits(name: str) -> list[str]:
    """Return what rounding and biases are worth on a model, with nothing else changed."""
    workshop = open_workshop(name)
    found = [workshop.attempt(Candidate(options), Trial(what="")) for options in FITS.values()]
    return [name, *(f"{each.figures[0].found}, {each.sqnr_db:.2f} dB" for each in found)]


def show(row: Sequence[str]) -> None:
    """Print a row as soon as it is known."""
    sys.stdout.write(" | ".join(row) + "\n")
    sys.stdout.flush()


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], help="all without any")
    parser.add_argument("--kept", type=Path, help="where store and builds are to stay")
    parser.add_argument("--budget", type=float, default=1800.0, metavar="SECONDS")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        kept = asked.kept or Path(folder)
        os.environ["TRTBUILD_STORE"] = str(kept / "store")
        names = asked.names or NAMES
        show(HEAD)
        for name in names:
            show(measure(name, asked.budget, kept))
        show(["plain, and", *FITS])
        for name in names:
            show(compare_fits(name))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
