"""Run a PyTorch module on random inputs, and tell how far other answers lie from its own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import chain, combinations
from typing import TYPE_CHECKING, Any

from trtbuild.sources.torch_outputs import list_leaves

if TYPE_CHECKING:
    from torch import Tensor, nn

    from trtbuild.sources.inputs import InputSpec

__all__ = [
    "choose_tolerance",
    "copy_to_numpy",
    "describe_shapes",
    "draw_answer",
    "draw_answers",
    "fill_shape",
    "measure_differences",
    "measure_movement",
]

TOLERANCE = 1e-3
"""How far an output may lie from the module's: the length of the difference, as a share of its own.

Rounding makes about 1e-6 of it in a network of a hundred layers; another constant, operator or
output makes 1e-2 and more.
"""
COARSE_STEPS = 32
"""Of float16 and bfloat16, so many of their own steps are allowed, which is more."""
NUDGE = 1e-6
WHOLE = ("int64", "int32", "bool")


def fill_shape(spec: InputSpec, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """Return an input's shape with sizes for the names in it."""
    return tuple(sizes[size] if isinstance(size, str) else size for size in spec.shape)


def describe_shapes(inputs: Mapping[str, InputSpec], sizes: Mapping[str, int]) -> str:
    """Say at which shapes a model is looked at: `ids [1, 77], mask [1, 77]`."""
    return ", ".join(f"{name} {list(fill_shape(spec, sizes))}" for name, spec in inputs.items())


def draw_answers(
    module: nn.Module,
    inputs: Mapping[str, InputSpec],
    sizes: Mapping[str, int],
    keywords: Sequence[str] = (),
) -> tuple[list[Tensor], list[Tensor]]:
    """Draw arguments that the module takes; return them, and what it makes of them.

    Whole numbers are 0 or 1, which indices, masks and classes can all be. Where the module does
    not take those of some input (a table of one row), they are 0 there. With `keywords`, it is
    given its arguments by these names.
    """
    arguments, returned = draw_answer(module, inputs, sizes, keywords)
    return arguments, _tensors(returned)


def draw_answer(
    module: nn.Module,
    inputs: Mapping[str, InputSpec],
    sizes: Mapping[str, int],
    keywords: Sequence[str] = (),
) -> tuple[list[Tensor], Any]:
    """Return arguments that the module takes, as `draw_answers`, and what it returned, as it is."""
    whole = [name for name, spec in inputs.items() if spec.dtype in WHOLE]
    problem: Exception | None = None
    counts = range(len(whole) + 1)
    for zeroed in chain.from_iterable(combinations(whole, count) for count in counts):
        arguments = [
            _drawn(spec, fill_shape(spec, sizes), seed=index, zeroed=name in zeroed)
            for index, (name, spec) in enumerate(inputs.items())
        ]
        try:
            return arguments, _call(module, arguments, keywords)
        except Exception as error:  # noqa: BLE001  # the user's own code
            problem = problem or error
    assert problem is not None  # noqa: S101  # nothing zeroed is one of the combinations
    raise problem


def _drawn(spec: InputSpec, shape: Sequence[int], *, seed: int, zeroed: bool) -> Tensor:
    import numpy as np
    import torch

    generator = np.random.default_rng(seed)  # equal inputs could be swapped unseen
    values: Any
    if spec.dtype in WHOLE:
        values = np.asarray(generator.integers(0, 2, shape))
        first = np.s_[..., :1] if shape else ()
        values[first] = 1  # a mask that hides a whole row leaves nothing to compare
    elif spec.dtype == "uint8":
        values = generator.integers(0, 256, shape)
    else:
        values = generator.normal(size=shape)
    return torch.from_numpy(np.asarray(values * (not zeroed)).astype(spec.dtype))


def copy_to_numpy(tensor: Tensor) -> Any:
    """Return a tensor's values for NumPy, which does not know bfloat16."""
    import torch

    return (tensor.float() if tensor.dtype is torch.bfloat16 else tensor).detach().numpy()


def choose_tolerance(tensors: Sequence[Tensor]) -> float:
    """Return how far an output may lie from the module's, by the types that it computes in."""
    import torch

    steps = [torch.finfo(each.dtype).eps for each in tensors if each.is_floating_point()]
    return max([TOLERANCE, *(COARSE_STEPS * float(step) for step in steps)])


def measure_differences(found: Sequence[Any], wanted: Sequence[Tensor]) -> list[float]:
    """Return for each output the length of the difference, as a share of the wanted one's."""
    return [
        _difference(mine, copy_to_numpy(theirs)) for mine, theirs in zip(found, wanted, strict=True)
    ]


def _difference(found: Any, wanted: Any) -> float:
    import numpy as np

    if found.shape != wanted.shape:
        return math.inf
    mine, theirs = found.astype(np.float64), wanted.astype(np.float64)
    usual = np.isfinite(mine) & np.isfinite(theirs)
    if not np.array_equal(mine[~usual], theirs[~usual], equal_nan=True):
        return math.inf
    gap = float(np.linalg.norm(mine[usual] - theirs[usual]))
    length = float(np.linalg.norm(theirs[usual]))
    return gap / length if length else gap


def measure_movement(
    module: nn.Module,
    arguments: Sequence[Tensor],
    wanted: Sequence[Tensor],
    *,
    nudged: bool,
    keywords: Sequence[str] = (),
) -> list[float]:
    """Return how far each of the module's own outputs moves: by itself, or by a nudge.

    The nudge moves weights and inputs by a millionth, at random, or by a step of a coarser type:
    what depends on the order of near equals, as a choice of the best does, then moves by more.
    """
    import torch

    if nudged and isinstance(module, torch.jit.ScriptModule):
        return [0.0] * len(wanted)  # its weights cannot be given to it
    nudge = NUDGE if nudged else 0
    again = _tensors(_call(module, arguments, keywords, seed=1, nudge=nudge))
    if len(again) != len(wanted):
        return [math.inf] * len(wanted)
    return measure_differences([copy_to_numpy(each) for each in again], wanted)


def _tensors(returned: Any) -> list[Tensor]:
    import torch

    return [torch.as_tensor(each) for each in list_leaves(returned)]


def _call(
    module: nn.Module,
    arguments: Sequence[Tensor],
    keywords: Sequence[str],
    *,
    seed: int = 0,
    nudge: float = 0,
) -> Any:
    import torch

    def moved(tensor: Tensor) -> Tensor:
        if not nudge or not tensor.is_floating_point():
            return tensor.clone()  # a module may write into what it is given
        share = max(nudge, torch.finfo(tensor.dtype).eps)
        return tensor * (1 + share * torch.randn_like(tensor))

    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        given = [moved(each) for each in arguments]
        named = dict(zip(keywords, given, strict=True)) if keywords else {}
        placed = () if keywords else tuple(given)
        if not nudge:
            return module(*placed, **named)
        # Without duplicates: weights that are tied must move together.
        held = {**dict(module.named_parameters()), **dict(module.named_buffers())}
        state = {name: moved(each) for name, each in held.items()}
        return torch.func.functional_call(module, state, placed, named)
