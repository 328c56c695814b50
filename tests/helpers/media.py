"""Small videos, sounds, tokenizers and tables; tests without the library for one are skipped."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

WHY = "needs `pip install 'trtbuild[{}]'`"


def need(module: str, extra: str):
    """Import an optional library, or skip the test."""
    return pytest.importorskip(module, reason=WHY.format(extra))


def video(path: Path, grays, *, size=(16, 12), rate=10) -> Path:
    """Save frames of one gray value each, without loss; size is width, height."""
    av = need("av", "video")
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=Fraction(rate))
        stream.width, stream.height, stream.pix_fmt = *size, "bgr0"
        for gray in grays:
            pixels = np.full((size[1], size[0], 3), gray, np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def tokenizer(path: Path, words="[PAD] [UNK] [CLS] [SEP] the cat sat on mat") -> Path:
    """Save a tokenizer of whole words that knows these, by their places, and BERT's template."""
    library = need("tokenizers", "text")
    vocabulary = {word: number for number, word in enumerate(words.split())}
    made = library.Tokenizer(library.models.WordLevel(vocabulary, unk_token="[UNK]"))  # noqa: S106
    made.pre_tokenizer = library.pre_tokenizers.Whitespace()
    made.post_processor = library.processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    made.enable_truncation(3)
    made.save(str(path))
    return path


def sound(path: Path, samples, *, rate=8000) -> Path:
    """Save samples [n] or [n, channels], from -1 to 1, in 16 bits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    need("soundfile", "audio").write(str(path), np.asarray(samples), rate, subtype="PCM_16")
    return path


def parquet(path: Path, **columns) -> Path:
    """Save columns of plain values."""
    need("pyarrow", "datasets")
    import pyarrow as pa
    from pyarrow import parquet as writer

    writer.write_table(pa.table(columns), str(path), row_group_size=3)
    return path


def saved_dataset(folder: Path, *, names=(), **columns) -> Path:
    """Save columns as `Dataset.save_to_disk` does, in two files."""
    import json

    need("pyarrow", "datasets")
    import pyarrow as pa

    folder.mkdir(parents=True, exist_ok=True)
    table = pa.table(columns)
    files = []
    for number, part in enumerate((table.slice(0, 1), table.slice(1))):
        files.append({"filename": f"data-{number:05d}-of-00002.arrow"})
        with pa.ipc.new_stream(str(folder / files[-1]["filename"]), table.schema) as writer:
            writer.write_table(part)
    (folder / "state.json").write_text(json.dumps({"_data_files": files}))
    features = {"label": {"names": list(names), "_type": "ClassLabel"}}
    (folder / "dataset_info.json").write_text(json.dumps({"features": features}))
    return folder
