"""Records a model's run as a CUDA graph in a process of its own: one that fails may crash."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from trtbuild.core.errors import StepInputError, TrtbuildError
from trtbuild.core.words import quote_whole
from trtbuild.timing.base import Arrays, Setting, TimedModel

__all__ = ["main", "try_recording"]

LIMIT_SECONDS = 300
_CLOSE = 1e-2
"""Of the largest value: TF32 and other algorithms may differ by so much."""


def try_recording(model: Path, threads: int, arrays: Arrays) -> None:
    """Record and replay a run on these arrays in another process.

    Raises:
        StepInputError: it cannot be recorded, replays to something else, or ends its process.
    """
    import numpy as np

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "arrays.npz"
        np.savez(path, *arrays.values())  # their names might be those of its own parameters
        command = [sys.executable, "-P", "-m", "trtbuild.timing.graph_trial"]
        try:
            ran = subprocess.run(
                [*command, str(model), str(path), json.dumps(list(arrays)), str(threads)],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                timeout=LIMIT_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise StepInputError(
                f"its runs cannot be recorded as a CUDA graph: not done in {LIMIT_SECONDS} s"
            ) from None
    if why := _read_answer(ran.stdout, ran.stderr, ran.returncode):
        raise StepInputError(f"its runs cannot be recorded as a CUDA graph: {why}")


def _read_answer(told: str, errors: str, code: int) -> str:
    lines = [line for line in told.splitlines() if line.startswith('{"hindrance"')]
    if code == 0 and lines:
        return str(json.loads(lines[-1])["hindrance"])
    last = next((line for line in reversed(errors.splitlines()) if line.strip()), "")
    return quote_whole(f"the process that tried ended with {code}: {last or 'it said nothing'}")


def main() -> None:
    """Record a run of the model that the arguments name; print why not, or nothing, as JSON."""
    import numpy as np

    from trtbuild.timing.onnx_runtime import OnnxRuntime

    model, path, names, threads = sys.argv[1:]
    with np.load(path) as held:
        arrays = {name: held[f"arr_{place}"] for place, name in enumerate(json.loads(names))}
    kind = OnnxRuntime(kind="onnx_runtime", provider="cuda")
    setting = Setting(threads=int(threads), cuda_graphs=True, tried=True)
    told = ""
    try:
        opened = kind.open(TimedModel("it", "onnx", Path(model)), setting)
        opened.feed(arrays)
        first = {name: each.copy() for name, each in opened.outputs().items()}
        opened.call()
        for name, each in opened.outputs().items():
            if not np.allclose(first[name], each, atol=_CLOSE * (np.abs(each).max(initial=0) + 1)):
                told = f"`{name}` is another when it is replayed"
    except TrtbuildError as error:
        told = error.message
    print(json.dumps({"hindrance": told}), flush=True)  # noqa: T201  # that is its answer
    os._exit(0)  # what is left of the graph may crash while it is torn down


if __name__ == "__main__":
    main()
