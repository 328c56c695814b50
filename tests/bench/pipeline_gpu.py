"""A pipeline of two models over 4K frames on a GPU, against loops of one frame after the other.

    python -m tests.bench.pipeline_gpu [SECONDS] [--profile]

Two pairs of models, with seeded weights: a detector of YOLOv8n's size at 640x640 and ResNet-50 on
two parts of each frame, which PyTorch exports; and the convolutions of `tests/bench/pipeline.py`,
which a GPU has run before it is told of them: what is left is all that is around the models.

The loop does what the pipeline does, one frame after the other, with both models in ONNX Runtime on
the same GPU: preprocessing on the CPU (by OpenCV, which that needs, and by trtbuild), inference,
reading what the models say, a line of JSON. Runs take turns, and each is told. `--profile` tells,
too, of which functions the pipeline's processor time is.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench import pipeline as small
from tests.bench.pipeline import WARM, make_recipe, measure, paint, say
from trtbuild.data.preprocess import Preprocess
from trtbuild.pipeline.results import describe_item
from trtbuild.recipe.load import load_recipe
from trtbuild.verbs.running.answers import choose_answering

TURNS = 3
SIZES = {"find": 640, "name": 224}
DETECTION = [{"kind": "detection", "layout": {"kind": "yolov8"}, "against": "reference"}]
Fit = Callable[[np.ndarray, int], np.ndarray]


def main() -> None:
    asked = [each for each in sys.argv[1:] if each != "--profile"]
    seconds = float(asked[0]) if asked else 10.0
    for told, make, sizes, batch in (
        ("a detector of YOLOv8n's size and ResNet-50", make_real, SIZES, 4),
        ("two models of three convolutions", make_small,
         {name: size for name, (size, _) in small.SIZES.items()}, 2),
    ):  # fmt: skip
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "code.py").write_text(small.CODE)
            make(folder)
            say(f"\n{told}, in batches of up to {batch} frames")
            compare(folder, seconds, sizes, batch)


def compare(folder: Path, seconds: float, sizes: dict[str, int], batch: int) -> None:
    """Run the pipeline and both loops in turn; tell the ratios of their rates."""
    stages = {
        "find": {"recipe": "find.yaml", "device": "cuda", "batch": batch, "wait_ms": 2},
        "cut": {"python": "code.py:cut"},
        "which": {"recipe": "name.yaml", "device": "cuda", "batch": batch, "wait_ms": 2},
    }
    if "--profile" in sys.argv:
        profile(lambda: measure(folder, stages, seconds))
    rates: dict[str, list[float]] = {"together": [], "OpenCV": [], "trtbuild": []}
    for turn in range(TURNS):
        rates["together"].append(measure(folder, stages, seconds, hold=turn == 0).rate)
        for name, fit in (("OpenCV", fit_by_opencv), ("trtbuild", fit_here)):
            rates[name].append(run_loop(folder, seconds / 2, sizes, fit))
    for name, each in rates.items():
        say(f"{name}: {' '.join(f'{rate:.1f}' for rate in each)} frames a second")
    middle = {name: statistics.median(each) for name, each in rates.items()}
    for name in ("OpenCV", "trtbuild"):
        say(f"{middle['together'] / middle[name]:.2f} times one frame after the other with "
            f"{name}'s preprocessing on the CPU")  # fmt: skip


def fit_here(picture: np.ndarray, size: int) -> np.ndarray:
    """Make a picture what a model takes, as the recipe says."""
    return Preprocess(resize=(size, size), resize_like="opencv").apply(picture, "it")


def fit_by_opencv(picture: np.ndarray, size: int) -> np.ndarray:
    """Make a picture what a model takes, as people write it."""
    import cv2

    small = cv2.resize(picture, (size, size), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(small.transpose(2, 0, 1), dtype=np.float32) / 255


def run_loop(folder: Path, seconds: float, sizes: dict[str, int], fit: Fit) -> float:
    """Run frames one after the other; return how many a second."""
    import onnxruntime as ort

    from trtbuild.model.providers import make_cuda, prepare

    prepare(make_cuda())
    models = {
        each: ort.InferenceSession(
            folder / f"build/{each}/model.fp32.onnx", providers=[*make_cuda()]
        )
        for each in sizes
    }
    count, begun = 0, 0.0
    readers = {each: make_reader(folder, each) for each in sizes}
    with (folder / "loop.jsonl").open("w") as lines:
        for item in paint(seconds + 2):
            parts = [item.picture[:1080, :1920], item.picture[1080:, 1920:]]
            for name, pictures in (("find", [item.picture]), ("name", parts)):
                fed = np.stack([fit(each, sizes[name]) for each in pictures])
                outputs = models[name].run(None, {"x": fed})
                item.answers[name] = readers[name](outputs, pictures)
            lines.write(json.dumps(describe_item(item)) + "\n")
            count += 1
            if count == WARM:
                begun = time.monotonic()
    return (count - WARM) / (time.monotonic() - begun)


def make_reader(folder: Path, name: str) -> Callable[[list[Any], list[np.ndarray]], list[Any]]:
    """Return what reads a model's outputs, as the pipeline does."""
    recipe = load_recipe(folder / f"{name}.yaml").recipe
    answering = choose_answering(recipe, ["y"], (), 1)
    how = recipe.data["d"].preprocess

    def read(outputs: list[Any], pictures: list[np.ndarray]) -> list[Any]:
        assert all(np.isfinite(each).all() for each in outputs), f"{name}: no number"
        return [
            answering.answer({"y": row}, how.view(each.shape[1], each.shape[0]))
            for row, each in zip(outputs[0], pictures, strict=True)
        ]

    return read


def make_small(folder: Path) -> None:
    for name, sizes in small.SIZES.items():
        make_recipe(folder, name, *sizes)


def make_real(folder: Path) -> None:
    """Export both models, whose batches are open; weights are seeded."""
    import torch

    from recipes.models.resnet50 import resnet50
    from recipes.models.shapes_yolo import shapes_yolo

    torch.manual_seed(0)
    nets = {"find": shapes_yolo(width=16, classes=80), "name": resnet50()}
    for name, net in nets.items():
        side = SIZES[name]
        make_recipe(folder, name, side, 8, DETECTION if name == "find" else None)
        torch.onnx.export(
            net.eval(), torch.rand(1, 3, side, side), folder / f"build/{name}/model.fp32.onnx",
            input_names=["x"], output_names=["y"], opset_version=17, dynamo=False,
            dynamic_axes={"x": {0: "batch"}, "y": {0: "batch"}},
        )  # fmt: skip


def profile(run: Callable[[], object]) -> None:
    """Sample what all threads do; tell the places that they stand at most often."""
    import threading
    from collections import Counter

    seen: Counter[tuple[str, str]] = Counter()
    ended = threading.Event()

    def look() -> None:
        names: dict[int | None, str] = {}
        while not ended.wait(0.002):
            names |= {each.ident: each.name for each in threading.enumerate()}
            for ident, frame in sys._current_frames().items():
                code = frame.f_code
                place = f"{Path(code.co_filename).name}:{frame.f_lineno} {code.co_name}"
                seen[names.get(ident, "?"), place] += 1

    looker = threading.Thread(target=look, name="looker")
    looker.start()
    run()
    ended.set()
    looker.join()
    totals = Counter[str]()
    for (thread, _), count in seen.items():
        totals[thread] += count
    for thread in totals:
        found = [(place, n) for (name, place), n in seen.most_common() if name == thread]
        said = "; ".join(f"{place} {n / totals[thread]:.0%}" for place, n in found[:6])
        say(f"  {thread}: {said}")


if __name__ == "__main__":
    main()
