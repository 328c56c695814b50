"""Each graph fix on each of a zoo of models: are results equal, and is twice once?

The zoo: the models in `recipes/models` with their weights, exported here at a fixed and at a
dynamic batch, the small nets of `tests/bench/nets.py`, untrained, and ONNX files that are named.
Run it with `python -m tests.bench.fixes [FILE.onnx ...] [--kinds KIND ...]`; it prints the largest
difference as a share of the largest value of an output, on random inputs.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import onnx
import torch
from safetensors.torch import load_file

from recipes.models import (
    depthwise,
    digits,
    digits_mlp,
    digits_vit,
    outlier_vit,
    shapes_yolo,
)
from tests.bench import nets
from trtbuild.core.errors import TrtbuildError
from trtbuild.core.kinds import find_kind
from trtbuild.fixes import Fix
from trtbuild.fixes.apply import apply_fixes
from trtbuild.fixes.holding import measure_distance, run_on_random
from trtbuild.model.onnx_file import read_onnx
from trtbuild.model.session import open_session

ROOT = Path(__file__).parents[2] / "recipes" / "models"
MODULES = {
    "depthwise": (depthwise.depthwise, (3, 32, 32)),
    "digits_cnn": (digits.digits_cnn, (1, 8, 8)),
    "digits_mlp": (digits_mlp.digits_mlp, (1, 8, 8)),
    "digits_vit": (digits_vit.digits_vit, (1, 8, 8)),
    "outlier_vit": (outlier_vit.outlier_vit, (3, 32, 32)),
    "shapes_yolo": (shapes_yolo.shapes_yolo, (3, 96, 96)),
}
OPTIONS = {
    "fold_constants": {},
    "drop_identity": {},
    "fold_batchnorm": {},
    "simplify": {},
    "set_opset": {"opset": 20},
    "decompose": {
        "ops": (
            "HardSwish",
            "LayerNormalization",
            "Gelu",
            "Mish",
            "Softplus",
            "HardSigmoid",
            "Softmax",
        )
    },
    "split_shared_weights": {},
    "set_dimension": {"axis": 0},
}


def export(module, shape, batch):
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "net.onnx")
        torch.onnx.export(
            module.eval(),
            (torch.rand(1, *shape),),
            path,
            opset_version=17,
            dynamo=False,
            training=torch.onnx.TrainingMode.PRESERVE,  # else it folds batch norms by itself
            input_names=["input"],
            dynamic_axes={"input": {0: "batch"}} if batch == "dynamic" else None,
        )
        return onnx.load(io.BytesIO(path.read_bytes()))


def models(files) -> Iterator[tuple[str, onnx.ModelProto]]:
    torch.manual_seed(0)
    for name, (make, shape) in MODULES.items():
        module = make()
        weights = ROOT / f"{name.removesuffix('_cnn')}.safetensors"
        if weights.is_file():
            module.load_state_dict(load_file(weights), strict=False)
        for batch in ("dynamic", "fixed"):
            yield f"{name}, {batch}", export(module, shape, batch)
    for make, size in ((lambda: nets.Depthwise(torch.nn.Hardswish), 64), (nets.Unet, 64)):
        module = make()
        yield f"nets.{type(module).__name__}", export(module, (3, size, size), "fixed")
    for file in files:
        yield Path(file).name, onnx.load(file)


def measure(model, kind):
    """Return the largest distance of an output; say what stood in the way."""
    options = dict(OPTIONS[kind])
    if kind == "set_dimension":
        options |= {"tensor": model.graph.input[0].name, "size": "batch"}
    fix = find_kind(Fix, kind)(kind=kind, **options)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "in.onnx")
        path.write_bytes(model.SerializeToString())
        before = read_onnx(path).model
    answers = run_on_random(before)
    try:
        fixed, accounts = apply_fixes(type(before).FromString(before.SerializeToString()), [fix])
    except TrtbuildError as error:
        return None, f"refused: {error.message[:110]}", 0
    once = fixed.SerializeToString(deterministic=True)
    changed = len(accounts.fixes[0].changed)
    twice, again = apply_fixes(fixed, [fix])
    stays = once == twice.SerializeToString(deterministic=True) and not again.fixes[0].changed
    if answers.unknown:
        return None, f"not run: {answers.unknown[:80]}", changed
    found = open_session(once, threads=1).run(answers.feed)
    distance = max(measure_distance(each, found[name]) for name, each in answers.outputs.items())
    return distance, "" if stays else "TWICE IS NOT ONCE", changed


def main() -> None:
    worst = 0.0
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="*")
    parser.add_argument("--kinds", nargs="+", choices=OPTIONS, default=list(OPTIONS))
    chosen = parser.parse_args()
    for name, model in models(chosen.files):
        for kind in chosen.kinds:
            start = time.perf_counter()
            distance, words, changed = measure(model, kind)
            worst = max(worst, distance or 0)
            shown = "-" if distance is None else f"{distance:.1e}"
            seconds = time.perf_counter() - start
            sys.stdout.write(
                f"{name:28} {kind:21} {changed:4} changed  {shown:>8} {seconds:5.1f} s  {words}\n"
            )
    sys.stdout.write(f"largest difference: {worst:.1e} of an output's largest value" + "\n")


if __name__ == "__main__":
    main()
