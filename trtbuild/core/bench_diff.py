"""How two results of a bench differ."""

from dataclasses import dataclass

from trtbuild.core.timing import Contrast

__all__ = ["BenchDiff"]


@dataclass(frozen=True)
class BenchDiff:
    """How a result differs from an earlier one."""

    before: str
    after: str
    moved: tuple[Contrast, ...]
    """Of each row of both: the old time over the new one, with the band that noise may fill."""
    gone: tuple[str, ...]
    come: tuple[str, ...]
    notes: tuple[str, ...]
    """What else differs: models, libraries, drivers of what does not run on a GPU."""

    @property
    def differ(self) -> bool:
        """Tell whether any time moved beyond noise."""
        return any(each.found != "no difference found" for each in self.moved)
