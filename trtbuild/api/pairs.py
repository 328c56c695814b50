"""Two models or engines, compared without a recipe."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.api.builds import render_html_page, render_markdown_page
from trtbuild.api.executors import using_executor
from trtbuild.api.stores import open_store

if TYPE_CHECKING:
    from trtbuild.run.executor import Executor, Listener
    from trtbuild.verbs.compare import ComparedPair

__all__ = ["compare"]


def compare(  # noqa: PLR0913  # all that a user may ask for
    reference: Path | str,
    candidate: Path | str,
    *,
    data: Path | str = "",
    recipe: Path | str | None = None,
    metrics: Sequence[str] = (),
    gates: Sequence[str] = (),
    labels: str = "",
    plugins: Sequence[Path | str] = (),
    out: Path | str | None = None,
    jobs: int = 2,
    executor: Executor | str = "local",
    device: str | int | None = None,
    listener: Listener | None = None,
) -> ComparedPair:
    """Compare an ONNX model or engine with a `reference` that is taken as right.

    On `data`: an npz or npy file, or a recipe's data set (`recipe.yaml:eval`). `metrics` and
    `gates` are texts as in a recipe (`sqnr_db`, `{kind: detection, ...}`, `sqnr_db >= 20`); a
    `recipe` gives its own, and its data, where none are said. A folder `out` gets the report.

    Raises:
        UsageError: what is asked for is wrong; or the two differ in their inputs or outputs, or
            the data does not fit them.
        RecipeError: the recipe is wrong.
        MissingFile: one of the two, or the data, is not there.
        NoGpu: one is an engine, and cannot run here.
        StepInputError, StepFailed: one of the two cannot be read, or does not run.
        NotWritable: the report cannot be written.
    """
    from trtbuild.run.executor import QuietListener
    from trtbuild.run.inference import leaving_gpu
    from trtbuild.verbs.compare import compare_pair
    from trtbuild.verbs.pair_sections import PairRequest

    request = PairRequest(
        data=str(data),
        recipe=None if recipe is None else Path(recipe),
        metrics=tuple(metrics),
        gates=tuple(gates),
        labels=labels,
    )
    heard = listener or QuietListener()
    with using_executor(executor, jobs=jobs, device=device) as place:
        return leaving_gpu(
            place,
            heard,
            lambda: compare_pair(
                Path(reference),
                Path(candidate),
                request,
                open_store(),
                executor=place,
                listener=heard,
                plugins=[Path(each) for each in plugins],
                out=None if out is None else Path(out),
                pages={"report.md": render_markdown_page, "report.html": render_html_page},
            ),
        )
