"""Make a model of transformers by its configuration, and export it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import StepInputError, TrtbuildError
from trtbuild.core.words import describe_cause, join_few
from trtbuild.sources.huggingface_folder import HuggingfaceFolder, read_folder
from trtbuild.sources.torch_call import ExportRequest
from trtbuild.sources.torch_module import PreparedModule

if TYPE_CHECKING:
    from trtbuild.model.imported_model import ImportedModel
    from trtbuild.sources.huggingface import Huggingface
    from trtbuild.sources.inputs import InputSpec
    from trtbuild.sources.sizes import Sizes

__all__ = ["export_pretrained", "load_pretrained"]

FEW = 4
POOLER = "pooler."
CLASSES = {
    "feature-extraction": "AutoModel",
    "fill-mask": "AutoModelForMaskedLM",
    "text-classification": "AutoModelForSequenceClassification",
    "token-classification": "AutoModelForTokenClassification",
    "question-answering": "AutoModelForQuestionAnswering",
    "multiple-choice": "AutoModelForMultipleChoice",
    "text-generation": "AutoModelForCausalLM",
    "image-classification": "AutoModelForImageClassification",
    "object-detection": "AutoModelForObjectDetection",
    "semantic-segmentation": "AutoModelForSemanticSegmentation",
    "depth-estimation": "AutoModelForDepthEstimation",
    "audio-classification": "AutoModelForAudioClassification",
    "speech-recognition": "AutoModelForCTC",
}
POOLING = (
    "modules.json says what follows this model, as the pooling of sentences does: that is no part "
    "of it"
)


def export_pretrained(
    source: Huggingface, *, folder: Path, inputs: Mapping[str, InputSpec], sizes: Sizes
) -> ImportedModel:
    """Make the model that a folder holds, and export it with the outputs that are wanted.

    Raises:
        MissingDependency: transformers or PyTorch is not installed.
        StepInputError: it cannot be made, its weights do not fit, or it cannot be exported.
    """
    from trtbuild.sources.torch_export import export_prepared

    found = read_folder(folder, called=source.place)
    with _quiet(), TemporaryDirectory() as code, _code_in(code):
        made = _make(source, found, folder)
        return export_prepared(
            ExportRequest(
                source.place,
                made,
                inputs,
                source.outputs,
                source.opset,
                sizes,
                source.exporter,
                may_pick=True,
            )
        )


def load_pretrained(source: Huggingface, folder: Path) -> PreparedModule:
    """Make the model that a folder holds, with its weights.

    Raises:
        MissingDependency: transformers or PyTorch is not installed.
        StepInputError: it cannot be made, or its weights do not fit.
    """
    found = read_folder(folder, called=source.place)
    with _quiet(), TemporaryDirectory() as code, _code_in(code):
        return _make(source, found, folder)


def _make(source: Huggingface, found: HuggingfaceFolder, folder: Path) -> PreparedModule:
    import transformers

    options = {"local_files_only": True, "trust_remote_code": source.trust_remote_code}
    try:
        config = transformers.AutoConfig.from_pretrained(str(folder), **options)
        # What is kept of earlier steps is no output of one step.
        config.use_cache = False
        config.return_dict = True
        make = _choose_class(transformers, source, found)
        if not make.__name__.startswith("Auto"):
            del options["trust_remote_code"]  # its own classes do not know it
        module, loading = make.from_pretrained(
            str(folder), config=config, output_loading_info=True, **options
        )
    except (TrtbuildError, ModuleNotFoundError):
        raise
    except Exception as error:
        raise _explain(error, source, found) from error
    notes = [*_hold_weights(source, loading), *([POOLING] if _has_pooling(folder) else [])]
    notes.insert(0, f"{type(module).__name__} of transformers {transformers.__version__}")
    return PreparedModule(module.float().eval(), tuple(notes))


def _choose_class(transformers: Any, source: Huggingface, found: HuggingfaceFolder) -> Any:
    """Return the class that the recipe's task, or the configuration, names."""
    if source.task is not None:
        return getattr(transformers, CLASSES[source.task])
    name = found.architecture
    if not name:
        raise StepInputError(
            f"{source.place}: its configuration names no class under `architectures`",
            hint="write the `task` that it is for",
        )
    mapped = found.config.get("auto_map") or {}
    for auto, each in mapped.items() if source.trust_remote_code else ():
        if str(each).rpartition(".")[2] == name:
            return getattr(transformers, auto)
    made = getattr(transformers, name, None)
    if made is None:
        raise _unknown(source, found)
    return made


def _unknown(source: Huggingface, found: HuggingfaceFolder) -> StepInputError:
    import transformers

    own = f"{found.architecture or found.model_type}"
    if found.code and not source.trust_remote_code:
        return StepInputError(
            f"{source.place}: `{own}` is made by code that comes with it "
            f"({join_few(found.code, FEW)}), which is not run",
            hint="read that code, and write `trust_remote_code: true` where you trust it",
        )
    return StepInputError(
        f"{source.place}: transformers {transformers.__version__} has no `{own}`",
        hint="install the version that config.json names under `transformers_version`, or a later",
    )


def _explain(error: Exception, source: Huggingface, found: HuggingfaceFolder) -> StepInputError:
    """Return what transformers raised, in words of what to do."""
    told = str(error)
    if "trust_remote_code" in told or "does not recognize this architecture" in told:
        return _unknown(source, found)
    return StepInputError(
        f"{source.place}: transformers cannot load it: {describe_cause(error)}",
        hint="the step's log has the whole message",
    )


def _hold_weights(source: Huggingface, loading: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is to be noted of weights.

    Raises:
        StepInputError: some that the model computes with are not in the files.
    """
    missing = sorted(map(_name, loading.get("missing_keys", ())))
    unread = POOLER if source.outputs and "pooler_output" not in source.outputs else None
    lacking = [name for name in missing if unread is None or not name.startswith(unread)]
    if lacking:
        pooler = all(POOLER in name for name in lacking)
        raise StepInputError(
            f"{source.place}: {len(lacking)} weights are not in its files, and would be random: "
            + join_few(lacking, FEW),
            hint="name the outputs that are wanted, without `pooler_output`: "
            "outputs: [last_hidden_state]"
            if pooler
            else "write the `task` that the weights were trained for",
        )
    if missing:
        yield f"weights that are not in its files, and not read: {join_few(missing, FEW)}"
    more = sorted(map(_name, loading.get("unexpected_keys", ())))
    if more:
        yield f"{len(more)} weights of its files are not the model's: {join_few(more, FEW)}"


def _name(key: Any) -> str:
    return str(key[0] if isinstance(key, Sequence) and not isinstance(key, str) else key)


def _has_pooling(folder: Path) -> bool:
    return (folder / "modules.json").is_file()


@contextlib.contextmanager
def _code_in(folder: str) -> Iterator[None]:
    """Have code of a model's own copied to a folder that goes, and not to the user's cache."""
    from transformers import dynamic_module_utils

    path, modules = list(sys.path), set(sys.modules)
    before, dynamic_module_utils.HF_MODULES_CACHE = dynamic_module_utils.HF_MODULES_CACHE, folder
    try:
        yield
    finally:
        dynamic_module_utils.HF_MODULES_CACHE = before
        sys.path[:] = path
        for name in set(sys.modules) - modules:
            if name.partition(".")[0] == "transformers_modules":
                del sys.modules[name]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library's remarks and bars to itself."""
    import warnings

    from transformers.utils import logging

    level = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)
        logging.enable_progress_bar()
