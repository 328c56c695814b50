"""How long an apply from nothing takes, beside what its libraries take by hand for the same.

Run `python -m tests.bench.apply [--recipe resnet50_int8]`. By hand is one process, one thing after
the other: export with PyTorch, decode the data, run calibration data through the FP32 model and
evaluation data through it and the INT8 model in ONNX Runtime, build each target with the program
that `trtbuild script` prints. It counts no range, writes no report and checks nothing. Both are
taken in one run, in turn; other work on the machine is in both: the ratio counts.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from trtbuild import api
from trtbuild.core.entrypoint import load_entrypoint
from trtbuild.recipe.load import LoadedRecipe

RECIPES = Path(__file__).parents[2] / "recipes"
LATCH = "--by-hand"


@contextlib.contextmanager
def timed(what: str) -> Iterator[None]:
    """Say how long something took."""
    begin = time.perf_counter()
    yield
    print(f"    {what:26} {time.perf_counter() - begin:6.1f} s")  # noqa: T201


def export(loaded: LoadedRecipe, path: Path) -> None:
    """Export the recipe's module, with the weights that it comes with."""
    import torch

    source = loaded.recipe.model
    module = load_entrypoint(source.entrypoint, RECIPES)().eval()
    ((name, spec),) = source.inputs.items()
    batch = torch.export.Dim("batch")
    program = torch.onnx.export(
        module,
        (torch.zeros(2, *spec.shape[1:]),),
        dynamo=True,
        dynamic_shapes=({0: batch},),
        input_names=[name],
        output_names=list(source.outputs),
        opset_version=source.opset,
        optimize=True,
        verbose=False,
    )
    program.save(str(path))


def decode(loaded: LoadedRecipe, data: str) -> list[dict[str, np.ndarray]]:
    """Return what the model is fed of a data set, all of it in memory."""
    source = loaded.recipe.data[data]
    files = source.find_files(RECIPES)
    samples = map(source.prepare, source.raw(files))
    return [{name: array[None] for name, array in each.arrays.items()} for each in samples]


def infer(model: Path, feeds: list[dict[str, np.ndarray]]) -> None:
    """Run a model over feeds, one at a time, on all threads."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    for feed in feeds:
        session.run(None, feed)


def build(recipe: Path, target: str, model: Path, engine: Path) -> None:
    """Run the program that builds a target."""
    program = compile(api.script(recipe, target), target, "exec")
    sys.argv = [target, str(model), str(engine)]
    exec(program, {"__name__": "__main__"})  # noqa: S102  # it is ours


def by_hand(recipe: Path, quantized: Path, folder: Path) -> None:
    """Do it all, with an INT8 model that is there."""
    loaded = api.load(recipe)
    model = folder / "model.onnx"
    with timed("export"):
        export(loaded, model)
    section, compared = loaded.recipe.quantization, loaded.recipe.compare
    with timed("decode"):
        calib, evaluated = decode(loaded, section.data), decode(loaded, compared.data)
    with timed("run over the data"):
        infer(model, [*calib, *evaluated])
        infer(quantized, evaluated)
    for target in loaded.recipe.targets:
        with timed(f"build {target}"):
            build(recipe, target, quantized, folder / target)


def time_command(command: list[str], env: dict[str, str]) -> tuple[float, float]:
    """Return the wall and the processor time of a command and all below it."""
    begin, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=env, check=True)
    wall, now = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime


def compare(recipe: Path, runs: int) -> None:
    """Apply and do by hand in turn, and print what both took."""
    rows = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            env = {**os.environ, "TRTBUILD_STORE": str(folder / "store")}
            tool = [sys.executable, "-m", "trtbuild", "apply", str(recipe)]
            apply = time_command([*tool, "--build-dir", str(folder / "build"), "-q"], env)
            quantized = folder / "build" / recipe.stem / "model.int8.onnx"
            tool = [sys.executable, "-m", "tests.bench.apply", "--recipe", recipe.stem]
            hand = time_command([*tool, LATCH, str(quantized)], env)
        rows.append((*apply, *hand))
        print(  # noqa: T201
            f"  {recipe.stem}: apply {apply[0]:.1f} s (processor {apply[1]:.1f} s), by hand "
            f"{hand[0]:.1f} s ({hand[1]:.1f} s): {apply[0] / hand[0]:.2f} times "
            f"({apply[1] / hand[1]:.2f} in processor time)",
            flush=True,
        )
    ratio = statistics.median(row[0] / row[2] for row in rows)
    print(f"{recipe.stem}: {ratio:.2f} times (median of {runs})")  # noqa: T201


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", action="append", help="a recipe's name; by default two")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument(LATCH, type=Path, metavar="MODEL", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    names = asked.recipe or ["digits_int8", "resnet50_int8"]
    if asked.by_hand is not None:
        with tempfile.TemporaryDirectory() as place:
            by_hand(RECIPES / f"{names[0]}.yaml", asked.by_hand, Path(place))
        return
    for name in names:
        compare(RECIPES / f"{name}.yaml", asked.runs)


if __name__ == "__main__":
    main()
