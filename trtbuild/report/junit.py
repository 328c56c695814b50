"""What became of recipes, as JUnit XML: what build services read."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, tostring

if TYPE_CHECKING:
    from trtbuild.core.records import Record

__all__ = ["JunitRecipe", "render_junit"]

JunitRecipe = tuple[str, float, "Record | None", str, str]
"""Its name, how many seconds it took, its record, and where there is none why, with a hint."""
_CONTROL = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF], "\ufffd")


def render_junit(recipes: list[JunitRecipe]) -> bytes:
    """Render a suite a recipe: a case for its build, each of its targets, and each gate.

    A gate that fails is a failure, a build that does is an error, a target that is deferred is
    skipped.
    """
    top = Element("testsuites", name="trtbuild")
    for name, seconds, record, message, hint in recipes:
        suite = SubElement(top, "testsuite", name=_plain(name), time=f"{seconds:.3f}")
        build = _case(suite, name, "build", seconds)
        if record is None:
            _say(build, "error", message, hint)
        else:
            _add_record(suite, name, record)
        _count(suite)
    _count(top)
    written: bytes = tostring(top, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _add_record(suite: Element, name: str, record: Record) -> None:
    for result in record.targets:
        _case(suite, name, f"target {result.target}", 0.0)
    for each in record.unbuilt:
        case = _case(suite, name, f"target {each.target}", 0.0)
        _say(case, "skipped" if each.status == "deferred" else "error", each.reason, each.hint)
    for engine, verdict in record.list_verdicts():
        on = f"{engine}: " if engine else ""
        case = _case(suite, name, f"gate {on}{verdict.gate} {verdict.output}".strip(), 0.0)
        if not verdict.passed:
            missed = f"missed by {verdict.missed_by}" if verdict.missed_by else ""
            told = filter(None, (verdict.found or verdict.remark, verdict.interval, missed))
            _say(case, "failure", ", ".join(told) if verdict.judged else "not judged", "")


def _case(suite: Element, recipe: str, name: str, seconds: float) -> Element:
    told = {"classname": _plain(recipe), "name": _plain(name), "time": f"{seconds:.3f}"}
    return SubElement(suite, "testcase", told)


def _say(case: Element, what: str, message: str, hint: str) -> None:
    made = SubElement(case, what, message=_plain(message.splitlines()[0] if message else what))
    made.text = _plain(message + (f"\nhint: {hint}" if hint else ""))


def _count(part: Element) -> None:
    part.set("tests", str(len(list(part.iter("testcase")))))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        part.set(name, str(len(list(part.iter(tag)))))


def _plain(text: str) -> str:
    """Return a text without what XML cannot hold."""
    return text.translate(_CONTROL).encode("utf-8", "replace").decode()
