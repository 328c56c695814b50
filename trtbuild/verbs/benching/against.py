"""What a bench is held against once it has run: an earlier one, or what trtexec wrote."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trtbuild.core.bench_diff import BenchDiff
from trtbuild.core.errors import UsageError
from trtbuild.core.protocol import Protocol
from trtbuild.core.timing import BenchResult
from trtbuild.store.benches import list_benches, read_bench
from trtbuild.store.store import Store
from trtbuild.timing.exported import ExportedTimes, read_exported
from trtbuild.verbs.benching.compare import compare_benches, demand_protocol

__all__ = ["LAST", "BenchBaseline", "compare_files", "hold_against", "read_against"]

LAST = "last"


@dataclass(frozen=True)
class BenchBaseline:
    """What was read, before anything is measured."""

    name: str
    before: BenchResult | None = None
    exported: ExportedTimes | None = None


def read_against(text: str, *, name: str, store: Store, protocol: Protocol) -> BenchBaseline:
    """Read what a bench is to be held against: `last`, a bench.json, or a file of trtexec's.

    Raises:
        UsageError: it is none of these, there is no earlier bench, or another protocol holds there.
        MissingFile: the file is not there.
    """
    if text == LAST:
        kept = list_benches(store, name)
        if not kept:
            raise UsageError(
                f"--against last: `{name}` was not measured before, with this store",
                hint="leave it out; the next bench can be held against this one",
            )
        demand_protocol(kept[-1], protocol)
        return BenchBaseline("the last bench", before=kept[-1])
    before = read_bench(Path(text))
    if before is not None:
        demand_protocol(before, protocol)
        return BenchBaseline(text, before=before)
    return BenchBaseline(text, exported=read_exported(Path(text)))


def hold_against(found: BenchResult, against: BenchBaseline) -> BenchDiff | None:
    """Compare a result with the earlier one; what trtexec wrote is shown, and not compared.

    Raises:
        UsageError: the two are under two protocols, or of two machines.
    """
    if against.before is None:
        return None
    return compare_benches(against.before, found, names=(against.name, "now"))


def compare_files(before: Path, after: Path) -> BenchDiff | None:
    """Compare two files, if both are results of benches; None where they are not.

    Raises:
        UsageError: the two are under two protocols, or of two machines; or one of them is none.
    """
    if {before.suffix, after.suffix} != {".json"}:
        return None
    one, other = read_bench(before), read_bench(after)
    if one is None and other is None:
        return None
    if one is None or other is None:
        raise UsageError(
            f"{before if one is None else after}: is no result of a bench, and the other one is",
            hint="trtbuild bench writes bench.json",
        )
    return compare_benches(one, other, names=(str(before), str(after)))
