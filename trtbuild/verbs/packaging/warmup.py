"""What Triton runs a model on before it counts as ready."""

from __future__ import annotations

from collections.abc import Mapping

from trtbuild.verbs.packaging.served_model import ServedModel
from trtbuild.verbs.packaging.triton_config import WARMUP, Warmup
from trtbuild.verbs.packaging.writing import Content

__all__ = ["make_warmup"]


def make_warmup(
    model: ServedModel, warm: Mapping[str, bytes], shapes: Mapping[str, tuple[int, ...]]
) -> tuple[Warmup | None, dict[str, Content]]:
    """Return what to warm up with: a calibration sample, or zeros of the shape tuned for.

    None where zeros would be values that decide shapes: Triton loads no model whose warm-up fails.
    """
    single = model.max_batch or all(
        isinstance(spec.shape[0], str) or spec.shape[0] == 1 for spec in model.inputs if spec.shape
    )
    named = all(spec.name in warm for spec in model.inputs)
    if single and named and model.takes({name: (1, *shapes[name]) for name in shapes}):
        sizes = {name: shapes[name] if model.max_batch else (1, *shapes[name]) for name in shapes}
        files = {name: f"sample_{number}" for number, name in enumerate(warm)}
        data: dict[str, Content] = {f"{WARMUP}/{files[name]}": warm[name] for name in warm}
        return Warmup(sizes, files), data
    if model.valued:
        return None, {}
    profile = model.profiles[0] if model.profiles else {}
    sizes = {
        spec.name: model.find_opt(spec, profile)[bool(model.max_batch) :] for spec in model.inputs
    }
    return Warmup(sizes), {}
