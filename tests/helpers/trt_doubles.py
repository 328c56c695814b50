"""A process that has loaded what the double of TensorRT needs, and forks for every order.

A process can use but one TensorRT, and that of an order is its own; loading all else anew for each
took ten times as long as the order.

Run as `python -m tests.helpers.trt_doubles`: orders come in, exit codes go out, a line each.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import traceback
from pathlib import Path


class Doubles:
    """Has orders carried out; one process for each folder of libraries, started when asked for."""

    def __init__(self):
        self.processes = {}

    def carry_out(self, order, libraries):
        """Carry out the order in a file; what it printed must be empty but for an exit code of 0.

        `libraries` is searched by the dynamic linker, which looks once, where a process starts.
        """
        process = self.processes.get(libraries) or self._start(libraries)
        process.stdin.write(f"{order}\n")
        process.stdin.flush()
        assert "0\n" == process.stdout.readline(), said_file(order).read_text()

    def _start(self, libraries):
        # A test before may have set it for itself.
        environment = {**os.environ, "POLYGRAPHY_USE_TENSORRT_RTX": "0"}
        if libraries:
            environment["LD_LIBRARY_PATH"] = libraries
        command = [sys.executable, "-m", __spec__.name]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        process = subprocess.Popen(command, env=environment, text=True, **pipes)
        self.processes[libraries] = process
        return process

    def close(self):
        """End the processes."""
        for process in self.processes.values():
            process.communicate()


def said_file(order):
    """Return where an order's output and traceback are kept."""
    return Path(order).with_suffix(".said")


def load():
    """Load what orders need, but TensorRT and what would look for it."""
    sys.modules["torch"] = None  # Polygraphy would import it to ask whether arrays are its own
    import polygraphy.backend.tensorrt_rtx
    import polygraphy.backend.trt  # noqa: F401

    import tests.helpers.trt_double  # noqa: F401
    import trtbuild.backends.tensorrt.build
    import trtbuild.backends.tensorrt.native_calibration
    import trtbuild.backends.tensorrt10
    import trtbuild.backends.tensorrt11
    import trtbuild.run.executor
    import trtbuild.run.worker

    for kind in (trtbuild.backends.tensorrt10.Tensorrt10, trtbuild.backends.tensorrt11.Tensorrt11):
        kind.model_rebuild()
    assert "tensorrt" not in sys.modules
    # What has been loaded stays as it lies, so that processes go on sharing it.
    gc.collect()
    gc.freeze()
    gc.disable()


def carry_out(order):
    """Carry out an order in this process, which ends with it."""
    from tests.helpers.trt_double import main

    said = os.open(said_file(order), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(said, stream)
    code = 1
    try:
        main(order)
        code = 0
    except BaseException:  # noqa: BLE001  # whatever it is ends this process
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def serve():
    """Carry out the orders that come in, each in a process of its own."""
    load()
    for line in sys.stdin:
        child = os.fork()
        if not child:
            carry_out(line.rstrip("\n"))
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
