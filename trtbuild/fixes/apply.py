"""Run fixes on a model: load, sort, drop what is dead, check, and name the culprit."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from trtbuild.core.errors import StepInputError, TrtbuildError
from trtbuild.core.records import FixAccount, FixAccounts, LeftAlone
from trtbuild.core.words import describe_cause, join_few
from trtbuild.fixes.base import FixKind, FixLog, GraphFix
from trtbuild.fixes.prepare import hoist_constants, name_nodes
from trtbuild.fixes.rewriting import bring_into_form, read_graph, write_model
from trtbuild.model.nodes import iterate_nodes
from trtbuild.model.plugins import LEARNING
from trtbuild.model.shapes import infer_shapes
from trtbuild.model.valid import check_onnx

if TYPE_CHECKING:
    import onnx
    import onnx_graphsurgeon as gs

__all__ = ["apply_fixes"]


def apply_fixes(
    model: onnx.ModelProto,
    fixes: Sequence[GraphFix],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[onnx.ModelProto, FixAccounts]:
    """Apply fixes in order; return the checked result and what each fix did.

    Opset, and names and order of inputs and outputs, stay, unless a fix is for changing them. Every
    node of the result has a name of its own, constants are initializers, and shapes are filled in
    as far as they can be known.

    Args:
        model: a valid model; it is used up.
        fixes: in the order in which they run.
        progress: called with the number of fixes done, and of all.

    Raises:
        StepInputError: a fix cannot do what it was asked, or leaves a model that is not valid.
    """
    foreign = _find_foreign(model)
    with _guard("preparing the model", foreign):
        model, strict = _prepare(model)
    fixed, accounts = _run(model, fixes, progress)
    try:
        fixed = _finish(fixed, model, strict=strict)
    except StepInputError as error:
        culprit = _find_culprit(model, fixes, strict=strict)
        leave = f"leave {culprit.split()[-1]} out of the recipe, and report it as a bug"
        raise StepInputError(
            f"{culprit} leaves a model that is not valid: {error.message}", hint=foreign or leave
        ) from error
    return fixed, FixAccounts(
        fixes=tuple(_account(fix, made) for fix, made in zip(fixes, accounts, strict=True))
    )


def _find_foreign(model: onnx.ModelProto) -> str:
    """Say that no engine can be made of a model, whatever befalls it here; empty where one can."""
    nodes = iterate_nodes(model.graph.node)
    found = sorted({node.op_type for node in nodes if node.domain == LEARNING})
    return f"TensorRT has no operators of {LEARNING} ({join_few(found, 3)})" if found else ""


def _prepare(model: onnx.ModelProto) -> tuple[onnx.ModelProto, bool]:
    """Bring a model into the form that fixes see; tell whether its shapes fit together."""
    bring_into_form(model)
    try:
        return infer_shapes(model, strict=True), True
    except StepInputError:
        return infer_shapes(model, strict=False), False


def _run(
    model: onnx.ModelProto, fixes: Sequence[GraphFix], progress: Callable[[int, int], None] | None
) -> tuple[onnx.ModelProto, list[FixLog]]:
    import onnx_graphsurgeon as gs

    accounts = []
    with _silence_graphsurgeon():
        with _guard("reading the graph"):
            graph = read_graph(model)
        for done, fix in enumerate(fixes):
            if progress is not None:
                progress(done, len(fixes))
            with _guard(f"fix {done + 1}, {fix.kind},"):
                accounts.append(_apply(fix, graph))
        with _guard("writing the graph"):
            return gs.export_onnx(graph), accounts


def _apply(fix: GraphFix, graph: gs.Graph) -> FixLog:
    how = fix.choose_measurement() if isinstance(fix, FixKind) else ""
    before = write_model(graph) if how else None
    log = fix.apply(graph)
    graph.cleanup()
    if not _in_order(graph):
        graph.toposort()
    if before is not None and log.changes:
        from trtbuild.fixes.holding import compare_answers, run_on_random

        after, answers = write_model(graph), run_on_random(before)
        must = how == "equal" and not log.approximate
        log.remarks += compare_answers(answers, after, must=must, what=fix.kind)
    return log


def _finish(fixed: onnx.ModelProto, before: onnx.ModelProto, *, strict: bool) -> onnx.ModelProto:
    for field in ("domain", "model_version", "doc_string"):
        setattr(fixed, field, getattr(before, field))
    fixed.metadata_props.extend(before.metadata_props)
    constants = {tensor.name for tensor in before.graph.initializer}
    hoist_constants(
        fixed.graph, constants | {name for node in before.graph.node for name in node.output}
    )
    name_nodes(fixed.graph)
    check_onnx(fixed, "the fixed model")
    return infer_shapes(fixed, strict=strict)


def _find_culprit(model: onnx.ModelProto, fixes: Sequence[GraphFix], *, strict: bool) -> str:
    """Run ever more of the fixes until the result is not valid any more."""
    for count, fix in enumerate(fixes, start=1):
        fixed, _ = _run(model, fixes[:count], None)
        try:
            _finish(fixed, model, strict=strict)
        except StepInputError:
            return f"fix {count}, {fix.kind}"
    return f"fix {len(fixes)}, {fixes[-1].kind}" if fixes else "importing it"


def _in_order(graph: gs.Graph) -> bool:
    made = {id(tensor) for node in graph.nodes for tensor in node.outputs}
    seen: set[int] = set()
    for node in graph.nodes:
        if any(id(tensor) in made and id(tensor) not in seen for tensor in node.inputs):
            return False
        seen.update(id(tensor) for tensor in node.outputs)
    return True


def _account(fix: GraphFix, account: FixLog) -> FixAccount:
    return FixAccount(
        fix=fix.kind,
        changed=tuple(account.changes),
        left=tuple(LeftAlone(name=name, reason=reason) for name, reason in account.lefts),
        remarks=tuple(account.remarks),
    )


@contextlib.contextmanager
def _guard(what: str, otherwise: str = "") -> Iterator[None]:
    """Turn what a damaged model makes the libraries raise into one error; the log has the rest."""
    try:
        yield
    except TrtbuildError:
        raise
    except Exception as error:
        raise StepInputError(
            f"{what} failed on this model: {describe_cause(error)}",
            hint=otherwise
            or "is the file whole? if ONNX Runtime runs the model, please report this as a bug",
        ) from error


@contextlib.contextmanager
def _silence_graphsurgeon() -> Iterator[None]:
    """Keep ONNX-GraphSurgeon from printing; its errors are raised all the same."""
    from onnx_graphsurgeon.logger import G_LOGGER

    with G_LOGGER.suppress(G_LOGGER.CRITICAL + 1):
        yield
