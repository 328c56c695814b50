"""What INT8 costs, layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.api.executors import using_executor
from trtbuild.api.stores import open_store

if TYPE_CHECKING:
    from trtbuild.run.executor import Executor, Listener
    from trtbuild.verbs.sensitivity import LayerCost, LayerReport

__all__ = ["sensitivity"]


def sensitivity(  # noqa: PLR0913  # all that a user may ask for
    path: Path | str,
    *,
    build_dir: Path | str,
    samples: int | None = None,
    layers: Sequence[str] = (),
    others: bool = True,
    jobs: int = 1,
    executor: Executor | str = "local",
    device: str | int | None = None,
    listener: Listener | None = None,
    announce: Callable[[LayerCost], None] | None = None,
) -> LayerReport:
    """Measure what each quantized layer of a recipe costs, and place `sensitivity.json`.

    On so many `samples` and of such `layers` (names, patterns, `op:` and an operator) as asked
    for, or as the recipe says; without `others`, each alone in INT8 and no more. What was measured
    before is not measured again; of what is to be spent `announce` is told first.

    Raises:
        UsageError: the recipe quantizes nothing, or compares on no data, or a pattern for layers
            means none.
        RecipeError: the recipe, alone or with the model it names, is wrong.
        StepInputError: no layer is in INT8.
        StepFailed: a step failed; what other steps made is in the store.
        MissingFile, MissingDependency, NotWritable: something needed is not here.
    """
    from trtbuild.recipe.schema import LayerMeasurement
    from trtbuild.run.executor import QuietListener
    from trtbuild.run.inference import leaving_gpu
    from trtbuild.verbs.ready import load_ready
    from trtbuild.verbs.sensitivity import measure_layers

    loaded = load_ready(path)
    compare = loaded.recipe.compare
    own = (compare.sensitivity if compare else None) or LayerMeasurement()
    asked = LayerMeasurement(
        samples=samples or own.samples,
        layers=tuple(layers) or own.layers,
        others=others and own.others,
    )
    heard = listener or QuietListener()
    with using_executor(executor, jobs=jobs, device=device) as place:
        return leaving_gpu(
            place,
            heard,
            lambda: measure_layers(
                loaded,
                open_store(),
                executor=place,
                directory=Path(build_dir) / loaded.recipe.name,
                asked=asked,
                listener=heard,
                announce=announce or (lambda _: None),
            ),
        )
