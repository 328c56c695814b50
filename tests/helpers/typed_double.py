"""The double of TensorRT, started with an order of one's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys


def run_double(folder, *, libraries, **order):
    """Have the double carry out an order in a process of its own; returns what it answers."""
    order |= {"model": "", "engine": "", "result": str(folder / "result.json")}
    (folder / "order.json").write_text(json.dumps(order))
    command = [sys.executable, "-m", "tests.helpers.trt_double", str(folder / "order.json")]
    environment = {**os.environ, "POLYGRAPHY_USE_TENSORRT_RTX": "0",
                   "LD_LIBRARY_PATH": str(libraries)}  # fmt: skip
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert 0 == ran.returncode, ran.stdout + ran.stderr
    return json.loads((folder / "result.json").read_text())
