"""Runs in a process of its own, and calls Ultralytics' exporter: JSON in, JSON out.

It stands on nothing of trtbuild.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

MARK = "trtbuild-export: "
"""What its one line of JSON begins with, among what Ultralytics prints."""


def main() -> None:
    """Export the checkpoint that the arguments name, and say where and by what."""
    checkpoint, arguments = sys.argv[1], json.loads(sys.argv[2])
    try:
        import ultralytics

        said = _export(ultralytics, checkpoint, arguments)
    except ImportError as error:
        said = {"error": f"{type(error).__name__}: {error}"}
        if "ultralytics" not in sys.modules:
            said["lacking"] = str(error.name or "")
    except Exception as error:  # noqa: BLE001  # whatever it raises is told by the other process
        said = {"error": f"{type(error).__name__}: {error}"}
    print(MARK + json.dumps(said), flush=True)  # noqa: T201  # that is its answer


def _export(ultralytics: Any, checkpoint: str, arguments: dict[str, Any]) -> dict[str, Any]:
    model = ultralytics.YOLO(checkpoint)
    made = model.export(**arguments)
    return {
        "path": str(Path(str(made)).absolute()),
        "version": str(ultralytics.__version__),
        "task": str(getattr(model, "task", "")),
    }


if __name__ == "__main__":
    main()
