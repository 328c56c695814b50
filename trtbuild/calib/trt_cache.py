"""TensorRT's calibration cache, read and written bit for bit.

    TRT-101401-EntropyCalibration2
    input: 3caa54fc
    (Unnamed Layer* 64) [Shuffle]_output: 0

Line 1 names the TensorRT and the algorithm that wrote it. Then a tensor a line: its name, ": ",
and the scale's float32 bits as an integer in lower-case hexadecimal, not padded. The scale is
limit / 127; 0 says that nothing is known of the tensor, and so do infinity and NaN, which TensorRT
writes for what lies behind a Log or a mask. There is nothing of weights.

Other tools write such files too: with a header that leaves the version open (`TRT-8XXX-`), and
with no digits at all for 0.

Sources: sampleINT8 of TensorRT 7.0 to 8.2 (README), sampleEngines.cpp of 10.16
(readScalesFromCalibrationCache), and caches in public repositories. NVIDIA's reader, too, takes
all that stands before the last colon for the name.
"""

from __future__ import annotations

import re
import struct

from trtbuild.calib.range_text import NUMBER, check_name, split_lines, split_named_lines
from trtbuild.core.errors import RangeFileError
from trtbuild.core.frozen import frozen

__all__ = [
    "ALGORITHMS",
    "TrtCache",
    "bytes_from_cache",
    "cache_from_bytes",
    "is_cache",
    "number_from_version",
    "version_from_number",
]

ALGORITHMS = {
    "entropy2": "EntropyCalibration2",
    "minmax": "MinMaxCalibration",
    "entropy": "EntropyCalibration",
    "legacy": "LegacyCalibration",
}
"""Our word for an algorithm → the word in a header. The scales mean the same under all of them;
DLA takes `entropy2` alone. The last two follow the pattern, and were not seen in a real file."""

_HEADER = re.compile(r"TRT-([1-9][0-9]{3,6}|[1-9][0-9]{0,2}X{1,6})-([A-Za-z0-9_]+)")
_OPEN = "X"
_VERSION = re.compile(r"([0-9]+)\.([0-9]+)\.([0-9]+)(?:\.[0-9]+)?")
_HEX = re.compile("[0-9a-fA-F]{0,8}")
_SIGN = 0x80000000
_INFINITY = 0x7F800000
_SMALLEST_NORMAL = 0x00800000
_NEW_SCHEME = 10
_NEW_NUMBERS = 100_000


@frozen
class TrtCache:
    """A calibration cache: who wrote it, and a scale by tensor name, in the file's order."""

    number: int | str
    """TensorRT's version as the header has it: 8601, 101401; or `8XXX`."""
    algorithm: str
    """The header's word: `EntropyCalibration2`."""
    scales: dict[str, float]
    """Each is a float32; 0 where nothing is known."""

    @property
    def version(self) -> str:
        """TensorRT's version as a person writes it: 8.6.1, 10.14.1; 8.x for `8XXX`."""
        if isinstance(self.number, int):
            return version_from_number(self.number)
        least = int(self.number.replace(_OPEN, "0"))
        return f"{version_from_number(least).partition('.')[0]}.x"

    @property
    def calibrator(self) -> str:
        """The kind of calibrator that the algorithm is, or the header's own word."""
        words = {header: kind for kind, header in ALGORITHMS.items()}
        return words.get(self.algorithm, self.algorithm)


def version_from_number(number: int) -> str:
    """Return 8.6.1 for 8601, and 10.14.1 for 101401: TensorRT 10 changed the arithmetic.

    Up to TensorRT 9 the number is major * 1000 + minor * 100 + patch, since then
    major * 10000 + minor * 100 + patch.
    """
    unit = 10_000 if number >= _NEW_NUMBERS else 1000
    return f"{number // unit}.{number % unit // 100}.{number % 100}"


def number_from_version(version: str) -> int:
    """Return 101601 for 10.16.1 (or 10.16.1.11): what a header has for a version.

    Raises:
        ValueError: it is no such version, or has no number that reads back as it.
    """
    match = _VERSION.fullmatch(version)
    if match is None:
        raise ValueError(f"`{version}` is not a version of TensorRT such as 10.16.1")
    major, minor, patch = map(int, match.groups())
    number = major * (1000 if major < _NEW_SCHEME else 10_000) + minor * 100 + patch
    if version_from_number(number) != f"{major}.{minor}.{patch}" or not major:
        raise ValueError(f"there is no TensorRT {version}: its parts are too large")
    return number


def is_cache(data: bytes) -> bool:
    """Tell whether bytes begin as a calibration cache does."""
    return data.removeprefix(b"\xef\xbb\xbf").startswith(b"TRT-")


def cache_from_bytes(data: bytes, *, file: str = "the cache") -> TrtCache:
    """Read a calibration cache; `file` is what messages call it. Line ends may be CRLF.

    Raises:
        RangeFileError: it is none, or a line holds no scale: a decimal, negative or denormal
            number, or a name that was there before.
    """
    lines = split_lines(data, file)
    header = _HEADER.fullmatch(lines[0].rstrip()) if lines else None
    if header is None:
        raise RangeFileError(
            f"{file}: line 1 is not the header of a TensorRT calibration cache",
            hint="it begins like this: TRT-101401-EntropyCalibration2",
        )
    scales = {
        name: _scale(value, f"{file}: line {number}: `{name}`")
        for number, name, value in split_named_lines(lines, file, first=2)
    }
    number = header[1] if _OPEN in header[1] else int(header[1])
    return TrtCache(number, header[2], scales)


def bytes_from_cache(cache: TrtCache) -> bytes:
    """Write a calibration cache; scales are rounded to float32.

    Raises:
        RangeFileError: a name or a scale cannot stand in such a file.
    """
    lines = [f"TRT-{cache.number}-{cache.algorithm}"]
    for name, scale in cache.scales.items():
        check_name(name)
        lines.append(f"{name}: {_bits(scale, name):x}")
    return ("\n".join(lines) + "\n").encode()


def _scale(text: str, where: str) -> float:
    if not _HEX.fullmatch(text):
        if NUMBER.fullmatch(text):
            raise RangeFileError(
                f"{where} has the decimal number {text}; TensorRT writes the bits of a scale in "
                "hexadecimal (3caa54fc)",
                hint="another tool wrote this file; if its numbers are limits, remove line 1: "
                "without it they are read as `name: limit`",
            )
        raise RangeFileError(f"{where}: `{text}` is not a hexadecimal number of 1 to 8 digits")
    bits = int(text or "0", 16)
    size = bits & ~_SIGN
    if size == 0 or size >= _INFINITY:
        return 0.0
    problem = ""
    if bits > _SIGN:
        problem = "is negative"
    elif bits < _SMALLEST_NORMAL:
        problem = "is too small for a scale; was it meant as a decimal number?"
    if problem:
        raise RangeFileError(f"{where}: the scale with the bits {text} {problem}")
    (scale,) = struct.unpack(">f", bits.to_bytes(4, "big"))
    return float(scale)


def _bits(scale: float, name: str) -> int:
    try:
        bits = int.from_bytes(struct.pack(">f", scale), "big")
    except OverflowError:
        bits = _INFINITY
    if bits >= _INFINITY or 0 < bits < _SMALLEST_NORMAL:
        raise RangeFileError(f"`{name}`: {scale:g} cannot be the scale of a tensor in float32")
    return bits
