"""What a folder of Hugging Face's says of its model, read without transformers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trtbuild.core.errors import MissingFile, StepInputError
from trtbuild.core.regular_files import read_regular
from trtbuild.core.watch import note_path
from trtbuild.core.words import join_few
from trtbuild.sources.inputs import InputSpec
from trtbuild.sources.shards import is_index, list_shards

__all__ = ["HuggingfaceFolder", "find_weights", "list_files", "read_folder"]

CONFIG = "config.json"
WEIGHTS = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)
"""Where transformers looks for weights, in its order."""
FOREIGN = ("tf_model.h5", "flax_model.msgpack", "rust_model.ot")
BESIDE = ("tokenizer_config.json", "preprocessor_config.json")
MOST_BYTES = 16 << 20
FEW = 4
TEXT = ("input_ids", "attention_mask", "token_type_ids")
TOKENS = InputSpec(dtype="int64", shape=("batch", "sequence"))
HINT = "write `inputs` in the recipe, named as the model's `forward` names them"


@dataclass(frozen=True)
class HuggingfaceFolder:
    """A model's configuration, and what tokenizer or preprocessor say beside it."""

    called: str
    """What errors begin with."""
    config: Mapping[str, Any]
    tokenizer: Mapping[str, Any] = field(default_factory=dict)
    preprocessor: Mapping[str, Any] = field(default_factory=dict)

    @property
    def model_type(self) -> str:
        """Return the family of the model: `bert`, `vit`; empty where nothing says it."""
        return str(self.config.get("model_type") or "")

    @property
    def architecture(self) -> str:
        """Return the class that was saved: `BertForMaskedLM`; empty where nothing says it."""
        named = self.config.get("architectures")
        return str(named[0]) if isinstance(named, list) and named else ""

    @property
    def code(self) -> tuple[str, ...]:
        """Return the classes of its own that it needs, by file: `modeling_net.Net`."""
        named = self.config.get("auto_map")
        return tuple(map(str, named.values())) if isinstance(named, dict) else ()

    def tell_inputs(self) -> dict[str, InputSpec]:
        """Return the inputs that follow from the configuration.

        Raises:
            StepInputError: they do not.
        """
        config = self.config
        if config.get("is_encoder_decoder"):
            raise StepInputError(
                f"{self.called}: is an encoder and a decoder, which run in turns: its inputs "
                "depend on what is wanted of it",
                hint=f"{HINT} (`input_ids`, `attention_mask`, `decoder_input_ids`)",
            )
        parts = [name for name in config if name.endswith("_config") and "quant" not in name]
        if {"vision_config", "text_config"} <= set(parts):
            raise StepInputError(f"{self.called}: is several models in one", hint=HINT)
        if "num_mel_bins" in config and "max_length" in config:
            shape = ("batch", int(config["max_length"]), int(config["num_mel_bins"]))
            return {"input_values": InputSpec(shape=shape)}
        if "conv_dim" in config and "feat_extract_norm" in config:
            return {"input_values": InputSpec(shape=("batch", "samples"))}
        if "vocab_size" in config:
            return dict.fromkeys(self._list_text_inputs(), TOKENS)
        if self.takes_pictures:
            return {"pixel_values": InputSpec(shape=("batch", *self._channels_and_size()))}
        raise StepInputError(
            f"{self.called}: its configuration (`model_type: {self.model_type}`) does not tell its "
            "inputs",
            hint=HINT,
        )

    @property
    def takes_pictures(self) -> bool:
        """Tell whether it looks at pictures."""
        told = ("image_size", "num_channels", "patch_size")
        named = any("image_" in str(key) for key in self.preprocessor)
        return named or any(name in self.config for name in told)

    def _list_text_inputs(self) -> Iterator[str]:
        listed = self.tokenizer.get("model_input_names") or TEXT
        types = self.config.get("type_vocab_size") or 0
        for name in TEXT:
            if name in listed and (name != "token_type_ids" or types > 1):
                yield name

    def _channels_and_size(self) -> tuple[int | str, ...]:
        channels = self.config.get("num_channels") or 3
        size = self.config.get("image_size") or self._preprocessed_size()
        if isinstance(size, int):
            size = [size, size]
        return (int(channels), *(size or ("height", "width")))

    def _preprocessed_size(self) -> list[int] | None:
        """Return the one size that pictures are brought to; None where there are several."""
        for name in ("crop_size", "size"):
            if name == "crop_size" and self.preprocessor.get("do_center_crop") is False:
                continue
            size = self.preprocessor.get(name)
            if isinstance(size, int):
                return [size, size]
            if isinstance(size, dict) and {"height", "width"} <= size.keys():
                return [int(size["height"]), int(size["width"])]
        return None


def read_folder(folder: Path, *, called: str = "") -> HuggingfaceFolder:
    """Read what a folder says of its model; `called` is its name in messages.

    Raises:
        MissingFile: there is no such folder, or no configuration in it.
        StepInputError: a file in it is no JSON.
    """
    name = called or str(folder)
    config = folder / CONFIG
    note_path(config)
    if not config.is_file():
        raise _no_config(folder, name)
    return HuggingfaceFolder(name, _read(config), *(_read(folder / each) for each in BESIDE))


def find_weights(folder: Path) -> tuple[Path, ...]:
    """Return the files of a folder's weights, with their index, the first that there are.

    Raises:
        MissingFile: there are none, or not all.
        StepInputError: there are those of another framework alone.
    """
    for each in WEIGHTS:
        note_path(folder / each)
    first = next((folder / name for name in WEIGHTS if (folder / name).is_file()), None)
    if first is not None:
        return (first, *list_shards(first)) if is_index(first) else (first,)
    others = [name for name in FOREIGN if (folder / name).is_file()]
    others += sorted(each.name for each in folder.glob("*.gguf"))
    if others:
        raise StepInputError(
            f"{folder}: has weights of another framework alone: {join_few(others, FEW)}",
            hint="load them by transformers (`from_tf=True`, `from_flax=True`) and save the model "
            "again: model.save_pretrained(FOLDER)",
        )
    raise MissingFile(
        f"{folder}: has no weights: none of {', '.join(WEIGHTS)}",
        hint="copy them there; a clone without git LFS has none",
    )


def list_files(
    folder: Path, *, code: bool, tell_inputs: bool, called: str = ""
) -> tuple[Path, ...]:
    """Return the files that a model is made from: configuration, weights, and `code` that is run.

    With `tell_inputs`, what its inputs are told by is among them.

    Raises:
        MissingFile: one of them is not there.
        StepInputError: it cannot be made from these files.
    """
    found = read_folder(folder, called=called)
    _refuse_quantized(found)
    others = [each for each in BESIDE if (folder / each).is_file()] if tell_inputs else []
    programs = sorted(folder.glob("*.py")) if code else []
    for each in found.code if code else ():
        if "--" in each:
            raise StepInputError(
                f"{found.called}: its code lies elsewhere on the hub: {each}",
                hint="copy that code into the folder, and name it in `auto_map` of config.json",
            )
    return (folder / CONFIG, *find_weights(folder), *(folder / each for each in others), *programs)


def _refuse_quantized(found: HuggingfaceFolder) -> None:
    section = found.config.get("quantization_config")
    if section:
        method = section.get("quant_method", "") if isinstance(section, dict) else ""
        raise StepInputError(
            f"{found.called}: its weights are quantized already ({method or 'in its own way'})",
            hint="name the model that it was made from",
        )


def _no_config(folder: Path, name: str) -> MissingFile | StepInputError:
    if (folder / "adapter_config.json").is_file():
        return StepInputError(
            f"{name}: is an adapter (PEFT), and no model",
            hint="merge it: model.merge_and_unload().save_pretrained(FOLDER), and name that folder",
        )
    if not folder.is_dir():
        return MissingFile(f"{name}: no such folder")
    return MissingFile(
        f"{name}: has no {CONFIG}; a folder that `save_pretrained` wrote is needed",
        hint="name the folder that holds it, or use `kind: torch`",
    )


def _read(path: Path) -> Mapping[str, Any]:
    note_path(path)
    if not path.is_file():
        return {}
    try:
        found = json.loads(read_regular(path, most_bytes=MOST_BYTES))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise StepInputError(f"{path}: is not a mapping in JSON", hint="copy the file again")
    return found
