"""What `auto` takes, and what each kind by itself and onnxruntime.quantization give, in one run.

    python -m tests.bench.auto
    python -m tests.bench.auto cnn yolov8n --no-theirs

The subjects are those of `tests/bench/subjects.py`. `auto` judges on calibration samples; what is
printed is measured on others. The last column is how far `auto` is behind the best single kind.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
from pathlib import Path

from tests.bench import accuracy
from tests.bench.accuracy import say
from tests.bench.subjects import SUBJECTS
from tests.helpers.quant import sqnr_db
from trtbuild.calib.auto import Auto
from trtbuild.calib.ranges import ranges_from_histograms
from trtbuild.model.feeds import Feed
from trtbuild.quant.apply import quantize_model
from trtbuild.steps.judged_limits import choose_judging, judge_kinds, spread_feeds

SINGLE = ("minmax", "percentile", "entropy2", "mse")


def judged(subject, histograms):
    """Return what the second pass says of a subject."""
    autos = dict.fromkeys(histograms, Auto(kind="auto"))
    count = len(subject.calibration)
    feeds = [
        Feed((str(i),), {name: value[None] for name, value in feed.items()})
        for i, feed in enumerate(subject.calibration)
    ]
    chosen = spread_feeds(feeds, choose_judging(autos, histograms, count), count, frozenset())
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "model.onnx")
        path.write_bytes(subject.model)
        return judge_kinds(path, chosen, autos, histograms, folder=Path(scratch, "out"), workers=2)


def ours(subject, kind, histograms):
    """Quantize with the limits of one of the kinds that `auto` chooses from."""
    import onnx

    autos = dict.fromkeys(histograms, Auto(kind="auto"))
    ranges = ranges_from_histograms(histograms, autos, samples=1, judged=kind)
    model = onnx.ModelProto.FromString(subject.model)
    return quantize_model(model, ranges=ranges).model.SerializeToString()


def rows(name, *, theirs):
    """Print a subject's table."""
    subject = SUBJECTS[name]()
    if subject is None:
        say(f"\n{name}: not measured; what carries it is not installed")
        return
    reference = accuracy.run(subject.model, subject.measured, subject.batch)
    histograms = accuracy.histograms_of(subject)
    found = judged(subject, histograms)
    say(f"\n{name}: {found.describe()}")

    def measure(label, model):
        outputs = accuracy.run(model, subject.measured, subject.batch)
        decibels = sqnr_db(reference, outputs)
        say(f"  {label:28} {decibels:6.2f} dB   task {subject.score(outputs):.4f}")
        return decibels

    results = {kind: measure(kind, ours(subject, kind, histograms)) for kind in Auto.KINDS}
    best = max(results[kind] for kind in SINGLE)
    say(f"  auto ({found.best}) {results[found.best]:.2f} dB: {results[found.best] - best:+.2f}")
    for method in accuracy.THEIRS if theirs else ():
        measure(f"ORT {method}, weighted only", accuracy.theirs(subject, method, accuracy.WEIGHTED))


def main():
    """Read the arguments and print a table for each subject."""
    parser = argparse.ArgumentParser(description="What auto takes, against each kind by itself.")
    parser.add_argument("subjects", nargs="*", help=f"{', '.join(SUBJECTS)}; all by default")
    parser.add_argument("--no-theirs", action="store_true", help="leave ONNX Runtime's out")
    asked = parser.parse_args()
    logging.disable(logging.WARNING)
    for name in asked.subjects or SUBJECTS:
        rows(name, theirs=not asked.no_theirs)


if __name__ == "__main__":
    main()
