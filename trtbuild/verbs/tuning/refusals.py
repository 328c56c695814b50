"""Gates that no change to a recipe can reach."""

from __future__ import annotations

from collections.abc import Iterable

from trtbuild.core.comparison import Comparison
from trtbuild.core.errors import UsageError
from trtbuild.measure.gates import Gate
from trtbuild.verbs.tuning.standing import find_unreachable

__all__ = ["refuse_unjudged", "refuse_unreachable"]


def refuse_unreachable(gates: Iterable[Gate], found: Comparison) -> None:
    """Refuse a gate that the float model itself does not pass.

    Raises:
        UsageError: there is one.
    """
    if told := find_unreachable(gates, found):
        raise UsageError(
            f"{told}: nothing that is done about INT8 reaches that",
            hint="ask for what the float model can do, or how far INT8 may fall behind it: "
            "`drop_at_most`",
        )


def refuse_unjudged(found: Comparison, data: str) -> None:
    """Refuse gates that nobody can judge: no change would help.

    What is missing since INT8 makes no numbers of it is another thing.

    Raises:
        UsageError: there is one.
    """
    for verdict in found.verdicts:
        lacking = verdict.value is None and not verdict.passed
        if lacking and not any(measure.broken for measure in found.measures):
            raise UsageError(
                f"the gate `{verdict.gate}` cannot be judged on `{data}`: {verdict.remark}",
                hint="take data that has what the gate looks at, or give `compare` a gate on "
                "something else, or a float `reference`",
            )
