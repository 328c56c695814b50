"""What `auto` gives, against each kind by itself, onnxruntime.quantization and ModelOpt's ONNX PTQ.

    python -m tests.bench.auto --kept /tmp/auto-bench --modelopt /path/to/python
    python -m tests.bench.auto cnn yolov8n --no-theirs

The subjects are those of `tests/bench/subjects.py`. Limits are found on calibration samples; what
is printed is measured on others: of the first output, or as the mean over its parts where these
differ in scale. How a model's roundings fall is chance: scales 1 % apart differ by a dB and more in
a classifier's logits. So each row is the mean of several draws, in which every scale of an
activation but the inputs' is up to 6 % wider. What is said of two rows is said of the same samples
with the same draws; beside it stands the standard error over samples (the jackknife's) and draws,
which is what other samples of the same sort, and limits a little off, may make of it. Beside each
row is the share of multiply-accumulates in INT8: only rows of equal layers can be compared, and one
small layer in float may be worth a dB. Where a tool leaves layers in float that `auto` does not, it
is compared with a row of its own, `auto as TOOL`, that has the same in float.

What is kept in a folder is not measured again. `--modelopt` is the command of a Python that has
nvidia-modelopt[onnx], which may want other versions of ONNX and ONNX Runtime than trtbuild does.
Time is processor time, of calibration in a process of its own.
"""

from __future__ import annotations

import argparse
import logging
import pickle
import shlex
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import onnx

from tests.bench import accuracy
from tests.bench.accuracy import Subject, say
from tests.bench.auto_rows import THREADS, Rows, Told, find_behind, summarize
from tests.bench.subjects import SUBJECTS
from trtbuild.calib.auto import Auto
from trtbuild.calib.ranges import ranges_from_histograms
from trtbuild.model.feeds import Feed
from trtbuild.quant.apply import quantize_model
from trtbuild.quant.requests import PrecisionRequests
from trtbuild.steps.judged_limits import (
    choose_judging,
    choose_repeats,
    search_judged,
    spread_feeds,
)

SINGLE = ("minmax", "percentile", "entropy2", "mse")
METHODS = ("max", "entropy")
MODELOPT = """
import sys, numpy as np
from modelopt.onnx.quantization import quantize
source, data, method, target = sys.argv[1:]
quantize(source, quantize_mode="int8", calibration_data=dict(np.load(data)),
         calibration_method=method, output_path=target, high_precision_dtype="fp32",
         calibration_eps=["cpu"], log_level="ERROR")
"""


def feeds_of(subject):
    """Return the calibration samples as steps see them."""
    return [
        Feed((str(i),), {name: value[None] for name, value in feed.items()})
        for i, feed in enumerate(subject.calibration)
    ]


def searched(subject, histograms):
    """Return the limits that the second pass finds."""
    autos = dict.fromkeys(histograms, Auto(kind="auto"))
    count = len(subject.calibration)
    judging = choose_judging(autos, histograms, count)
    repeats = choose_repeats(histograms, count, judging)
    feeds = spread_feeds(feeds_of(subject), judging, count, frozenset())
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "model.onnx")
        path.write_bytes(subject.model)
        out = Path(scratch, "out")
        return search_judged(
            path, feeds, autos, histograms, folder=out, workers=THREADS, repeats=repeats
        )


def ours(subject, histograms, judged, *, skip=()):
    """Quantize with searched limits, but for the layers to skip."""
    autos = dict.fromkeys(histograms, Auto(kind="auto"))
    ranges = ranges_from_histograms(histograms, autos, samples=1, judged=judged)
    model = onnx.ModelProto.FromString(subject.model)
    requests = PrecisionRequests(skip=tuple(sorted(skip)))
    return quantize_model(model, ranges=ranges, requests=requests).model.SerializeToString()


def modelopt(subject, method, command):
    """Quantize with ModelOpt, in the Python that has it."""
    with tempfile.TemporaryDirectory() as scratch:
        source, data, target = (Path(scratch, name) for name in ("in.onnx", "in.npz", "out.onnx"))
        source.write_bytes(subject.model)
        names = subject.calibration[0]
        np.savez(data, **{n: np.stack([one[n] for one in subject.calibration]) for n in names})
        call = [*shlex.split(command), "-c", MODELOPT, source, data, method, target]
        found = subprocess.run(call, capture_output=True, text=True, check=False)
        if not target.exists():
            raise RuntimeError((found.stderr.strip() or "no model").splitlines()[-1])
        return target.read_bytes()


def cost(path, kind):
    """Return processor seconds and peak memory in MB of a calibration in its own process."""
    call = [sys.executable, "-m", "tests.bench.auto", "--child", str(path), kind]
    found = subprocess.run(call, capture_output=True, text=True, check=True)
    return [float(each) for each in found.stdout.split()]


def child(path, kind):
    """Calibrate a subject, and print seconds and MB."""
    subject = pickle.loads(Path(path).read_bytes())  # noqa: S301  # written below
    begun = time.process_time()
    histograms = accuracy.histograms_of(subject)
    if kind == "auto":
        ours(subject, histograms, searched(subject, histograms).choices)
    else:
        accuracy.ours(subject, kind, histograms)
    # getrusage's peak is that of the parent where that was larger: exec does not reset it.
    lines = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024
    say(f"{time.process_time() - begun:.2f} {peak:.0f}")


def list_theirs(subject, asked):
    """Yield the rows of other tools: label, and what makes the model."""
    for method in accuracy.THEIRS if asked.theirs else ():
        yield f"ORT {method}", partial(accuracy.theirs, subject, method, accuracy.WEIGHTED)
    for method in METHODS if asked.theirs and asked.modelopt else ():
        yield f"ModelOpt {method}", partial(modelopt, subject, method, asked.modelopt)


def match(rows, label, subject, auto):
    """Measure `auto` with the layers in float that a tool leaves there; return that row's label."""
    left = rows.kept["auto"]["layers"] - rows.kept[label]["layers"]
    if not left:
        return "auto"
    made = f"auto as {label.split()[0]}"
    rows.measure(made, subject, lambda: auto(left))
    return made


def table(name, asked, folder):
    """Print a subject's table; return how far `auto` is from the best of each side."""
    path = folder / f"{name}.pkl"
    if not path.exists():
        if (made := SUBJECTS[name]()) is None:
            say(f"\n{name}: not measured; what carries it is not installed")
            return None
        bare = Subject(made.model, made.calibration, made.measured, print, made.batch)
        path.write_bytes(pickle.dumps(bare))
    subject = pickle.loads(path.read_bytes())  # noqa: S301  # written above
    rows, histograms, searches = Rows(name, folder, asked.draws), [], []
    say(f"\n{name}")

    def seen():
        if not histograms:
            histograms.append(accuracy.histograms_of(subject))
        return histograms[0]

    def auto(skip=()):
        if not searches:
            searches.append(searched(subject, seen()))
            rows.keep("told", searches[0].describe())
        return ours(subject, seen(), searches[0].choices, skip=skip)

    single = {
        kind: rows.measure(kind, subject, lambda kind=kind: accuracy.ours(subject, kind, seen()))
        for kind in SINGLE
    }
    found = rows.measure("auto", subject, auto)
    say(f"  {rows.kept.get('told', '')}")
    theirs = {}
    for label, make in list_theirs(subject, asked):
        decibels = rows.measure(label, subject, make)
        theirs[label] = decibels, "auto" if decibels is None else match(rows, label, subject, auto)
    single = {kind: (each, "auto") for kind, each in single.items()}
    costs = [
        rows.kept.get(f"cost {kind}") or rows.keep(f"cost {kind}", cost(path, kind))
        for kind in ("mse", "auto")
    ]
    ratios = [auto / mse for mse, auto in zip(*costs, strict=True)]
    against = [find_behind(rows, group) for group in (single, theirs)]
    for (label, gap, spread), side in zip(against, ("kind", "of theirs"), strict=True):
        say(f"  auto: {gap:+.2f} dB ±{spread:.2f} to the best {side}, {label}")
    say(f"  time {ratios[0]:.2f} and memory {ratios[1]:.2f} of mse's")
    return Told(name, found, against, ratios)


def main():
    """Read the arguments, print a table for each subject and a summary."""
    parser = argparse.ArgumentParser(description="What auto gives, against each kind by itself.")
    parser.add_argument("subjects", nargs="*", help=f"{', '.join(SUBJECTS)}; all by default")
    parser.add_argument("--no-theirs", dest="theirs", action="store_false")
    parser.add_argument("--modelopt", help="the command of a Python that has nvidia-modelopt")
    parser.add_argument("--kept", type=Path, help="a folder that keeps what was measured")
    parser.add_argument("--draws", type=int, default=4)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    logging.disable(logging.WARNING)
    if asked.child:
        child(*asked.child)
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.kept or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        found = [table(name, asked, folder) for name in asked.subjects or SUBJECTS]
    found = [each for each in found if each and each.auto is not None]
    if found:
        say("")
        summarize(found)


if __name__ == "__main__":
    main()
