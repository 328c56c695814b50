"""Peak memory of each step on a model over 2 GB with its weights as external data.

    python -m tests.bench.large --gigabytes 2.6

Makes the model in a temporary folder (twice the room is needed for what the steps write), and
runs every step in a process of its own, as `trtbuild apply` does. Of a process is told what it held
at most of its own (anonymous memory; not the pages of files that are mapped, which the system
takes back whenever it wants), and what it held when its libraries were loaded.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import onnx

from trtbuild.recipe.load import load_recipe
from trtbuild.run.executor import QuietListener
from trtbuild.run.local import Local
from trtbuild.run.walk import walk_plan
from trtbuild.store.store import Store
from trtbuild.verbs.build import compile_for_machine

WIDTH = 4096
SAMPLES = 2


def write(folder, gigabytes):
    """Write MatMuls of 64 MiB each, one after the other, without ever holding two."""
    layers = round(gigabytes * 1e9 / (4 * WIDTH * WIDTH))
    rng = np.random.default_rng(0)
    nodes, weights = [], []
    with (folder / "model.data").open("wb") as file:
        for index in range(layers):
            tensor = onnx.TensorProto(name=f"w{index}", dims=(WIDTH, WIDTH), data_type=1)
            tensor.data_location = onnx.TensorProto.EXTERNAL
            place = {"location": "model.data", "offset": file.tell(), "length": 4 * WIDTH * WIDTH}
            for key, value in place.items():
                tensor.external_data.add(key=key, value=str(value))
            values = rng.standard_normal((WIDTH, WIDTH), np.float32) / np.float32(64)
            file.write(values.data)
            weights.append(tensor)
            nodes.append(
                onnx.helper.make_node("MatMul", [f"a{index}", f"w{index}"], [f"a{index + 1}"])
            )
    kind = onnx.helper.make_tensor_value_info
    ends = [kind(name, 1, ["n", WIDTH]) for name in ("a0", f"a{layers}")]
    graph = onnx.helper.make_graph(nodes, "stack", ends[:1], ends[1:], weights)
    opset = [onnx.helper.make_opsetid("", 19)]
    model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=10)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    np.save(folder / "data.npy", rng.standard_normal((SAMPLES, WIDTH), np.float32))
    (folder / "recipe.yaml").write_text(RECIPE)
    return layers * 4 * WIDTH * WIDTH


RECIPE = """\
version: 1
name: large
model: {kind: onnx, path: model.onnx}
fixes:
  - {kind: fold_constants}
data:
  calib: {kind: arrays, path: data.npy, input: a0}
quantization:
  data: calib
  calibrator: {kind: minmax}
  high_precision: fp16
targets:
  rtx: {kind: tensorrt_rtx, compute_capabilities: [8.9]}
"""


class Watched(Local):
    """Runs steps as ever, and looks at their memory a hundred times a second."""

    def __init__(self):
        super().__init__(1)
        self.peaks = {}

    def start(self, call):
        """Start a step and watch it from a thread."""
        super().start(call)
        (running,) = self._running.values()
        watch = threading.Thread(target=self._watch, args=(call.name, running.process.pid))
        watch.start()

    def _watch(self, name, pid):
        peak, most = 0, 0
        while (now := anonymous(pid)) is not None:
            peak, most = max(peak, now[0]), max(most, now[1])
            self.peaks[name] = peak, most
            time.sleep(0.01)


def anonymous(pid):
    """Return the bytes that a process and its children hold: of their own, and with mapped files.

    None when it has gone.
    """
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return None
    kilobytes = {line.split(":")[0]: line.split()[1] for line in text.splitlines()[1:]}
    if "Pss_Anon" not in kilobytes:
        return None
    found = [(int(kilobytes["Pss_Anon"]) << 10, int(kilobytes["Pss"]) << 10)]
    found += [each for child in below if (each := anonymous(int(child))) is not None]
    return tuple(map(sum, zip(*found, strict=True)))


def main():
    """Read the arguments and print a line a step."""
    parser = argparse.ArgumentParser(description="Peak memory by step on a large model.")
    parser.add_argument("--gigabytes", type=float, default=2.6)
    parser.add_argument("--build", action="store_true", help="build the engine too")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        size = write(folder, asked.gigabytes)
        largest = 4 * WIDTH * WIDTH
        sys.stdout.write(f"weights {size / 1e9:.2f} GB, the largest {largest / 1e6:.0f} MB\n")
        store = Store(folder / "store")
        store.prepare()
        made, _ = compile_for_machine(
            load_recipe(folder / "recipe.yaml"), store, targets=(), fetch=False
        )
        wanted = made if asked.build else made.cut_after(("quantize",))
        with closing(Watched()) as executor:
            outcomes = walk_plan(wanted, store, executor, QuietListener())
            peaks = executor.peaks
        for outcome in outcomes:
            own, whole = (value / 1e6 for value in peaks.get(outcome.step, (0, 0)))
            sys.stdout.write(
                f"{outcome.step:20} {outcome.status:8} {outcome.seconds:6.1f} s  {own:7.0f} MB own"
                f"  {whole:7.0f} MB with mapped files  {outcome.message}\n"
            )


if __name__ == "__main__":
    main()
