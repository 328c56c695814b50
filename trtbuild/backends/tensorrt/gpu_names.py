"""What well-known GPUs are called, and their compute capabilities (NVIDIA's "CUDA GPUs")."""

from __future__ import annotations

import re

__all__ = ["find_capability"]

_FILLERS = re.compile(r"nvidia|geforce|tesla|quadro|[^a-z0-9]")
_NAMES = {
    7.5: r"t4|(rtx|gtx)?(16[56]0|20[678]0)(ti|super|d)*|turing",
    8.0: r"a100.*|a30",
    8.6: r"(rtx)?30[5-9]0(ti|super|d)*|a2|a10g?|a16|a40|rtxa\d000",
    8.7: r".*orin.*",
    8.9: r"(rtx)?40[5-9]0(ti|super|d)*|l4|l40s?|rtx[456]000ada|ada",
    9.0: r"h100.*|h200.*|gh200.*|hopper",
    10.0: r"b[12]00|gb200",
    12.0: r"(rtx)?50[5-9]0(ti|super|d)*|rtxpro\d000.*",
    12.1: r"gb10|dgxspark",
}


def find_capability(name: str) -> float | None:
    """Return the compute capability of a GPU by its name (`RTX 4090`, `l40s`); None if unknown."""
    word = _FILLERS.sub("", name.lower())
    return next((each for each, names in _NAMES.items() if re.fullmatch(names, word)), None)
