"""RecipeParts: what a first recipe is drafted from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trtbuild.core.errors import UsageError
from trtbuild.verbs.init.data_folders import find_data
from trtbuild.verbs.init.feeding import DRAWN, FedInput, find_fed_inputs
from trtbuild.verbs.init.found_data import FoundData
from trtbuild.verbs.init.model_look import ModelLook
from trtbuild.verbs.init.old_commands.translate import Translation
from trtbuild.verbs.init.outputs import Purpose, find_purpose
from trtbuild.verbs.init.pictures import (
    PictureFacts,
    Preprocessing,
    choose_preprocessing,
    read_picture_facts,
)
from trtbuild.verbs.init.sizes import SizePlan, choose_sizes

__all__ = ["GUESS", "RecipeParts", "gather_parts"]

GUESS = "a guess"
"""What is said of whatever nothing proves."""


@dataclass(frozen=True)
class RecipeParts:
    """What a recipe is drafted from."""

    look: ModelLook
    fed: tuple[FedInput, ...]
    plan: SizePlan
    facts: PictureFacts
    purpose: Purpose
    data: FoundData | None

    @property
    def tells_classes(self) -> bool:
        """Tell whether the data has a class for each sample, of those that the model scores."""
        if self.data is None:
            return False
        if self.data.labels == "folders":
            return self.data.classes == self.purpose.classes
        return bool(self.data.labels)

    def preprocess(self, fed: FedInput) -> Preprocessing:
        """Choose how a picture becomes an input."""
        shape = self.plan.shape(fed, 1)
        size = [shape[axis] for axis in fed.plane_axes]
        return choose_preprocessing(fed, size, self.look, self.facts, self.purpose.task)


def gather_parts(
    look: ModelLook, data: Path | None, base: Path, translation: Translation | None = None
) -> RecipeParts:
    """Say what each input is for, how large it may be, what the outputs are, and what data is.

    Sizes are those of an old command, where it has some.

    Raises:
        UsageError: an input can be fed by nothing, or the data does not fit.
        MissingFile: there is no such data.
    """
    fed = find_fed_inputs(look)
    facts = read_picture_facts(look)
    if translation is None:
        plan = _choose_sizes(look, fed, facts)
    else:
        translation.check_names(fed)
        plan = translation.settle(_choose_sizes(look, fed, facts), fed)
    found = None if data is None else find_data(data, base, fed, look)
    if found is None and fed and all(each.fill is not None for each in fed):
        told = ", ".join(f"`{each.spec.name}` {each.spec.dtype}" for each in fed)
        raise UsageError(
            f"no random data can be drawn for {told}",
            hint=f"give samples: --data FILE.npz; random ones are {', '.join(DRAWN)}",
        )
    purpose = find_purpose(look, fed, plan, facts)
    return RecipeParts(look, fed, plan, facts, purpose, found)


def _choose_sizes(look: ModelLook, fed: tuple[FedInput, ...], facts: PictureFacts) -> SizePlan:
    return choose_sizes(fed, look.trial, side=facts.side, longest=look.longest)
