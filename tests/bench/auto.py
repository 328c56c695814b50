"""What `auto` gives, against each kind by itself, onnxruntime.quantization and ModelOpt's ONNX PTQ.

    python -m tests.bench.auto --kept /tmp/auto-bench --modelopt /path/to/python
    python -m tests.bench.auto cnn yolov8n --no-theirs

The subjects are those of `tests/bench/subjects.py`. Limits are found on calibration samples; what
is printed is measured on others. How a model's roundings fall is chance: scales 1 % apart differ by
a dB and more in a classifier's logits. So each row is the mean of several draws, in which every
scale of an activation but the inputs' is up to 6 % wider, with its standard error. Beside it is the
share of multiply-accumulates in INT8: only rows of equal share can be compared.

What is kept in a folder is not measured again. `--modelopt` is the command of a Python that has
nvidia-modelopt[onnx], which wants other versions of ONNX and ONNX Runtime than trtbuild does.
"""

from __future__ import annotations

import argparse
import json
import logging
import pickle
import resource
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx

from tests.bench import accuracy
from tests.bench.accuracy import Subject, say
from tests.bench.subjects import SUBJECTS
from tests.helpers.quant import sqnr_db
from trtbuild.calib.auto import Auto
from trtbuild.calib.ranges import ranges_from_histograms
from trtbuild.model.feeds import Feed
from trtbuild.model.session import open_session
from trtbuild.quant.apply import quantize_model
from trtbuild.quant.rules.macs import count_macs
from trtbuild.steps.judged_limits import choose_judging, search_judged, spread_feeds

SINGLE = ("minmax", "percentile", "entropy2", "mse")
METHODS = ("max", "entropy")
WIDER, THREADS = 0.06, 2
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
    feeds = spread_feeds(feeds_of(subject), judging, count, frozenset())
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "model.onnx")
        path.write_bytes(subject.model)
        out = Path(scratch, "out")
        return search_judged(path, feeds, autos, histograms, folder=out, workers=THREADS)


def ours(subject, histograms, judged):
    """Quantize with searched limits."""
    autos = dict.fromkeys(histograms, Auto(kind="auto"))
    ranges = ranges_from_histograms(histograms, autos, samples=1, judged=judged)
    model = onnx.ModelProto.FromString(subject.model)
    return quantize_model(model, ranges=ranges).model.SerializeToString()


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


def widen(model, draw):
    """Return a Q/DQ model with every activation's scale a little wider, but the inputs'."""
    model = onnx.ModelProto.FromString(model)
    held = {each.name: each for each in model.graph.initializer}
    left_out = {each.name for each in model.graph.input} | set(held)
    chance = np.random.default_rng(draw)
    scales = {
        node.input[1]
        for node in model.graph.node
        if node.op_type == "QuantizeLinear" and node.input[0] not in left_out
    }
    for name in sorted(scales & set(held)):
        scale = onnx.numpy_helper.to_array(held[name])
        wider = np.asarray(scale * (1 + WIDER * chance.random()), scale.dtype)
        held[name].CopyFrom(onnx.numpy_helper.from_array(wider, name))
    return model.SerializeToString()


def run(model, subject):
    """Return a model's first output for all that is measured."""
    session = open_session(model, threads=THREADS)
    count = len(next(iter(subject.measured.values())))
    parts = [
        {name: rows[i : i + subject.batch] for name, rows in subject.measured.items()}
        for i in range(0, count, subject.batch)
    ]
    return np.concatenate([next(iter(session.run(part).values())) for part in parts])


def share_of(subject, model):
    """Return the share of multiply-accumulates whose operands are both made of INT8."""
    own = onnx.ModelProto.FromString(subject.model)
    sizes = {name: [1, *value.shape] for name, value in subject.calibration[0].items()}
    for each in own.graph.input:
        for dim, size in zip(
            each.type.tensor_type.shape.dim, sizes.get(each.name, ()), strict=False
        ):
            dim.Clear()
            dim.dim_value = size
    known = onnx.shape_inference.infer_shapes(own).graph
    shapes = {
        each.name: [dim.dim_value for dim in each.type.tensor_type.shape.dim]
        for each in (*known.value_info, *known.input, *known.output)
    } | {each.name: list(each.dims) for each in known.initializer}
    macs = count_macs(own, shapes)
    nodes = onnx.ModelProto.FromString(model).graph.node
    int8 = {name for one in nodes if one.op_type == "DequantizeLinear" for name in one.output}
    done = [one.name for one in nodes if len(one.input) > 1 and int8.issuperset(one.input[:2])]
    return sum(macs.get(name, 0) for name in done) / max(1, sum(macs.values()))


class Rows:
    """Measures rows of a subject's table, and keeps them."""

    def __init__(self, name, folder, draws):
        """Read what was kept."""
        self.path, self.draws = folder / f"{name}.json", draws
        self.kept = json.loads(self.path.read_text()) if self.path.exists() else {}
        self.reference = None

    def keep(self, label, found):
        """Keep and return what was found."""
        self.kept[label] = found
        self.path.write_text(json.dumps(self.kept, indent=1))
        return found

    def measure(self, label, subject, make):
        """Print and return a row's dB: mean over the draws; None where there is no model."""
        if label not in self.kept:
            try:
                model = make()
                if self.reference is None:
                    self.reference = run(subject.model, subject)
                drawn = [run(widen(model, number), subject) for number in range(self.draws)]
                every = [sqnr_db(self.reference, each) for each in drawn]
                self.keep(label, {"db": every, "share": share_of(subject, model)})
            except Exception as error:  # noqa: BLE001  # of foreign tools, whatever they raise
                self.keep(label, {"error": " ".join(str(error).split())[:100]})
        found = self.kept[label]
        if "error" in found:
            say(f"  {label:28} -        {found['error']}")
            return None
        if not found["share"]:
            say(f"  {label:28} -        nothing is in INT8")
            return None
        mean, spread = np.mean(found["db"]), np.std(found["db"]) / np.sqrt(len(found["db"]))
        say(f"  {label:28} {mean:6.2f} dB ±{spread:.2f}   INT8 {found['share']:.1%}")
        return float(mean)


def cost(path, kind):
    """Return seconds and peak memory in MB of a calibration in a process of its own."""
    call = [sys.executable, "-m", "tests.bench.auto", "--child", str(path), kind]
    found = subprocess.run(call, capture_output=True, text=True, check=True)
    return [float(each) for each in found.stdout.split()]


def child(path, kind):
    """Calibrate a subject, and print seconds and MB."""
    subject = pickle.loads(Path(path).read_bytes())  # noqa: S301  # written below
    begun = time.perf_counter()
    histograms = accuracy.histograms_of(subject)
    if kind == "auto":
        ours(subject, histograms, searched(subject, histograms).choices)
    else:
        accuracy.ours(subject, kind, histograms)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    say(f"{time.perf_counter() - begun:.2f} {peak:.0f}")


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
    rows, histograms = Rows(name, folder, asked.draws), []
    say(f"\n{name}")

    def seen():
        if not histograms:
            histograms.append(accuracy.histograms_of(subject))
        return histograms[0]

    def auto():
        found = searched(subject, seen())
        rows.keep("told", found.describe())
        return ours(subject, seen(), found.choices)

    single = {
        kind: rows.measure(kind, subject, lambda kind=kind: accuracy.ours(subject, kind, seen()))
        for kind in SINGLE
    }
    found = rows.measure("auto", subject, auto)
    say(f"  {rows.kept['told']}")
    theirs = {}
    for method in accuracy.THEIRS if asked.theirs else ():
        make = lambda method=method: accuracy.theirs(subject, method, accuracy.WEIGHTED)  # noqa: E731
        theirs[method] = rows.measure(f"ORT {method}", subject, make)
    for method in METHODS if asked.theirs and asked.modelopt else ():
        make = lambda method=method: modelopt(subject, method, asked.modelopt)  # noqa: E731
        theirs[method] = rows.measure(f"ModelOpt {method}", subject, make)
    costs = [
        rows.kept.get(f"cost {kind}") or rows.keep(f"cost {kind}", cost(path, kind))
        for kind in ("mse", "auto")
    ]
    behind = [
        found - max((each for each in group.values() if each is not None), default=np.nan)
        for group in (single, theirs)
    ]
    ratios = [auto / mse for mse, auto in zip(*costs, strict=True)]
    say(f"  auto: {behind[0]:+.2f} dB to the best kind, {behind[1]:+.2f} dB to the best of theirs")
    say(f"  time {ratios[0]:.2f} and memory {ratios[1]:.2f} of mse's")
    return [name, *behind, *ratios]


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
    say("\nsubject        less best kind   less best of theirs   time   memory")
    for name, kind, other, seconds, memory in filter(None, found):
        say(f"{name:14} {kind:+8.2f} dB      {other:+8.2f} dB        {seconds:6.2f} {memory:6.2f}")


if __name__ == "__main__":
    main()
