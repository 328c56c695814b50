"""A pipeline of two models over 4K frames, against its slowest stage alone.

    python -m tests.bench.pipeline [SECONDS]

Frames are made here; the models are convolutions of the sizes of a detector and a classifier,
with random weights. Frames go in as fast as they are taken, and queues block.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx

from tests.helpers.models import model_of
from trtbuild.pipeline.item import Item
from trtbuild.pipeline.load import load_pipeline
from trtbuild.pipeline.run import run_pipeline

HEIGHT, WIDTH = 2160, 3840
NET = """
net (float[n,3,{size},{size}] x) => (float[n,8] y)
{{ a = Conv <pads: ints = [1,1,1,1], strides: ints = [2,2]> (x, w0) b = Relu(a)
   c = Conv <pads: ints = [1,1,1,1]> (b, w1) d = Relu(c)
   e = Conv <pads: ints = [1,1,1,1], strides: ints = [2,2]> (d, w2)
   f = GlobalAveragePool(e) y = Flatten(f) }}
"""
CODE = """
def cut(item):
    item.pictures = [item.picture[:1080, :1920], item.picture[1080:, 1920:]]
    return item
"""
MODEL = {"threads": 1}
STAGES = {
    "find": {"recipe": "find.yaml", **MODEL},
    "cut": {"python": "code.py:cut"},
    "name": {"recipe": "name.yaml", "batch": 2, "wait_ms": 2, **MODEL},
}


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "code.py").write_text(CODE)
        make_recipe(folder, "find", 320, 24)
        make_recipe(folder, "name", 160, 24)
        alone = {stage: measure(folder, {stage: STAGES[stage]}, seconds / 4) for stage in STAGES}
        before = read_resident()
        together = measure(folder, STAGES, seconds, hold=True)
        say(f"alone, frames a second: { {each: round(rate, 2) for each, rate in alone.items()} }")
        say(f"together {together:.2f}: {together / min(alone.values()):.2f} of the slowest alone")
        say(f"memory {before:.0f} MiB before, {read_resident():.0f} after")


def make_recipe(folder: Path, name: str, size: int, channels: int) -> None:
    recipe = {
        "version": 1,
        "name": name,
        "model": {"kind": "onnx", "path": f"{name}.onnx"},
        "data": {"d": {"kind": "images", "path": "none", "input": "x",
                       "preprocess": {"resize": [size, size], "resize_like": "opencv"}}},
        "targets": {"it": {"kind": "onnxruntime"}},
        "compare": {"data": "d", "metrics": ["top1_agreement"]},
    }  # fmt: skip
    (folder / f"{name}.yaml").write_text(json.dumps(recipe))
    random = np.random.default_rng(0)
    shapes = {"w0": (channels, 3, 3, 3), "w1": (channels,) * 2 + (3, 3), "w2": (8, channels, 3, 3)}
    model = model_of(
        NET.format(size=size),
        {each: random.normal(0, 0.1, shape).astype(np.float32) for each, shape in shapes.items()},
    )
    (folder / f"build/{name}").mkdir(parents=True)
    onnx.save(model, folder / f"build/{name}/model.fp32.onnx")


def measure(folder: Path, stages: dict, seconds: float, *, hold: bool = False) -> float:
    """Return frames a second; with `hold`, none may be lost or out of order."""
    told = {"version": 1, "source": {"kind": "folder", "path": "none"}, "stages": stages,
            "results": {"json_lines": "out.jsonl"}}  # fmt: skip
    (folder / "p.yaml").write_text(json.dumps(told))
    loaded = load_pipeline(folder / "p.yaml")
    found = run_pipeline(loaded, folder / "build", frames=paint(seconds))
    if hold:
        lines = (folder / "out.jsonl").read_text().splitlines()
        numbers = [json.loads(line)["frame"] for line in lines]
        assert numbers == list(range(found.frames)), "a frame is lost or out of order"
        say(f"{found.frames} frames in order, none lost; {found.delays_ms}")
        for each in found.parts:
            say(f"  {each.stage} {each.part}: busy {each.busy:.2f}, queue {each.queue_mean:.1f}")
    return found.rate


def paint(seconds: float) -> Iterator[Item]:
    """4K frames, of a few that are made once: what is measured is not their making."""
    random = np.random.default_rng(0)
    kept = [random.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8) for _ in range(3)]
    end, number = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        yield Item(number, f"{number}", kept[number % len(kept)])
        number += 1


def read_resident() -> float:
    """Return this process's resident memory in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if "VmRSS" in line) / 1024


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
