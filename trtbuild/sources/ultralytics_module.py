"""The PyTorch module of a checkpoint of Ultralytics, as its own predictor runs it."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from trtbuild.core.errors import MissingDependency, StepInputError
from trtbuild.core.files import copy_whole
from trtbuild.core.regular_files import open_regular
from trtbuild.core.words import describe_cause
from trtbuild.sources.torch_module import PreparedModule
from trtbuild.sources.ultralytics_export import ALONE

__all__ = ["load_checkpoint"]

_BEFORE_NMS = "without the suppression (`nms`) that is in the exported graph"


def load_checkpoint(checkpoint: Path, *, name: str = "", nms: bool = False) -> PreparedModule:
    """Load a checkpoint into this process, which unpickles it: in float, its layers fused.

    `name` is what the file is called, where its own name does not say; with `nms`, what the module
    lacks is noted.

    Raises:
        MissingFile: the checkpoint is gone.
        MissingDependency: Ultralytics, or what it needs, is not installed.
        StepInputError: Ultralytics cannot load it.
    """
    open_regular(checkpoint).close()
    with TemporaryDirectory() as place:
        copy = Path(place) / (name or checkpoint.name)
        copy_whole(checkpoint, copy)
        quiet = {**ALONE, "YOLO_VERBOSE": "false", "YOLO_CONFIG_DIR": place}
        del quiet["CUDA_VISIBLE_DEVICES"]  # where it runs is the runner's to say
        os.environ.update(quiet)
        try:
            import ultralytics

            module = ultralytics.YOLO(str(copy)).model.float().eval()
            module = module.fuse(verbose=False) or module
        except ImportError as error:
            raise MissingDependency(
                f"{checkpoint}: is loaded by `ultralytics`, which is not installed: {error}",
                hint="pip install 'trtbuild[ultralytics]'",
            ) from None
        except Exception as error:
            raise StepInputError(
                f"{checkpoint}: Ultralytics cannot load it: {describe_cause(error)}",
                hint="the step's log has the whole message",
            ) from error
    notes = (f"by Ultralytics {ultralytics.__version__}, its layers fused",)
    return PreparedModule(module, (*notes, _BEFORE_NMS) if nms else notes)
