"""python: a team's own change to the graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import PrivateAttr

from trtbuild.core.entrypoint import explain_errors, find_source_files, load_entrypoint
from trtbuild.core.errors import StepInputError
from trtbuild.core.options import NonEmpty, VariableName
from trtbuild.core.values import TensorSpec
from trtbuild.core.words import join_few, quote_whole
from trtbuild.fixes.base import FixKind, FixLog
from trtbuild.fixes.rewriting import replace_graph, write_model
from trtbuild.fixes.tensors import SHOWN, iterate_all_nodes

if TYPE_CHECKING:
    import onnx_graphsurgeon as gs

__all__ = ["FixesPython"]


class FixesPython(FixKind):
    """A Python function that changes the graph, as ONNX-GraphSurgeon or ONNX itself has it.

    It runs in a process of its own. What it leaves is cleaned up, sorted, named and checked as
    after any other fix. Applied to its own output it should change nothing.
    """

    is_code: ClassVar[bool] = True

    kind: Literal["python"]
    entrypoint: NonEmpty
    """`path/to/file.py:callable`, relative to the recipe, or `package.module:callable`. It is
    called with the graph and `options`, and changes it in place or returns another; None means in
    place. What it reads and imports counts."""
    takes: Literal["graph", "model"] = "graph"
    """What it is called with: an `onnx_graphsurgeon.Graph`, or an `onnx.ModelProto`."""
    options: dict[str, int | float | str | bool] = {}
    """Keyword arguments for the callable; none by default."""
    same_results: bool = False
    """Whether it promises to leave the results as they are: it is then held to that, on random
    inputs. By default the report says how far they move."""
    files: tuple[NonEmpty, ...] = ()
    """Files and folders, relative to the recipe, that the code reads: whatever of them changes runs
    it again. What it is seen to read counts anyway; this is for what a library reads by itself."""
    packages: tuple[str, ...] = ()
    """Installed packages (as pip names them) whose version may change the graph. Those that its
    code imports count anyway. None by default."""
    environment: tuple[VariableName, ...] = ()
    """Variables of the environment that the code is given, and whose values count. None by
    default."""

    _sources: tuple[Path, ...] = PrivateAttr(())

    def choose_measurement(self) -> Literal["", "equal", "moved"]:
        """Hold it to what it promises."""
        return "equal" if self.same_results else "moved"

    def fact_names(self) -> tuple[str, ...]:
        """Name ONNX Runtime, which compares, and what the recipe names."""
        return ("onnxruntime", *self.packages)

    def find_files(self, base: Path) -> tuple[Path, ...]:
        """Return the callable's source file, then every module it imports from beside it.

        Raises:
            MissingFile: there is no such file or module.
        """
        return find_source_files(self.entrypoint, base)

    def bind(self, files: Sequence[Path]) -> Self:
        """Return the fix that loads its code from these files, wherever they lie now."""
        bound = self.model_copy()
        bound._sources = tuple(files)  # noqa: SLF001  # a copy of ours
        return bound

    def foresee(self, inputs: tuple[TensorSpec, ...]) -> tuple[TensorSpec, ...]:  # noqa: ARG002
        """Return none: nobody knows what it does."""
        return ()

    def apply(self, graph: gs.Graph) -> FixLog:
        """Change the graph in place and say what was done.

        Raises:
            StepInputError: the code raises, or returns what is no graph; says where.
            MissingDependency: it imports what is not installed.
        """
        log, before = FixLog(), _list_nodes(graph)
        given = graph if self.takes == "graph" else write_model(graph)
        answer = self._call(given)
        self._take(graph, given if answer is None else answer)
        after = _list_nodes(graph.cleanup())
        for name in before.keys() - after.keys():
            log.changed(name, "gone")
        for name, node in after.items():
            if name not in before:
                log.changed(name, f"new, {node[0]}")
            elif before[name] != node:
                log.changed(name, f"now {node[0]}" if before[name][0] != node[0] else "")
        log.changes.sort()
        if log.changes:
            ops = [Counter(op for op, *_ in nodes.values()) for nodes in (before, after)]
            told = [f"{count} {op} more" for op, count in (ops[1] - ops[0]).items()]
            told += [f"{count} {op} fewer" for op, count in (ops[0] - ops[1]).items()]
            log.remark(f"{self._place}: {join_few(sorted(told), SHOWN) or 'the same operators'}")
        return log

    @property
    def _place(self) -> str:
        return self.entrypoint.rpartition("/")[2]

    def _call(self, given: object) -> object:
        with explain_errors(self._place, self._sources, self.packages):
            return self._load()(given, **self.options)

    def _load(self) -> Callable[..., Any]:
        import inspect

        place, _, name = self.entrypoint.rpartition(":")
        # By the pinned path, which holds wherever this runs; a module only loads by its name.
        where = str(self._sources[0].absolute()) if place.endswith(".py") else place
        function = load_entrypoint(f"{where}:{name}", Path())
        try:
            inspect.signature(function).bind(None, **self.options)
        except TypeError as error:
            raise StepInputError(
                f"{self._place}: cannot be called with the {self.takes} and these `options`: "
                f"{quote_whole(str(error))}",
                hint=f"it is {name}{inspect.signature(function)}",
            ) from None
        return function

    def _take(self, graph: gs.Graph, answer: object) -> None:
        import onnx
        import onnx_graphsurgeon as gs

        if answer is graph:
            return
        if isinstance(answer, gs.Graph):
            answer = gs.export_onnx(answer)
        if not isinstance(answer, onnx.ModelProto):
            raise StepInputError(
                f"{self._place}: returned {type(answer).__name__}; a graph or a model is needed",
                hint="return the onnx_graphsurgeon.Graph or onnx.ModelProto, or None where it was "
                "changed in place",
            )
        replace_graph(graph, answer)


def _list_nodes(graph: gs.Graph) -> dict[str, tuple[str, ...]]:
    """Return what tells whether a node was changed, by its name."""
    return {
        node.name: (node.op, repr(node.attrs), *(t.name for t in (*node.inputs, *node.outputs)))
        for node in iterate_all_nodes(graph)
    }
