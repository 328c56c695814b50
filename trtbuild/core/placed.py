"""The names of the files that an apply leaves in a build directory: this is their one place."""

from __future__ import annotations

from trtbuild.core.frozen import frozen
from trtbuild.core.quantized_types import TYPES

__all__ = [
    "BENCH",
    "BENCH_FILES",
    "COMPARISON",
    "DRIFT",
    "ENGINE",
    "ENGINE_RESULT",
    "FAILED",
    "MODELS",
    "RANGES",
    "REFIT",
    "REPORTS",
    "SENSITIVITY",
    "TIMING_CACHE",
    "TUNING",
    "WAIVED",
    "PlacedModel",
    "list_models",
    "list_reserved_names",
]


@frozen
class PlacedModel:
    """A model that is placed, and where its large weights lie."""

    step: str
    """The kind of step that makes it."""
    file: str
    weights: str
    what: str


MODELS = {
    **{
        name: PlacedModel(
            "quantize", f"model.{name}.onnx", f"model.{name}.weights", "the same with Q/DQ pairs"
        )
        for name in TYPES
    },
    "half": PlacedModel(
        "convert_precision", "model.half.onnx", "model.half.weights", "the same in 16 bits"
    ),
    "fp32": PlacedModel(
        "fix_graph", "model.fp32.onnx", "model.fp32.weights", "the model after graph fixes"
    ),
}
"""By what the lock calls them; what is closest to the engines first."""


def list_models(quantized: str) -> dict[str, PlacedModel]:
    """Return the models of a recipe that quantizes to a type, which is the only one it has."""
    return {name: each for name, each in MODELS.items() if name not in TYPES or name == quantized}


RANGES = "ranges.json"
COMPARISON = "comparison.json"
SENSITIVITY = "sensitivity.json"
TUNING = "tune.json"
DRIFT, REFIT = "drift.json", "refit.json"
"""What `trtbuild refit` places beside the rest: how far values moved, and where its engine is from.
"""
BENCH = "bench.json"
BENCH_FILES = (
    BENCH,
    "bench.html",
    *(
        f"bench-{plot}.svg"
        for plot in (
            *("latency", "throughput", "memory", "gpu-memory", "size", "accuracy"),
            *("load", "queue"),
        )
    ),
)
"""What `trtbuild bench` places: the result, a page of it, and its plots."""
REPORTS = ("report.md", "report.html")
ENGINE = "model.engine"
"""In the folder of a target, as those below."""
ENGINE_RESULT = "engine.json"
TIMING_CACHE = "timing.cache"
FAILED = "failed"
"""The folder that says what came of a build that its gates refused; the rest stays as it was."""
WAIVED = "placed with --no-gates: "
"""How a caveat begins that says which gates did not pass."""


def list_reserved_names() -> frozenset[str]:
    """Return the names that no target can have: they lie beside the targets' folders."""
    models = (name for each in MODELS.values() for name in (each.file, each.weights))
    return frozenset(
        {
            *models,
            RANGES,
            COMPARISON,
            SENSITIVITY,
            TUNING,
            DRIFT,
            REFIT,
            FAILED,
            *BENCH_FILES,
            *REPORTS,
        }
    )
