"""Read the program that was compiled into a TensorRT-RTX plan, without a GPU.

Nothing of this is documented by NVIDIA; it was read off plans of one version, and of any other
version nothing is claimed.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trtbuild.backends.tensorrt.plan_header import HEADER_BYTES, read_header

__all__ = [
    "KNOWN_VERSION",
    "Kernel",
    "find_precision",
    "find_weakest",
    "has_sums",
    "read_kernels",
    "read_programs",
]

KNOWN_VERSION = "1.7.1.116"

_PROGRAM = b"header {\n  version = "
_KNOWN_PROGRAMS = (_PROGRAM + b"5\n", _PROGRAM + b"4\n")  # a plan's own; a fusion's
_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_TENSOR = re.compile(rf"^  (?:sub_)?tensor=\{{.*? name={_QUOTED} .*?type=(\w+) \}}$")
_OPERATION = re.compile(rf"^  (\w+)=\{{ name=(?:{_QUOTED}|(\S+)) ")
_OPERANDS = re.compile(r' (?:input|input_args)=\{ ?((?:"(?:[^"\\]|\\.)*" ?)*)\}')
_ACCELERATORS = re.compile(r"^ *accelerators=\{([^}]*)\}", re.MULTILINE)
_LAYERS = re.compile(rf" layers={_QUOTED}")
_BETWEEN = "\x1f[ONNX Layer: "

_WORDS = {
    "float": "fp32",
    "half": "fp16",
    "bf16": "bf16",
    "int8": "int8",
    "int4": "int4",
    "fp8_e4m3": "fp8",
}
_FLOATS = ("fp32", "bf16", "fp16", "fp8")
"""From the widest to the narrowest."""


@dataclass(frozen=True)
class Kernel:
    """An operation of the compiled program, and the ONNX nodes that went into it."""

    op: str
    name: str
    operands: tuple[str, ...]
    """Precision of each input: `int8`, `fp32`, ...; shapes left out."""
    layers: tuple[str, ...]
    accelerators: tuple[str, ...] = ()
    """The compute capabilities that its program is for; none where the program does not say."""


def read_kernels(plan: Path) -> tuple[Kernel, ...] | None:
    """Read which kernels a plan runs; None where this reader does not know the plan's version."""
    programs = read_programs(plan)
    if programs is None:
        return None
    return tuple(
        kernel for program in programs for kernel in _kernels(program.decode(errors="replace"))
    )


def read_programs(plan: Path) -> tuple[bytes, ...] | None:
    """Return the text of every program in a plan; None where its version is not known here."""
    with plan.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        header = read_header(data[:HEADER_BYTES])
        if header is None or (header.version, header.size_bytes) != (KNOWN_VERSION, len(data)):
            return None
        programs = tuple(_programs(data))
    if not programs or not all(program.startswith(_KNOWN_PROGRAMS) for program in programs):
        return None
    return programs


def _programs(data: mmap.mmap) -> Iterator[bytes]:
    """Yield the text of every program: the main one, and one for each fusion left to run time."""
    start = data.find(_PROGRAM)
    while start != -1:
        end = data.find(b"\0", start)
        yield data[start : end if end != -1 else len(data)]
        start = data.find(_PROGRAM, start + 1)


def _kernels(program: str) -> Iterator[Kernel]:
    types: dict[str, str] = {}
    accelerators = _accelerators(program)
    for line in program.split("\n"):
        if tensor := _TENSOR.match(line):
            types[tensor[1]] = tensor[2]
        elif (operation := _OPERATION.match(line)) and (layers := _LAYERS.search(line)):
            operands = _OPERANDS.search(line)
            names = re.findall(_QUOTED, operands[1]) if operands else []
            yield Kernel(
                op=operation[1],
                name=_plain(operation[2] or operation[3]),
                operands=tuple(_precisions(names, types)),
                layers=_layers(_plain(layers[1])),
                accelerators=accelerators,
            )


def _accelerators(program: str) -> tuple[str, ...]:
    """Return the compute capabilities of `accelerators={sm86 sm120 }`; plans hold one program."""
    found = _ACCELERATORS.search(program)
    numbers = (int(word) for word in re.findall(r"\bsm(\d+)\b", found[1])) if found else ()
    return tuple(f"{number // 10}.{number % 10}" for number in numbers)


def _precisions(names: Iterable[str], types: Mapping[str, str]) -> Iterator[str]:
    for name in names:
        kind = types.get(name, "")
        if kind not in ("int64", "int32", "bool"):  # shapes and conditions
            yield _WORDS.get(kind, "unknown")


def _layers(text: str) -> tuple[str, ...]:
    """Split `[ONNX Layer: a]␟[ONNX Layer: b]`; a node's name may itself hold brackets."""
    return tuple(part.removesuffix("]") for part in f"\x1f{text}".split(_BETWEEN)[1:])


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def find_weakest(precisions: Iterable[str]) -> str:
    """Return the one precision of several: the widest float; unknown where one is."""
    kinds = set(precisions)
    if "unknown" in kinds or not kinds:
        return "unknown"
    return next((name for name in _FLOATS if name in kinds), min(kinds))


def find_precision(kernels: Sequence[Kernel]) -> tuple[str, str]:
    """Tell in which precision a node is multiplied, by its kernels; and why where that is not told.

    A convolution or matrix multiplication says so by its first two operands, an attention by its
    queries, keys and values. Kernels that merely hold a part of the node (its padding, its bias)
    speak only where there is no such.
    """
    products = [kernel.operands[:2] for kernel in kernels if kernel.op in _PRODUCTS]
    attention = [_multiplied(kernel) for kernel in kernels if _ATTENTION in kernel.name]
    if products or attention:
        return _judge_precisions([find_weakest(operands) for operands in products or attention])
    if not kernels:
        return "unknown", "it is not in the compiled program: folded away, or under another name"
    silent = [kernel.name for kernel in kernels if not _find_generated_precision(kernel)]
    if silent:
        return "unknown", f"it went into the kernel {silent[0]}, which says nothing of its sums"
    return _judge_precisions([_find_generated_precision(kernel) for kernel in kernels])


def has_sums(kernels: Sequence[Kernel]) -> bool:
    """Tell whether a node's products are summed in one of its own kernels, as far as they tell."""
    return any(
        kernel.op in _PRODUCTS or _ATTENTION in kernel.name or "Sum" in kernel.name
        for kernel in kernels
    )


_PRODUCTS = frozenset({"corrltn", "deconvolution", "fully_connected"})
_ATTENTION = "_gemm_mha"
_GENERATED = "__myl_"


def _multiplied(attention: Kernel) -> tuple[str, ...]:
    """Return the operands of an attention that are multiplied: queries, keys, and values at last.

    What lies between them (masks, scales) is added to the scores, or scales them, in float.
    """
    return (*attention.operands[:2], *attention.operands[-1:])


def _find_generated_precision(kernel: Kernel) -> str:
    """Return the precision of a kernel generated from elementwise operations, if it is told.

    With float operands alone it is theirs. INT8 operands are cast before they are multiplied and
    summed (`CastMul...MulSum`), so there too the float operands tell.
    """
    told = kernel.op == "function" and kernel.name.startswith(_GENERATED)
    floats = {kind for kind in kernel.operands if kind in _FLOATS}
    if not told or not floats or (floats != set(kernel.operands) and "MulSum" not in kernel.name):
        return ""
    return find_weakest(floats)


def _judge_precisions(precisions: list[str]) -> tuple[str, str]:
    """Return the one precision; of several, the least that was delivered."""
    found = find_weakest(precisions)
    why = "the operands of its kernel have a type that is not known here"
    return found, why if found == "unknown" else ""
