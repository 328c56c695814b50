"""Calibration on a GPU, against plain inference and against other tools there.

    python -m tests.bench.gpu                                  # all, on the first GPU
    python -m tests.bench.gpu --models resnet50 --samples 1024 --rounds 3

Needs `trtbuild[cuda,torch]`, torchvision and timm; what `--others` may name of ModelOpt,
`modelopt-max` and `modelopt-entropy`, needs nvidia-modelopt[onnx], too: of it the time is told that
samples take beyond two. Models have seeded weights and see seeded noise: time depends on neither.
Each row runs in a process of its own: a session is opened, 64 samples are run, and then the samples
are timed, from arrays in memory to histograms; what is timed has nothing of the session's start.
`plain` is inference of the same batches, fed in the same way, whose outputs stay on the device;
`feed` is that without the inference: samples are stacked, and copied there. Ratios are against
`plain`. Memory is what the process holds of the GPU's at the end.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
SIDES = {"resnet50": 224, "mobilenetv2": 224, "vit_b": 224, "yolov8": 640}
ROWS = ("plain", "feed", "minmax", "histograms")
BARE = ("plain", "feed")
"""Rows of which nothing is observed."""
WARM = 64
EXTREMES = ("MinMax", "modelopt-max")
FETCHED = {"MinMax": 128}
"""Samples that another tool is given, where it is not a batch of 32: it fetches all to the host."""


class Sample:
    """One array, by name."""

    def __init__(self, index, array):
        self.name = f"s{index}"
        self.arrays = {"x": array}


def export(name, path):
    """Write a model whose batch is open."""
    import torch

    torch.manual_seed(0)
    if name == "yolov8":
        from recipes.models.shapes_yolo import shapes_yolo

        net = shapes_yolo(width=16, classes=80)
    elif name == "vit_b":
        import timm

        timm.layers.set_fused_attn(False)
        net = timm.create_model("vit_base_patch16_224", pretrained=False)
    else:
        import torchvision

        net = {"resnet50": "resnet50", "mobilenetv2": "mobilenet_v2"}[name]
        net = getattr(torchvision.models, net)(weights=None)
    side = SIDES[name]
    torch.onnx.export(
        net.eval(), torch.rand(1, 3, side, side), str(path), input_names=["x"],
        output_names=["y"], dynamic_axes={"x": {0: "batch"}, "y": {0: "batch"}},
        opset_version=17, dynamo=False,
    )  # fmt: skip


def say(*words):
    """Write a line, at once."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def make_samples(name, count):
    """Return samples, of which 256 at most are different arrays: more than any cache holds."""
    rng, side = np.random.default_rng(0), SIDES[name]
    arrays = [rng.random((3, side, side), np.float32) for _ in range(min(count, 256))]
    return [Sample(i, arrays[i % len(arrays)]) for i in range(count)]


def used_bytes():
    """Return what is taken of the GPU's memory, by whomever."""
    from cuda.bindings import driver

    _, free, total = driver.cuMemGetInfo()
    return int(total) - int(free)


def measure(what, name, path, count, rounds):
    """Return seconds for each round, how many tensors there are, and the device's memory."""
    from trtbuild.calib.collect import collect_histograms
    from trtbuild.calib.histogram import Histogram
    from trtbuild.calib.observe import observing
    from trtbuild.calib.on_gpu.reduction import Reduction
    from trtbuild.model.onnx_file import load_onnx
    from trtbuild.model.providers import make_cuda
    from trtbuild.quant.placing.policy import list_observed

    model = load_onnx(path)
    tensors = ["y"] if what in BARE else list_observed(model)
    if what in BARE:
        Reduction.add = lambda *_: None
        Reduction.name_not_finite = lambda *_: []
        Reduction.finish = lambda self, _: self._work.wait()
    samples = make_samples(name, count)
    seconds, notes = [], []
    with observing(model, tensors, folder=path.parent, providers=make_cuda()) as (observer, feeder):
        for some in (samples[:WARM], *[samples] * rounds):
            found = {each: Histogram(counted=what == "histograms") for each in tensors}
            if what in BARE:
                batch = int(Path(path.parent, f"{name}.batch").read_text())
                force_batch(batch, computes=what == "plain")
            begin = time.perf_counter()
            collect_histograms(
                observer, feeder.feeds(some), found, progress=lambda _: None, note=notes.append
            )
            seconds.append(time.perf_counter() - begin)
        if what not in BARE:
            batch = read_batch(notes)
            Path(path.parent, f"{name}.batch").write_text(str(batch))
        return {
            "first": seconds[0], "seconds": seconds[1:], "tensors": len(tensors),
            "bytes": used_bytes(), "notes": sorted(set(notes)), "batch": batch,
        }  # fmt: skip


def force_batch(batch, *, computes):
    """Have runs take so many samples, whatever fits, and compute with them, or not."""
    from trtbuild.calib.on_gpu import collect

    def settle(runs, first):
        for feed in first[:1]:
            runs._run(runs._slots[0], [feed])
            runs._work.wait()
        runs._batch = batch

    collect._Runs.settle_batch = settle
    if not computes:
        collect._Runs._compute = lambda _, slot: slot.room.upload()


def read_batch(notes):
    """Return how many samples a run took, as it was told."""
    for note in notes:
        if "in batches of " in note:
            return int(note.partition("in batches of ")[2].partition(",")[0])
    return 1


def measure_other(method, name, path, count):
    """Return the seconds that ONNX Runtime's own calibration takes for so many samples."""
    import onnxruntime as ort
    from onnxruntime.quantization import CalibrationMethod, create_calibrator

    ort.preload_dlls()
    arrays = [each.arrays["x"] for each in make_samples(name, count)]
    batches = [np.stack(arrays[i : i + 32]) for i in range(0, count, 32)]

    class Reader:
        def __init__(self, given):
            self._left = iter(given)

        def get_next(self):
            batch = next(self._left, None)
            return None if batch is None else {"x": batch}

    with tempfile.TemporaryDirectory() as folder:
        made = create_calibrator(
            str(path), None, str(Path(folder) / "augmented.onnx"),
            calibrate_method=CalibrationMethod[method],
        )  # fmt: skip
        made.set_execution_providers(["CUDAExecutionProvider"])
        made.collect_data(Reader([batches[0][:1]]))
        begin = time.perf_counter()
        made.collect_data(Reader(batches))
        if method != "MinMax":
            made.compute_data()
        return {"seconds": [time.perf_counter() - begin]}


def measure_modelopt(method, path, name, count):
    """Return the seconds that ModelOpt takes for so many samples more than for two of them."""
    from modelopt.onnx.quantization import quantize

    seconds = []
    for some in (2, 2, count + 2):  # of the first, libraries are loaded
        samples = np.stack([each.arrays["x"] for each in make_samples(name, some)])
        with tempfile.TemporaryDirectory() as folder:
            begin = time.perf_counter()
            quantize(
                str(path), quantize_mode="int8", calibration_data={"x": samples},
                calibration_method=method.removeprefix("modelopt-"),
                calibration_eps=["cuda:0", "cpu"], high_precision_dtype="fp32",
                output_path=str(Path(folder) / "q.onnx"), log_level="ERROR",
            )  # fmt: skip
            seconds.append(time.perf_counter() - begin)
    return {"seconds": [seconds[2] - seconds[1]]}


def ask(*words):
    """Measure a row in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.gpu", "--row", *map(str, words)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if ran.returncode:
        return {"failed": (ran.stderr.strip().splitlines() or ["?"])[-1]}
    return json.loads(ran.stdout.splitlines()[-1])


def compare_models(models, count, rounds, *, others):
    """Measure each model by each row, and print ratios."""
    with tempfile.TemporaryDirectory() as folder:
        for name in models:
            path = Path(folder) / f"{name}.onnx"
            export(name, path)
            found = {row: ask(row, name, path, count, rounds) for row in ROWS[::-1]}
            say(f"{name}: {count} samples of {SIDES[name]} x {SIDES[name]}")
            base = found["plain"]
            for row in ROWS:
                say(f"  {row:12}", describe(found[row], base, count))
            for method in others:
                asked = min(count, FETCHED.get(method, 32))
                other = ask(method, name, path, asked, 1)
                ours = found["minmax" if method in EXTREMES else "histograms"]
                tool = method if method.startswith("modelopt") else f"onnxruntime {method}"
                say(f"  {tool:24}", describe_other(other, ours, asked, count))


def describe(row, base, count):
    """Say how a row did, ratios first."""
    if "failed" in row or "failed" in base:
        return row.get("failed") or base.get("failed")
    best, plain = min(row["seconds"]), min(base["seconds"])
    return (
        f"{best / plain:5.2f} x plain, {row['bytes'] / base['bytes']:.2f} x its memory "
        f"({row['bytes'] >> 20} MiB): {1e3 * best:.0f} ms, {1e3 * best / count:.3f} ms a sample, "
        f"batch {row['batch']}, {row['tensors']} tensors, rounds "
        f"{[round(1e3 * each) for each in row['seconds']]} ms, first 64 {row['first']:.2f} s"
    )


def describe_other(other, ours, asked, count):
    """Say how much longer another tool takes for a sample."""
    if "failed" in other or "failed" in ours:
        return other.get("failed") or ours.get("failed")
    each, our = other["seconds"][0] / asked, min(ours["seconds"]) / count
    return f"{each / our:.0f} times as long: {1e3 * each:.2f} ms a sample, on {asked} samples"


def main():
    """Measure a row, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default=",".join(SIDES))
    parser.add_argument("--samples", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--others", default="MinMax,Percentile")
    parser.add_argument("--row", nargs=5, metavar="WORD")
    asked = parser.parse_args()
    if asked.row:
        what, name, path, count, rounds = asked.row
        if what in ROWS:
            say(json.dumps(measure(what, name, Path(path), int(count), int(rounds))))
        elif what.startswith("modelopt-"):
            say(json.dumps(measure_modelopt(what, Path(path), name, int(count))))
        else:
            say(json.dumps(measure_other(what, name, Path(path), int(count))))
        return
    from trtbuild.machine.facts import InstalledPackages, list_gpus

    gpu, here = list_gpus()[0], InstalledPackages()
    say(f"{gpu.in_words()}, ONNX Runtime: {here['onnxruntime']}")
    others = list(filter(None, asked.others.split(",")))
    models = filter(None, asked.models.split(","))
    compare_models(models, asked.samples, asked.rounds, others=others)


if __name__ == "__main__":
    main()
