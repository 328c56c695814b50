"""A layer's weight in INT8, rounded anew by what the layer reads and should make."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from trtbuild.quant.adjusting.moments import Moments
from trtbuild.quant.adjusting.rounding import measure_errors, round_jointly

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from trtbuild.quant.adjusting.layers import IntegerLayer
    from trtbuild.quant.adjusting.patches import LayerForm

    Array = npt.NDArray[Any]
    Floats = npt.NDArray[np.float64]

__all__ = ["LONGEST", "Reconstruction", "reconstruct"]

LONGEST = 8192
"""Inputs of one output value, of which all products of two are in memory: half a gigabyte."""
ROWS = 8192
"""Output values of each channel that are looked at, at least where there are so many; four for
each input of long sums, or the sums would fit what was seen and nothing else."""


class Reconstruction(NamedTuple):
    """What rounding made of a weight."""

    weight: npt.NDArray[np.int8]
    turned: float
    """Share of the weights that are not rounded to the nearest."""
    before: float
    """The mean square of what is wrong with the output, before."""
    after: float
    power: float
    """The mean square of the output itself, without its mean."""


def reconstruct(
    layer: IntegerLayer,
    form: LayerForm,
    weights: tuple[Array, Array],
    samples: Iterable[tuple[Array, Array]],
    *,
    count: int,
    centred: bool,
) -> Reconstruction | None:
    """Round a weight anew; None where nothing is gained.

    Args:
        layer: whose weight it is.
        form: how the layer is laid out.
        weights: the float weight, and its integers as they are now.
        samples: what the layer reads in INT8, and makes in the float model without its bias.
        count: how many of them there are.
        centred: whether the bias takes the mean of the error away.
    """
    import numpy as np

    exact = form.split_weight(weights[0]).astype(np.float64)
    nearest = form.split_weight(weights[1]).astype(np.float64)
    group, outputs, inputs = exact.shape
    known = layer.weight_linear.scale.astype(np.float64).reshape(-1)
    scales = np.broadcast_to(known, group * outputs).reshape(group, outputs)
    moments = _gather(form, samples, Moments(group, inputs, outputs), count)
    if not moments.rows:
        return None
    unit = scales * (layer.input_scale * form.factor)
    means = moments.finish(centred=centred).in_units(unit)
    if not np.isfinite(means.powers).all():
        return None
    found = round_jointly(exact / scales[:, :, None], means)
    squared = np.square(unit)
    plain = means if not centred else moments.finish(centred=False).in_units(unit)
    errors = [measure_errors(each, means) * squared for each in (nearest, found)]
    if errors[1].sum() >= errors[0].sum():
        return None
    return Reconstruction(
        weight=np.ascontiguousarray(form.join_weight(found, weights[1].shape)).astype(np.int8),
        turned=float(np.mean(found != nearest)),
        before=float((measure_errors(nearest, plain) * squared).mean()),
        after=float(errors[1].mean()),
        power=float((moments.finish(centred=True).powers).mean()),
    )


def _gather(
    form: LayerForm, samples: Iterable[tuple[Array, Array]], moments: Moments, count: int
) -> Moments:
    """Add up rows at places that are spread over each sample, the same ones every time."""
    import numpy as np

    most = -(-max(ROWS, 4 * moments.inputs) // max(1, count))
    for index, (read, made) in enumerate(samples):
        total = form.count_rows(made)
        places = np.arange(total)
        if total > most:
            chosen = np.random.default_rng(index).choice(total, most, replace=False, shuffle=False)
            places = np.sort(chosen)
        moments.add(
            form.read_inputs(read, made, places).astype(np.int8, copy=False),
            form.read_outputs(made, places).astype(np.float32, copy=False),
        )
    return moments
