"""What decoding photographs costs beside calibrating ResNet-50 on them, in one run.

    python -m tests.bench.decoding --pictures 500
    python -m tests.bench.decoding --pictures 60 --rounds 3

Photographs are scikit-image's, enlarged to 2400x1800 with some grain, so that each takes about
1 MB as JPEG. Rows: `capture` decodes all and writes down what they are; the others calibrate
(minmax) on arrays that are in memory already, on what the capture has kept, and on pictures that
are decoded for it. Each in a process of its own, its imports not counted; `cores` is CPU time over
time, of what the machine has.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.calibration import export, say

ROOT = Path(__file__).parents[2]
ROWS = ("capture", "memory", "kept", "decoded")
PHOTOS = ("astronaut", "coffee", "chelsea", "rocket")
SIZE = (2400, 1800)
GRAIN = 6
DIFFERENT = 24
QUALITY = 90
SOURCE = """{
    "kind": "images", "path": "photos",
    "preprocess": {
        "resize": 256, "crop": [224, 224],
        "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]
    }
}"""


def take_photographs(folder, count):
    """Save pictures of about 1 MB, most of them several times; return their mean size in MB."""
    import numpy as np
    import skimage.data
    from PIL import Image

    folder.mkdir()
    rng = np.random.default_rng(0)
    whole = [
        Image.fromarray(getattr(skimage.data, name)()).resize(SIZE, Image.Resampling.BICUBIC)
        for name in PHOTOS
    ]
    grain = rng.normal(0, GRAIN, (SIZE[1] + 64, SIZE[0] + 64, 1)).astype(np.float32)
    total = 0
    for index in range(min(count, DIFFERENT)):
        photo = np.asarray(whole[index % len(whole)], np.float32)
        down, across = rng.integers(0, 64, 2)
        noisy = photo + grain[down : down + SIZE[1], across : across + SIZE[0]]
        path = folder / f"{index:04d}.jpg"
        picture = Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))
        picture.save(path, quality=QUALITY)
        total += path.stat().st_size
    for index in range(DIFFERENT, count):
        shutil.copy(folder / f"{index % DIFFERENT:04d}.jpg", folder / f"{index:04d}.jpg")
    return total / min(count, DIFFERENT) / 1e6


def capture(folder):
    """Capture the photographs, and write down how to read them."""
    from tests.helpers import sources

    source = sources.source_of(SOURCE)
    data, _ = sources.capture(source, folder, folder / "kept", threads=os.cpu_count())
    (folder / "data.json").write_text(data.model_dump_json())


def read_captured(folder, what):
    """Return what was captured, with what was kept of it or (`decoded`) without."""
    from trtbuild.data.archive import write_samples
    from trtbuild.steps.base import Context
    from trtbuild.steps.capture_data import DataInput

    data = DataInput.model_validate_json((folder / "data.json").read_text())
    kept = {"manifest": "manifest.json", "samples": "samples.npz"}
    inputs = {f"capture/{name}": folder / "kept" / file for name, file in kept.items()}
    if what == "decoded":
        inputs["capture/samples"] = folder / "empty.npz"
        with write_samples(folder / "empty.npz"):
            pass
    return data, Context(inputs=inputs, out=folder, threads=os.cpu_count())


def calibrate(folder, data, context):
    """Find ranges by minmax."""
    from trtbuild.calib.minmax import Minmax
    from trtbuild.steps.base import Context, Ref
    from trtbuild.steps.calibrate import Calibrate

    step = Calibrate(
        model=Ref(step="fix", output="model"), data=data, calibrator=Minmax(kind="minmax")
    )
    with tempfile.TemporaryDirectory() as scratch:
        inputs = {**context.inputs, "fix/model": folder / "model.onnx"}
        step.run(Context(inputs=inputs, out=Path(scratch), threads=os.cpu_count()))


def child(what, folder):
    """Do one row's work and print its seconds, and those of all processors."""
    import trtbuild.steps.calibrate  # noqa: F401  # imports are not counted

    if what == "capture":
        import PIL.Image  # noqa: F401

        started = now()
        capture(folder)
    else:
        data, context = read_captured(folder, what)
        if what == "memory":
            samples = list(data.samples(context))
            type(data).samples = lambda *_, **__: iter(samples)
        started = now()
        calibrate(folder, data, context)
    say(" ".join(str(after - before) for after, before in zip(now(), started, strict=True)))


def now():
    """Return the time, and the CPU time of this process and of those that shared its work."""
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return time.perf_counter(), sum(each.ru_utime + each.ru_stime for each in used)


def main():
    """Print a row each: seconds, cores that were busy, and what is added to data in memory."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pictures", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=1, help="the least of all counts")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        child(asked.child[0], Path(asked.child[1]))
        return
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        size = take_photographs(folder / "photos", asked.pictures)
        export("resnet50", str(folder / "model.onnx"))
        say(f"{asked.pictures} photographs of {size:.2f} MB, {os.cpu_count()} cores")
        best = {}
        for _ in range(asked.rounds):
            for row in ROWS:
                command = [sys.executable, "-W", "ignore", "-m", "tests.bench.decoding"]
                told = subprocess.run(
                    [*command, "--child", row, place],
                    cwd=ROOT, capture_output=True, text=True, check=True,
                )  # fmt: skip
                seconds, used = map(float, told.stdout.split()[-2:])
                best[row] = min(best.get(row, (seconds, used)), (seconds, used))
        for row, (seconds, used) in best.items():
            more, cpu = (
                each / other - 1
                for each, other in zip((seconds, used), best["memory"], strict=True)
            )
            added = "" if row in {"capture", "memory"} else f"  {more:+.0%} time, {cpu:+.0%} CPU"
            busy = f"{used:7.1f} s of CPU  {used / seconds:4.2f} cores"
            say(f"{row:8} {seconds:7.1f} s {busy}{added}")
        tell_floor(best, asked.pictures)


def tell_floor(best, pictures):
    """Print what decoding and calibrating in one go take at the least, and how near `decoded` is.

    Both are work of the processor: the floor is what they take of it, over all cores.
    """
    decoding, calibrating = best["capture"][1], best["memory"][1]
    floor = (decoding + calibrating) / os.cpu_count()
    each = [1000 * used / pictures for used in (decoding, calibrating)]
    say(f"a picture: {each[0]:.0f} ms of CPU to decode, {each[1]:.0f} ms to calibrate on")
    say(f"floor of decoding and calibrating: {floor:.1f} s, {floor / best['memory'][0] - 1:+.0%} "
        f"over memory; decoded takes {best['decoded'][0] / floor:.2f} of it")  # fmt: skip


if __name__ == "__main__":
    main()
