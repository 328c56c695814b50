"""Write down what TensorRT's bindings have: `python surface.py MODULE` prints it as JSON.

It runs where nothing but the bindings and stub libraries are installed.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import sys
import warnings

CLASSES = (
    *("Builder", "IBuilderConfig", "IHostMemory", "INetworkDefinition", "IOptimizationProfile"),
    *(
        "ITensor",
        "ILayer",
        "IConstantLayer",
        "ITimingCache",
        "IProgressMonitor",
        "OnnxParser",
        "ParserError",
    ),
    *("ICudaEngine", "EngineInspector", "Runtime", "ILogger", "Logger"),
    *("IExecutionContext", "IOutputAllocator", "IDebugListener", "IProfiler"),
    *("Refitter", "OnnxParserRefitter", "ISerializationConfig"),
    *("IRuntimeConfig", "IRuntimeCache"),
    *("IInt8Calibrator", "IInt8EntropyCalibrator", "IInt8EntropyCalibrator2"),
    *("IInt8LegacyCalibrator", "IInt8MinMaxCalibrator"),
)
"""Classes that a build or a run touches; all of the enums are written down."""


def surface(module):
    """Return the version, enum members by name, and attributes of classes with signatures."""
    found = {name: getattr(module, name) for name in dir(module) if not name.startswith("_")}
    enums = {name: each for name, each in found.items() if hasattr(each, "__members__")}
    return {
        "version": module.__version__,
        "functions": sorted(name for name, each in found.items() if inspect.isroutine(each)),
        "enums": {name: list(each.__members__) for name, each in sorted(enums.items())},
        "classes": {name: _class(found[name]) for name in CLASSES if name in found},
    }


def _class(owner):
    names = [name for name in dir(owner) if not name.startswith("_")]
    return {name: _attribute(getattr(owner, name)) for name in sorted(names)}


def _attribute(value):
    if isinstance(value, property):
        return "property" if value.fset else "read only"
    if callable(value):
        lines = (value.__doc__ or "").splitlines()
        pattern = r"^(?:\d+\. )?\w+\(.*\)(?: -> .*)?$"
        told = [line for line in lines if re.match(pattern, line) and "(*args" not in line]
        return [re.sub(r"\b\w+_bindings\.\w+\.", "", line) for line in told] or ["?"]
    return "value"


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    json.dump(surface(importlib.import_module(sys.argv[1])), sys.stdout)
