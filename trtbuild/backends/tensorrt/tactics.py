"""What of an engine stays the same when it is built again: its program, or its kernels by layer."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from trtbuild.backends.tensorrt.rtx_plan import read_programs
from trtbuild.core.digest import digest_of_bytes, digest_of_tree

__all__ = ["digest_inspected_layers", "digest_program"]

_MADE_UP = re.compile(rb"__mye[0-9]+")
"""Myelin numbers the names that it makes up, in each process differently."""


def digest_program(plan: Path) -> str:
    """Return the digest of the program in a TensorRT-RTX plan; empty where it cannot be read.

    Names that the compiler made up are numbered in the order in which they appear. The kernels of
    products are chosen where the engine runs (`runtime_tactic=true`); all else stands in it.
    """
    programs = read_programs(plan)
    return "" if programs is None else digest_of_bytes(_renumber(b"\0".join(programs)))


def digest_inspected_layers(text: str) -> str:
    """Return the digest of the layers in an inspector's JSON; empty where it does not tell them."""
    try:
        layers = json.loads(text).get("Layers", [])
    except (ValueError, AttributeError):
        return ""
    if not isinstance(layers, Sequence) or not all(isinstance(layer, dict) for layer in layers):
        return ""
    return digest_of_tree(json.loads(_renumber(json.dumps(layers).encode()))) if layers else ""


def _renumber(text: bytes) -> bytes:
    names: dict[bytes, bytes] = {}
    return _MADE_UP.sub(lambda name: names.setdefault(name[0], b"__mye#%d" % len(names)), text)
