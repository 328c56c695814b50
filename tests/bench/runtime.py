"""What `trtbuild.runtime` adds to each call, over ONNX Runtime's bare session.

    python -m tests.bench.runtime

Calls of both take turns; the model does nothing that takes time.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime

from tests.helpers.models import model_of
from trtbuild.runtime import Engine

MODEL = "net (float[n,3,64,64] x) => (float[n,3,1,1] y) { y = GlobalAveragePool(x) }"
ROUNDS, CALLS = 200, 50


def main() -> None:
    feed = {"x": np.zeros((1, 3, 64, 64), np.float32)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.onnx"
        path.write_bytes(model_of(MODEL).SerializeToString())
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        bare = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        with Engine(path, device="cpu", threads=1) as engine:
            differences = []
            for _ in range(ROUNDS):
                ours = clock(lambda: engine.run(feed))
                theirs = clock(lambda: bare.run(["y"], feed))
                differences.append((ours - theirs) / CALLS)
    quarters = statistics.quantiles(differences, n=4)
    told = [f"{1e6 * each:.1f}" for each in (statistics.median(differences), *quarters[::2])]
    print("added to a call: {} µs (middle half {} to {} µs)".format(*told))  # noqa: T201


def clock(call) -> float:
    before = time.thread_time()
    for _ in range(CALLS):
        call()
    return time.thread_time() - before


if __name__ == "__main__":
    main()
