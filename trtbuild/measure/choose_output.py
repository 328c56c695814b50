"""The output that a metric means, where its options leave that open."""

from __future__ import annotations

from trtbuild.core.errors import StepInputError
from trtbuild.core.values import TensorSpec
from trtbuild.core.words import join_few
from trtbuild.measure.base import Subject

__all__ = ["choose_output", "refuse_shape"]

MOST = 8


def choose_output(output: str | None, subject: Subject, kind: str) -> str:
    """Return the name of the output that is asked for, or of the only one.

    Raises:
        StepInputError: there is no such output, or there are several.
    """
    known = list(subject.outputs)
    if output is not None and output not in subject.outputs:
        raise StepInputError(
            f"`kind: {kind}`: there is no output `{output}`",
            hint=f"outputs, and parts of them: {join_few(known, MOST)}",
        )
    if output is not None:
        return output
    whole = [name for name in known if name not in subject.parts]
    if len(whole) != 1:
        raise StepInputError(
            f"`kind: {kind}`: which of {len(whole)} outputs is meant?",
            hint=f"name it: `output: NAME`; outputs: {join_few(known, MOST)}",
        )
    return whole[0]


def refuse_shape(spec: TensorSpec, kind: str, wanted: str) -> StepInputError:
    """Return what is raised where an output is not of the shape that a metric takes."""
    shape = ", ".join(map(str, spec.shape))
    return StepInputError(
        f"`kind: {kind}`: a sample of `{spec.name}` is [{shape}], not {wanted}",
        hint="name the output that is meant: `output: NAME`",
    )
