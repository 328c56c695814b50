"""How long trtbuild takes where there is nothing to do: a 100 MB model, 500 files, three targets.

Run `python tests/bench/noop.py`; it builds the set-up once below a temporary directory and prints
what `plan` and `apply` take beside `python -c pass`, and beside `dvc repro` over the same files
where dvc is installed.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

RUNS = 15
FILES = 500
MODEL_BYTES = 100 << 20

RECIPE = """\
version: 1
name: noop
model: {kind: onnx, path: model.onnx}
data:
  calib: {kind: images, path: shots, preprocess: {scale: 0.0039}}
quantization: {data: calib, calibrator: {kind: minmax}}
targets:
  one: {kind: onnxruntime}
  two: {kind: onnxruntime}
  three: {kind: onnxruntime}
"""


def set_up(folder: Path) -> None:
    """Write a convolution, 100 MB of weights behind it, and 500 small pictures."""
    import onnx
    import onnx.parser
    from PIL import Image

    rows = MODEL_BYTES // 4 // 1024
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
    onnx.save(model, folder / "model.onnx")
    (folder / "shots").mkdir()
    for index in range(FILES):
        pixels = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"shots/{index:03}.png")
    (folder / "recipe.yaml").write_text(RECIPE)


def median_ms(command: list[str], folder: Path, env: dict[str, str]) -> tuple[float, float]:
    """Return the median wall and processor times of a command, in ms, after one that warms up.

    On a machine that is busy with other things the processor's time says more.
    """
    walls, cpus = [], []
    for _ in range(RUNS + 1):
        begin, used = time.perf_counter(), os.times()
        subprocess.run(command, cwd=folder, env=env, check=True, stdout=subprocess.DEVNULL)
        walls.append((time.perf_counter() - begin) * 1000)
        now = os.times()
        spent = now.children_user + now.children_system - used.children_user - used.children_system
        cpus.append(spent * 1000)
    return statistics.median(walls[1:]), statistics.mean(cpus[1:])


def main() -> None:
    """Print what was measured."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        set_up(folder)
        env = {**os.environ, "TRTBUILD_STORE": str(folder / "store")}
        env.pop("PYTHONDONTWRITEBYTECODE", None)  # else every run compiles every module again
        tool = [sys.executable, "-m", "trtbuild"]
        subprocess.run([*tool, "apply", "-q", "recipe.yaml"], cwd=folder, env=env, check=True)
        time.sleep(2.5)  # a file's digest is remembered once its times have settled
        base = median_ms([sys.executable, "-c", "pass"], folder, env)
        rows = {
            "python -c pass": base,
            "trtbuild plan": median_ms([*tool, "plan", "recipe.yaml"], folder, env),
            "trtbuild apply": median_ms([*tool, "apply", "-q", "recipe.yaml"], folder, env),
        }
        if shutil.which("dvc"):
            rows["dvc repro"] = _dvc(folder, env)
        for name, (wall, cpu) in rows.items():
            ratio = cpu / base[1]
            told = f"{wall:7.1f} ms, processor {cpu:6.1f} ms, {ratio:5.1f} times the first"
            print(f"{name:16} {told}")  # noqa: T201
        if "dvc repro" in rows:
            ratio = rows["trtbuild apply"][0] / rows["dvc repro"][0]
            print(f"trtbuild apply takes {ratio:.2f} times what dvc repro takes")  # noqa: T201
        else:
            print("dvc is not installed here: no comparison with `dvc repro`")  # noqa: T201


def _dvc(folder: Path, env: dict[str, str]) -> tuple[float, float]:
    """Return what `dvc repro` takes for one stage over the same files."""
    (folder / "dvc.yaml").write_text(
        "stages: {build: {cmd: touch built, deps: [model.onnx, shots], outs: [built]}}\n"
    )
    subprocess.run(["dvc", "init", "--no-scm", "-q"], cwd=folder, env=env, check=True)  # noqa: S607
    return median_ms(["dvc", "repro", "-q"], folder, env)


if __name__ == "__main__":
    main()
