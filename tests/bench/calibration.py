"""Time and memory of calibration against plain FP32 inference of the same images, in one run.

    python -m tests.bench.calibration --model resnet50 --images 64
    python -m tests.bench.calibration --rounds 9 --memory --against ../before

Each row is measured in a process of its own, from the model's file to the last range: loading,
session set-up and threshold search included, imports not. The yardstick is ONNX Runtime with its
defaults, one image at a time. Seeded weights and seeded pictures: neither time nor memory depends
on what they show. `--against` measures the same rows in another checkout, in turn with this one's.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
IMPORTED = {
    "export": (),
    "plain": ("numpy", "onnxruntime"),
    "ours": ("numpy", "onnxruntime", "onnx", "trtbuild.steps.calibrate"),
    "theirs": ("onnxruntime.quantization",),
}
OURS = ("minmax", "entropy2", "percentile", "mse", "entropy", "legacy", "auto")
THEIRS = ("MinMax", "Entropy", "Entropy2048", "Percentile")
MODELS = {"resnet50": "recipes/models/resnet50.py", "mobilenetv2": "tests/bench/mobilenetv2.py"}


STEP = """{
    "model": {"step": "fix_graph", "output": "model"},
    "data": {
        "source": {"kind": "arrays", "path": "pictures.npz"}, "files": [],
        "manifest": {"step": "capture_data", "output": "manifest"},
        "stored": {"step": "capture_data", "output": "samples"}
    },
    "calibrator": {"kind": "%s"}
}"""


class Row(NamedTuple):
    """What is measured, and of which checkout."""

    what: str
    root: Path = ROOT

    def __str__(self):
        return self.what if self.root == ROOT else f"{self.what}, {self.root.name}"


@dataclass
class Picture:
    """A sample."""

    name: str
    arrays: dict


def pictures(count):
    """Yield seeded images, normalized, one at a time."""
    import numpy as np

    base = np.random.default_rng(0).standard_normal((3, 224, 224)).astype(np.float32)
    for index in range(count):
        yield Picture(str(index), {"input": np.roll(base, index, axis=2)})


def export(model, path):
    """Write the model as ONNX with a dynamic batch."""
    import torch

    spec = importlib.util.spec_from_file_location(model, ROOT / MODELS[model])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    torch.manual_seed(0)
    net = getattr(module, model)().eval()
    torch.onnx.export(
        net,
        (torch.zeros(2, 3, 224, 224),),
        path,
        opset_version=20,
        dynamo=False,
        input_names=["input"],
        output_names=["output"],
        dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}},
    )


def plain(path, count):
    """Run the model over the images, and that is all."""
    import onnxruntime as ort

    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    for picture in pictures(count):
        session.run(None, {"input": picture.arrays["input"][None]})


def ours(path, count, kind):
    """Run the step: from the model's file to the table of ranges."""
    from trtbuild.data.base import Manifest
    from trtbuild.steps.base import Context
    from trtbuild.steps.calibrate import Calibrate
    from trtbuild.steps.capture_data import DataInput

    manifest = Manifest(count=count, samples=(), tensors=(), labelled=False)
    DataInput.read_manifest = lambda *_: manifest
    DataInput.samples = lambda *_, **__: pictures(count)
    step = Calibrate.model_validate_json(STEP % kind)
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch, "out")
        out.mkdir()
        step.run(Context(inputs={"fix_graph/model": Path(path)}, out=out))


def theirs(path, count, method):
    """Calibrate with onnxruntime.quantization."""
    from onnxruntime.quantization import calibrate

    class Reader(calibrate.CalibrationDataReader):
        def __init__(self):
            self.left = pictures(count)

        def get_next(self):
            picture = next(self.left, None)
            return picture and {"input": picture.arrays["input"][None]}

    name, bins = method.removesuffix("2048"), method.endswith("2048")
    with tempfile.TemporaryDirectory() as scratch:
        calibrator = calibrate.create_calibrator(
            path,
            augmented_model_path=f"{scratch}/augmented.onnx",
            calibrate_method=calibrate.CalibrationMethod[name],
            extra_options={"num_bins": 2048} if bins else {},
        )
        calibrator.collect_data(Reader())
        calibrator.compute_data()


def child(what, path, count):
    """Do one row's work and print its seconds."""
    whose, _, kind = what.partition(":")
    for name in IMPORTED[whose]:
        importlib.import_module(name)
    start = time.perf_counter()
    if whose == "export":
        export(kind, path)
    elif whose == "plain":
        plain(path, count)
    else:
        {"ours": ours, "theirs": theirs}[whose](path, count, kind)
    say(f"\n{time.perf_counter() - start}")


def started(row, path, count):
    """Start one row in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.bench.calibration"]
    command += ["--child", row.what, str(path), "--images", str(count)]
    environment = {**os.environ, "PYTHONPATH": str(row.root)}
    return subprocess.Popen(
        command, cwd=row.root, env=environment, stdout=subprocess.PIPE, text=True
    )


def seconds_of(row, path, count=0):
    """Return how long a row takes."""
    process = started(row, path, count)
    output, _ = process.communicate()
    assert process.returncode == 0
    return float(output.splitlines()[-1])


def peak_of(row, path, count):
    """Return a row's peak memory in MB, over all its processes; what they share counts once."""
    process, peak = started(row, path, count), 0
    while process.poll() is None:
        peak = max(peak, sum(map(pss_of, family(process.pid))))
        time.sleep(0.02)
    assert process.returncode == 0
    return peak / 1024


def family(pid):
    """Yield a process and all that come from it."""
    yield pid
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield from family(int(child))


def pss_of(pid):
    """Return a process's share of memory in kB; 0 if it has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def say(text):
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def times(path, rows, count, rounds):
    """Print each row's time over plain inference; the least of all rounds counts, for each."""
    best = Counter()
    for _ in range(rounds):
        for row in rows:
            seconds = seconds_of(row, path, count)
            best[row] = min(best[row] or seconds, seconds)
    for row, seconds in best.items():
        line = f"{row!s:30} {seconds:8.2f} s {seconds / best[Row('plain')]:7.2f} x plain"
        here = best.get(Row(row.what), seconds)
        say(line if row.root == ROOT else f"{line}; this one {here / seconds:5.2f} of it")


def memory(path, rows, counts):
    """Print each row's peak memory for each number of images."""
    for row in rows:
        peaks = [peak_of(row, path, count) for count in counts]
        cells = "   ".join(f"{p:5.0f} MB at {n}" for n, p in zip(counts, peaks, strict=True))
        say(f"{row!s:30} {cells}   growth {peaks[-1] - peaks[0]:+.0f} MB")


def main():
    """Read the arguments and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=MODELS, default="resnet50")
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=1, help="the least of so many is taken")
    parser.add_argument("--kinds", nargs="*", default=OURS[:4])
    parser.add_argument("--memory", type=int, nargs="*", default=(32, 256))
    parser.add_argument("--theirs", nargs="*", choices=THEIRS, default=())
    parser.add_argument("--against", type=Path, help="another checkout, measured in turn")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        child(*asked.child, asked.images)
        return
    kinds = [f"ours:{kind}" for kind in asked.kinds]
    roots = [ROOT, *([asked.against.resolve()] if asked.against else [])]
    rows = [Row("plain"), *(Row(kind, root) for kind in kinds for root in roots)]
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "model.onnx")
        seconds_of(Row(f"export:{asked.model}"), path)
        say(f"{asked.model}, {asked.images} images of 224x224, everything counted")
        times(
            path, [*rows, *(Row(f"theirs:{m}") for m in asked.theirs)], asked.images, asked.rounds
        )
        if asked.memory:
            say("peak memory")
            memory(path, rows, asked.memory)


if __name__ == "__main__":
    main()
