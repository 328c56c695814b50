"""FedModel: a recipe's model in a pipeline, and what feeding, running and reading it does."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import MissingDependency, StepInputError, UsageError
from trtbuild.data.on_gpu.pictures import CopiedPicture, GpuPictures
from trtbuild.data.preprocess import Preprocess
from trtbuild.model.feeds import Feeder
from trtbuild.pipeline.item import Item
from trtbuild.recipe.load import LoadedRecipe
from trtbuild.runtime import Engine
from trtbuild.runtime.onnx_runner import OnnxGpuRunner

if TYPE_CHECKING:
    import numpy as np

    from trtbuild.data.view import View
    from trtbuild.verbs.running.answers import Answering

__all__ = ["FedModel"]


class FedModel:
    """What the three parts of a recipe's stage do.

    Where the model runs on a GPU, pictures are copied there as they are, and made ready by a kernel
    just before they are run: as soon as that does not go, the CPU does it.
    """

    def __init__(
        self,
        name: str,
        engine: Engine,
        how: Preprocess,
        given: str,
        recipe: LoadedRecipe,
        *,
        most: int,
    ) -> None:
        """Take a stage's name, its engine, and how pictures become what the input `given` takes.

        At `most` so many are run at once, and one by one where the model takes no more.

        Raises:
            UsageError: the model takes more than a picture, or a fixed batch of them.
        """
        self._name, self._engine, self._how = name, engine, how
        feeder = Feeder(engine.inputs, [], recipe.recipe.inputs)
        takes = [each.name for each in engine.inputs]
        if len(takes) != 1 or feeder.batch != 1:
            raise UsageError(
                f"{recipe.file}: its model takes {', '.join(takes)}, in batches of "
                f"{feeder.batch}; a stage feeds one picture to one input",
                hint="open the batch axis (fix `set_dimension`), or run it in a function",
            )
        self._input = given if given in takes else takes[0]
        self._pictures = _open_pictures(how) if engine.on_gpu else None
        self._steady = engine.on_gpu and engine.platform == OnnxGpuRunner.platform
        first = engine.inputs[0].shape[:1]
        self._at_once = most if any(isinstance(size, str) for size in first) else 1
        self._most = 1
        self.copies = self._pictures is not None
        """Whether pictures are copied to the GPU as they are."""

    def preprocess(self, items: Sequence[Item]) -> list[Item]:
        """Have pictures made ready, or copied to where they will be."""
        for item in items:
            pictures = item.take_pictures()
            item.fed[self._name] = [self._begin(each, item.name) for each in pictures]
            item.fed[f"{self._name} views"] = [
                self._how.view(each.shape[1], each.shape[0]) for each in pictures
            ]
        return list(items)

    def _begin(self, picture: np.ndarray, name: str) -> np.ndarray | CopiedPicture:
        if self.copies and self._pictures is not None and self._pictures.takes(picture):
            try:
                return self._pictures.copy(picture)
            except StepInputError:
                self.copies = False
        return self._how.apply(picture, name)

    def infer(self, items: Sequence[Item]) -> list[Item]:
        """Run the pictures of the items, as many at once as may be and are of one size."""
        fed = [(item, each) for item in items for each in item.fed.pop(self._name)]
        made: list[dict[str, np.ndarray]] = [{} for _ in fed]
        kinds = [_tell_kind(each) for _, each in fed]
        for kind in dict.fromkeys(kinds):
            alike = [place for place, each in enumerate(kinds) if each == kind]
            for begin in range(0, len(alike), self._at_once):
                places = alike[begin : begin + self._at_once]
                outputs = self._run([fed[n][1] for n in places])
                for row, place in enumerate(places):
                    made[place] = {name: each[row] for name, each in outputs.items()}
        for item in items:
            item.fed[self._name] = []
        for (item, _), rows in zip(fed, made, strict=True):
            item.fed[self._name].append(rows)
        return list(items)

    def _run(self, fed: Sequence[Any]) -> dict[str, np.ndarray]:
        """Run what is alike at once; return the outputs, which may have more rows than are asked.

        For each new size, ONNX Runtime has cuDNN plan all convolutions anew, which takes as long as
        many runs: it is given as many pictures as ever, the last of them several times.
        """
        if self._steady:
            self._most = max(self._most, len(fed))
            fed = [*fed, *[fed[-1]] * (self._most - len(fed))]
        return self._engine.run({self._input: self._join(fed)})

    def _join(self, fed: Sequence[Any]) -> Any:
        """Return one batch of what is alike."""
        import numpy as np

        if self._pictures is None or not isinstance(fed[0], CopiedPicture):
            return np.stack(fed)
        try:
            return self._pictures.make_ready(fed)
        except StepInputError:  # they are shrunk too much for the kernel, or memory is full
            self.copies = False
            return np.stack([self._how.apply(each.pixels, self._name) for each in fed])

    def answer(self, items: Sequence[Item], answering: Answering) -> list[Item]:
        """Read what the model said of each picture."""
        for item in items:
            views: list[View] = item.fed.pop(f"{self._name} views")
            rows = item.fed.pop(self._name)
            item.answers[self._name] = [
                answering.answer(each, view) for each, view in zip(rows, views, strict=True)
            ]
            item.placed[self._name] = item.take_places()
            item.pictures, item.places = None, []
        return list(items)

    def close(self) -> None:
        """Give all memory back, though the engine cannot keep what it has compiled."""
        try:
            self._engine.close()
        finally:
            if self._pictures is not None:
                self._pictures.close()


def _tell_kind(fed: np.ndarray | CopiedPicture) -> Hashable:
    """Return what those have in common that one batch is made of."""
    return isinstance(fed, CopiedPicture), fed.shape


def _open_pictures(how: Preprocess) -> GpuPictures | None:
    """Return what makes pictures ready on the GPU; None where its kernels cannot be had."""
    try:
        return GpuPictures(how)
    except (MissingDependency, StepInputError):
        return None
