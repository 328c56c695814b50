"""A pipeline of two models over 4K frames, against its slowest stage alone.

    python -m tests.bench.pipeline [SECONDS]

Frames are made here; the models are convolutions of the sizes of a detector and a classifier,
with random weights. Frames go in as fast as they are taken, and queues block. On a GPU, see
`tests/bench/pipeline_gpu.py`.

Two ratios are told. That of frames a second is of the machine as it was. The other asks of the part
that takes most processor time a frame how long it had work in hand, and how much processor time a
frame took it: what else runs on the machine does not count.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import onnx

from tests.helpers.models import model_of
from trtbuild.pipeline.item import Item
from trtbuild.pipeline.load import load_pipeline
from trtbuild.pipeline.run import run_pipeline
from trtbuild.pipeline.stages import make_parts
from trtbuild.pipeline.workers import StagePart, Work

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
SIZES = {"find": (320, 24), "name": (160, 24)}
"""Of each model: the side of its picture, and channels."""
WARM = 5
STAGES = {
    "find": {"recipe": "find.yaml", **MODEL},
    "cut": {"python": "code.py:cut"},
    "which": {"recipe": "name.yaml", "batch": 2, "wait_ms": 2, **MODEL},
}


@dataclass(frozen=True)
class Measured:
    """A run: of all, and of each part by stage and name."""

    rate: float
    busy: dict[tuple[str, str], float]
    """The share of the time in which it worked."""
    processor: dict[tuple[str, str], float]
    """Seconds of its thread's processor time, a frame."""


def main() -> None:
    seconds = float(sys.argv[1]) if sys.argv[1:] else 20.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "code.py").write_text(CODE)
        make_recipe(folder, "find", *SIZES["find"])
        make_recipe(folder, "name", *SIZES["name"])
        alone = {stage: measure(folder, {stage: STAGES[stage]}, seconds / 8) for stage in STAGES}
        together = measure(folder, STAGES, seconds, hold=True)
        rates = {stage: round(each.rate, 2) for stage, each in alone.items()}
        say(f"alone, frames a second: {rates}")
        slowest = min(each.rate for each in alone.values())
        say(f"together {together.rate:.2f}: {together.rate / slowest:.2f} of the slowest alone")
        say_fair(alone, together)


def say_fair(alone: dict[str, Measured], together: Measured) -> None:
    """Tell the rates' ratio as it is where every part has a processor to itself."""
    processor = {part: each for it in alone.values() for part, each in it.processor.items()}
    part = max(processor, key=lambda each: processor[each])
    before, now = alone[part[0]], together
    ratio = now.busy[part] / now.processor[part] * before.processor[part] / before.busy[part]
    say(
        f"{part[0]} {part[1]}: {1e3 * before.processor[part]:.1f} ms of processor time a frame "
        f"alone, {1e3 * now.processor[part]:.1f} together; busy {before.busy[part]:.2f} and "
        f"{now.busy[part]:.2f}: {ratio:.2f} of it alone"
    )


def make_recipe(
    folder: Path, name: str, size: int, channels: int, metrics: list[Any] | None = None
) -> None:
    recipe = {
        "version": 1,
        "name": name,
        "model": {"kind": "onnx", "path": f"{name}.onnx"},
        "data": {"d": {"kind": "images", "path": "none", "input": "x",
                       "preprocess": {"resize": [size, size], "resize_like": "opencv"}}},
        "targets": {"it": {"kind": "onnxruntime"}},
        "compare": {"data": "d", "metrics": metrics or ["top1_agreement"]},
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


def measure(folder: Path, stages: dict, seconds: float, *, hold: bool = False) -> Measured:
    """Run stages; with `hold`, no frame may be lost or out of order, and memory is told."""
    told = {"version": 1, "source": {"kind": "folder", "path": "none"}, "stages": stages,
            "results": {"json_lines": "out.jsonl"}}  # fmt: skip
    (folder / "p.yaml").write_text(json.dumps(told))
    spent: Counter[tuple[str, str]] = Counter()

    def make(*arguments) -> list[StagePart]:
        parts = make_parts(*arguments)
        return [replace(each, work=counted(each, spent)) for each in parts]

    resident: list[float] = []
    with mock.patch("trtbuild.pipeline.run.make_parts", make):
        found = run_pipeline(
            load_pipeline(folder / "p.yaml"),
            folder / "build",
            frames=paint(seconds),
            tell=lambda _: resident.append(read_resident()),
            tell_seconds=seconds / 20,
        )
    if hold:
        lines = (folder / "out.jsonl").read_text().splitlines()
        numbers = [json.loads(line)["frame"] for line in lines]
        assert numbers == list(range(found.frames)), "a frame is lost or out of order"
        say(f"{found.frames} frames in {found.seconds:.0f} s, in order, none lost")
        say(f"from a frame to its result: {found.delays_ms}")
        for each in found.parts:
            say(f"  {each.stage} {each.part}: busy {each.busy:.2f}, queue {each.queue_mean:.1f}")
        say(f"memory, MiB, as it went: {' '.join(f'{each:.0f}' for each in resident)}")
    return Measured(
        found.rate,
        {(each.stage, each.part): each.busy for each in found.parts},
        {part: each / found.frames for part, each in spent.items()},
    )


def counted(part: StagePart, spent: Counter[tuple[str, str]]) -> Work:
    """Return a part's work, which counts the processor time that its thread takes."""

    def work(items: Sequence[Item]) -> list[Item]:
        before = time.thread_time()
        done = part.work(items)
        spent[part.stage, part.name] += time.thread_time() - before
        return done

    return work


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
