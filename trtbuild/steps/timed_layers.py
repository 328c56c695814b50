"""Taking apart what was timed: where the time of a call goes, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trtbuild.core.errors import TrtbuildError
from trtbuild.core.layer_times import LayerProfile, LayerProfiles
from trtbuild.core.spread import NotRun, Shapes
from trtbuild.core.words import describe_cause
from trtbuild.timing.base import Arrays, OpenRunner, RunnerKind, Setting, TimedModel
from trtbuild.timing.layers.asked import AskedLayers, read_asked
from trtbuild.timing.layers.join import join_layers

__all__ = ["Fed", "take_apart"]

SECONDS, LEAST, MOST = 0.5, 5, 100
"""Of calls of each: as many as take so long, between these."""


@dataclass(frozen=True)
class Fed:
    """A variant as it was last timed."""

    name: str
    subject: TimedModel
    kind: RunnerKind
    opened: OpenRunner
    arrays: Arrays
    shapes: Shapes
    call_ms: float


def take_apart(every: Sequence[Fed], setting: Setting) -> LayerProfiles:
    """Profile each at the shapes it was last timed at."""
    left: list[NotRun] = []
    return LayerProfiles(profiles=tuple(_profile(every, setting, left)), not_run=tuple(left))


def _profile(every: Sequence[Fed], setting: Setting, left: list[NotRun]) -> Iterator[LayerProfile]:
    for each in every:
        calls = min(MOST, max(LEAST, round(1000 * SECONDS / max(each.call_ms, 1e-3))))
        try:
            layers = each.kind.profile(each.subject, setting, each.opened, each.arrays, calls)
            asked = _read_asked(each.subject)
        except TrtbuildError as error:
            left.append(NotRun(name=each.name, reason=error.message))
            continue
        except Exception as error:  # noqa: BLE001  # what was timed must not be lost for this
            left.append(NotRun(name=each.name, reason=f"its profiler: {describe_cause(error)}"))
            continue
        if layers:
            yield join_layers(each.name, each.shapes, layers, asked)
        else:
            left.append(NotRun(name=each.name, reason="its profiler told of no layer"))


def _read_asked(subject: TimedModel) -> AskedLayers:
    model = subject.path if subject.sort == "onnx" else subject.built_from
    return AskedLayers() if model is None else read_asked(model)
