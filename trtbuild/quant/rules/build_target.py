"""BuildTarget: what a model is to be built for, as far as rules ask."""

from trtbuild.core.options import Options

__all__ = ["ANY_TARGET", "FLOOR_BYTES", "BuildTarget"]

FLOOR_BYTES = 64 * 2**20
"""A workspace below it: kernels that need scratch memory drop out one by one."""


class BuildTarget(Options):
    """What a model is to be built for, as far as rules ask; the default is any TensorRT."""

    kind: str = ""
    """The target's kind; empty for any."""
    compute_capabilities: tuple[str, ...] = ()
    """Those of a TensorRT-RTX target."""
    small_workspace_bytes: int | None = None
    """A workspace under FLOOR_BYTES; None for any other, which changes nothing."""
    unlike_preprocessing: str = ""
    """In what the preprocessing of the calibration data differs from that of the comparison's."""

    plugins: bool = False
    """Whether it names libraries with plugins: which operators they make, nobody can tell."""

    @property
    def rtx(self) -> bool:
        """Tell whether TensorRT-RTX may be what builds it."""
        return self.kind in {"", "tensorrt_rtx"}


ANY_TARGET = BuildTarget()
"""Any TensorRT: nothing is known of the target."""
