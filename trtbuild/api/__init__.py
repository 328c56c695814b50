"""The verbs as functions; what the CLI and a notebook both call."""

from trtbuild.api.builds import apply, inspect, plan, run, script, store, why
from trtbuild.api.ranges import export_ranges, import_ranges, range_diff, table
from trtbuild.api.recipes import check, demand_apart, doctor, kinds, load, schema, validate
from trtbuild.api.review import check_lock, diff, diff_git, failed_gates, lock, verify

__all__ = [
    "apply",
    "check",
    "check_lock",
    "demand_apart",
    "diff",
    "diff_git",
    "doctor",
    "export_ranges",
    "failed_gates",
    "import_ranges",
    "inspect",
    "kinds",
    "load",
    "lock",
    "plan",
    "range_diff",
    "run",
    "schema",
    "script",
    "store",
    "table",
    "validate",
    "verify",
    "why",
]
