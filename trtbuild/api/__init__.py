"""The verbs as functions; what the CLI and a notebook both call."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trtbuild.api.builds import apply, inspect, list_logs, plan, run, script, why
    from trtbuild.api.data import preview_data
    from trtbuild.api.fleet import apply_fleet, find_recipes, render_junit, select_modified
    from trtbuild.api.layers import sensitivity
    from trtbuild.api.packaging import package_bundle, package_triton
    from trtbuild.api.pairs import compare
    from trtbuild.api.pictures import open_gpu_preprocess
    from trtbuild.api.pipelines import run_pipeline
    from trtbuild.api.ranges import diff_ranges, export_ranges, find_ranges, import_ranges
    from trtbuild.api.recipes import (
        check,
        demand_apart,
        demand_ready,
        doctor,
        kinds,
        load,
        schema,
        sections,
        validate,
    )
    from trtbuild.api.refitting import refit
    from trtbuild.api.review import (
        check_lock,
        diff,
        diff_git,
        find_locked_recipes,
        list_failed_gates,
        list_locked_failures,
        list_requirements,
        lock,
        verify,
    )
    from trtbuild.api.running import run_samples
    from trtbuild.api.serving import serve
    from trtbuild.api.speed import bench, diff_benches
    from trtbuild.api.start import init
    from trtbuild.api.stores import (
        collect_remote,
        list_running,
        open_local_store,
        open_store,
        pull_store,
        push_store,
    )
    from trtbuild.api.tuning import tune

__all__ = [
    "apply",
    "apply_fleet",
    "bench",
    "check",
    "check_lock",
    "collect_remote",
    "compare",
    "demand_apart",
    "demand_ready",
    "diff",
    "diff_benches",
    "diff_git",
    "diff_ranges",
    "doctor",
    "expand_variants",
    "export_ranges",
    "find_locked_recipes",
    "find_ranges",
    "find_recipes",
    "import_ranges",
    "init",
    "inspect",
    "kinds",
    "list_failed_gates",
    "list_locked_failures",
    "list_logs",
    "list_requirements",
    "list_running",
    "load",
    "lock",
    "name_variant",
    "name_variants",
    "open_gpu_preprocess",
    "open_local_store",
    "open_store",
    "package_bundle",
    "package_triton",
    "place_variants",
    "plan",
    "preview_data",
    "pull_store",
    "push_store",
    "refit",
    "render_junit",
    "run",
    "run_pipeline",
    "run_samples",
    "schema",
    "script",
    "sections",
    "select_modified",
    "sensitivity",
    "serve",
    "tune",
    "validate",
    "verify",
    "why",
]

_ROOMS = {
    "builds": ("apply", "inspect", "list_logs", "plan", "run", "script", "why"),
    "data": ("preview_data",),
    "fleet": ("apply_fleet", "find_recipes", "place_variants", "render_junit", "select_modified"),
    "layers": ("sensitivity",),
    "packaging": ("package_bundle", "package_triton"),
    "pairs": ("compare",),
    "pictures": ("open_gpu_preprocess",),
    "pipelines": ("run_pipeline",),
    "ranges": ("diff_ranges", "export_ranges", "find_ranges", "import_ranges"),
    "recipes": (
        "check",
        "demand_apart",
        "demand_ready",
        "doctor",
        "expand_variants",
        "kinds",
        "load",
        "name_variant",
        "name_variants",
        "schema",
        "sections",
        "validate",
    ),
    "refitting": ("refit",),
    "review": (
        "check_lock",
        "diff",
        "diff_git",
        "find_locked_recipes",
        "list_failed_gates",
        "list_locked_failures",
        "list_requirements",
        "lock",
        "verify",
    ),
    "running": ("run_samples",),
    "serving": ("serve",),
    "speed": ("bench", "diff_benches"),
    "start": ("init",),
    "stores": (
        "collect_remote",
        "list_running",
        "open_local_store",
        "open_store",
        "pull_store",
        "push_store",
    ),
    "tuning": ("tune",),
}
"""Which module each is in: it is loaded once one of its functions is asked for."""
_PLACES = {name: module for module, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
