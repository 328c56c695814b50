"""Folders as `save_pretrained` writes them, by hand: no transformers is needed to read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

BERT = {
    "architectures": ["BertModel"],
    "model_type": "bert",
    "vocab_size": 100,
    "type_vocab_size": 2,
}


def write_folder(folder: Path, config: dict[str, Any], *files: str, **beside: Any) -> Path:
    """Write a configuration, empty files, and `beside` it JSON by its name; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    for name in files or ("model.safetensors",):
        (folder / name).touch()
    for name, content in beside.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder
