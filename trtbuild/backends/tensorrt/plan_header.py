"""The first bytes of a plan: whose it is, of which version, and for which GPUs."""

from __future__ import annotations

from dataclasses import dataclass

from trtbuild.backends.tensorrt.flavour import FLAVOURS, RTX, TRT11

__all__ = ["HEADER_BYTES", "PlanHeader", "read_header"]

HEADER_BYTES = 64
_RTX = b"vtrt"
_FULL = b"ftrt"
_FULL_BYTES = 28
_CAPABILITIES = ("7.5", "8.0", "8.6", "8.9", "12.0", "12.1")  # bits 0 to 5 of the mask


@dataclass(frozen=True)
class PlanHeader:
    """The first bytes of a plan."""

    flavour: str
    """The family of TensorRTs: `TensorRT-RTX` or `TensorRT`."""
    version: str
    size_bytes: int | None = None
    """How long the file shall be; None where the header does not say."""
    compute_capabilities: tuple[str, ...] = ()
    """The GPUs that it is for; none where the header does not say."""

    @property
    def kind(self) -> str:
        """Return the kind of target whose TensorRT made it; empty where there is none."""
        major = int(self.version.partition(".")[0])
        found = (
            kind
            for kind, each in FLAVOURS.items()
            if (each.family, each.major) == (self.flavour, major)
        )
        return next(found, "")


def read_header(data: bytes) -> PlanHeader | None:
    """Read the first 64 bytes of a file; None where they are no plan's.

    TensorRT-RTX, little endian: 0 `vtrt`, 16 size (u64), 24 version (4 bytes), 28 `vtrt`, 32 mask
    of compute capabilities (u64); read off plans of 1.7. TensorRT: 0 `ftrt`, 4 serialization
    version (u32, 0), 24 version (4 bytes), as NVIDIA's trtexec has it (`--getPlanVersionOnly`).
    """
    version = ".".join(str(part) for part in data[24:28])
    if len(data) >= HEADER_BYTES and data[:4] == _RTX and data[28:32] == _RTX:
        mask = int.from_bytes(data[32:40], "little")
        found = tuple(name for bit, name in enumerate(_CAPABILITIES) if mask >> bit & 1)
        return PlanHeader(RTX.family, version, int.from_bytes(data[16:24], "little"), found)
    if len(data) >= _FULL_BYTES and data[:8] == _FULL + bytes(4):
        return PlanHeader(TRT11.family, version)
    return None
