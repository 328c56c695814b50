"""How long trtbuild takes where there is nothing to do: a 100 MB model, 500 files, three targets.

Run `python tests/bench/noop.py [--dvc path/to/dvc]`. It builds the set-up once below a temporary
directory and prints what `plan` and `apply` take, said again from a stamp and found out anew,
beside `python -c pass` and `dvc repro` over the same files; then the same of 200 recipes in one
command, each with a (small) model of its own. Other work on the machine is in all of it: the ratios
count.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

FILES = 500
MODEL_BYTES = 100 << 20
SMALL_BYTES = 1 << 20
SETTLE_SECONDS = 2.5
"""A file's digest is remembered, and an answer kept, once its times have settled."""

RECIPE = """\
version: 1
name: {name}
model: {{kind: onnx, path: model.onnx}}
data:
  calib: {{kind: images, path: {shots}, preprocess: {{scale: 0.0039}}}}
quantization: {{data: calib, calibrator: {{kind: minmax}}}}
targets:
  one: {{kind: onnxruntime}}
  two: {{kind: onnxruntime}}
  three: {{kind: onnxruntime}}
"""

Times = tuple[float, float]
"""The median wall and the mean processor time of a command, in ms."""


def write_model(path: Path, size_bytes: int) -> None:
    """Write a convolution with large matrices behind it."""
    import onnx
    import onnx.parser

    rows = max(size_bytes // 4 // 1024, 8)
    model = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17]>\n'
        "m (float[1, 3, 8, 8] input) => (float[1, r] out) {\n"
        "  a = Conv (input, w0)\n  b = Flatten (a)\n  c = MatMul (b, w1)\n"
        "  out = MatMul (c, w2)\n}"
    )
    random = np.random.default_rng(0)
    shapes = {"w0": (4, 3, 3, 3), "w1": (144, 1024), "w2": (1024, rows)}
    for name, shape in shapes.items():
        values = random.normal(0, 0.01, shape).astype(np.float32)
        model.graph.initializer.append(onnx.numpy_helper.from_array(values, name))
    onnx.save(model, path)


def write_pictures(folder: Path) -> None:
    """Write 500 small pictures."""
    from PIL import Image

    folder.mkdir()
    random = np.random.default_rng(0)
    for index in range(FILES):
        pixels = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index:03}.png")


def set_up(folder: Path) -> list[str]:
    """Write one recipe with all that it names; return its path below the folder."""
    write_model(folder / "model.onnx", MODEL_BYTES)
    write_pictures(folder / "shots")
    (folder / "recipe.yaml").write_text(RECIPE.format(name="noop", shots="shots"))
    return ["recipe.yaml"]


def set_up_many(folder: Path, count: int) -> list[str]:
    """Write many recipes, each with a model of its own and pictures that they share."""
    write_model(folder / "model.onnx", SMALL_BYTES)
    write_pictures(folder / "shots")
    for index in range(count):
        place = folder / f"r{index:03}"
        place.mkdir()
        shutil.copyfile(folder / "model.onnx", place / "model.onnx")
        text = RECIPE.format(name=place.name, shots="../shots")
        (place / "recipe.yaml").write_text(text)
    return [f"r{index:03}/recipe.yaml" for index in range(count)]


class Bench:
    """A folder with recipes that were applied, and commands that are timed in it."""

    def __init__(self, folder: Path, recipes: list[str], *, runs: int, dvc: str | None) -> None:
        self.folder, self.recipes, self.runs, self.dvc = folder, recipes, runs, dvc
        self.env = {**os.environ, "TRTBUILD_STORE": str(folder / "store"), "DVC_NO_ANALYTICS": "1"}
        # Else every run compiles every module again.
        self.env.pop("PYTHONDONTWRITEBYTECODE", None)
        tool = [sys.executable, "-m", "trtbuild"]
        self.apply, self.plan = [*tool, "apply", *recipes], [*tool, "plan", recipes[0]]

    def measure(self) -> None:
        """Print a line a command."""
        self._run([*self.apply, "-q"])
        time.sleep(SETTLE_SECONDS)
        base = self._times([sys.executable, "-c", "pass"])
        rows = {"python -c pass": base}
        one = len(self.recipes) == 1
        for name, command in {"plan": self.plan, "apply": self.apply}.items():
            if one or name == "apply":
                rows[f"trtbuild {name}"] = self._times(command, warm_up=2)
                rows[f"trtbuild {name}, no stamp"] = self._times(command, before=self._forget)
        if self.dvc is not None:
            rows["dvc repro"] = self._dvc(self.dvc)
        for name, (wall, cpu) in rows.items():
            ratio = f"{wall / base[0]:6.1f} times the first ({cpu / base[1]:.1f} in processor time)"
            print(f"  {name:25} {wall:8.1f} ms, processor {cpu:8.1f} ms, {ratio}")  # noqa: T201
        if "dvc repro" in rows:
            wall, cpu = (
                mine / theirs
                for mine, theirs in zip(rows["trtbuild apply"], rows["dvc repro"], strict=True)
            )
            print(f"  apply / dvc repro: {wall:.3f} ({cpu:.3f} in processor time)")  # noqa: T201

    def _forget(self) -> None:
        shutil.rmtree(self.folder / "store/stamps", ignore_errors=True)

    def _dvc(self, dvc: str) -> Times:
        """Return what `dvc repro` takes for a stage a recipe over the same files."""
        stages = "".join(
            f"  {Path(recipe).parent.name or 'one'}:\n"
            f"    {{cmd: touch {recipe}.built, outs: [{recipe}.built],\n"
            f"     deps: [{Path(recipe).with_name('model.onnx')}, shots, {recipe}]}}\n"
            for recipe in self.recipes
        )
        (self.folder / "dvc.yaml").write_text("stages:\n" + stages)
        self._run([dvc, "init", "--no-scm", "-q"])
        self._run([dvc, "repro", "-q"])
        return self._times([dvc, "repro", "-q"])

    def _times(
        self, command: list[str], *, warm_up: int = 1, before: Callable[[], None] | None = None
    ) -> Times:
        """Time a command, after some runs that warm up; `before` each of them do something."""
        walls, cpus = [], []
        for _ in range(self.runs + warm_up):
            if before is not None:
                before()
            begin, used = time.perf_counter(), _processor_seconds()
            self._run(command)
            walls.append((time.perf_counter() - begin) * 1000)
            cpus.append((_processor_seconds() - used) * 1000)
        return statistics.median(walls[warm_up:]), statistics.mean(cpus[warm_up:])

    def _run(self, command: list[str]) -> None:
        subprocess.run(
            command, cwd=self.folder, env=self.env, check=True, stdout=subprocess.DEVNULL
        )


def _processor_seconds() -> float:
    """Return what the commands so far have taken, in and below the system."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dvc", default=shutil.which("dvc"), help="the dvc to compare with")
    parser.add_argument("--recipes", type=int, default=200, help="how many in one command")
    parser.add_argument("--runs", type=int, default=15, help="how often each command is timed")
    asked = parser.parse_args()
    if asked.dvc is None:
        print("dvc is not installed here: no comparison with `dvc repro`")  # noqa: T201
    with tempfile.TemporaryDirectory() as place:
        print("one recipe, 100 MB:")  # noqa: T201
        (one := Path(place) / "one").mkdir()
        Bench(one, set_up(one), runs=asked.runs, dvc=asked.dvc).measure()
        print(f"{asked.recipes} recipes in one command:")  # noqa: T201
        (many := Path(place) / "many").mkdir()
        recipes = set_up_many(many, asked.recipes)
        Bench(many, recipes, runs=min(asked.runs, 5), dvc=asked.dvc).measure()


if __name__ == "__main__":
    main()
