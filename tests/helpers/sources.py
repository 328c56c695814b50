"""Data sources of every kind, small ones, and what captures them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image
from pydantic import TypeAdapter

from tests.helpers import media
from trtbuild.core.digest import digest_of_file
from trtbuild.data import AnyDataSource
from trtbuild.steps.base import Context, Pinned, QuietEvents, Ref
from trtbuild.steps.capture_data import CaptureData, DataInput
from trtbuild.steps.held_files import hold_files

ANY = TypeAdapter(AnyDataSource)
CODE = """
import numpy as np

def samples(total=4):
    for index in range(total):
        picture = np.full((6, 8, 3), index, np.uint8)
        yield {"input": picture, "label": index % 2}
"""


def source_of(text: str):
    """Read a source the way a recipe's section is read."""
    return ANY.validate_json(text)


def picture(path: Path, value=0, size=(8, 6), mode="RGB", **options) -> Path:
    """Save a picture of one value; size is width, height."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value if mode == "L" else (value,) * len(mode)).save(path, **options)
    return path


def images(folder: Path):
    """Four pictures below a folder."""
    for index in range(4):
        picture(folder / "photos" / f"{index}.png", index)
    return source_of('{"kind": "images", "path": "photos", "preprocess": {"scale": 1}}')


def npz(folder: Path):
    """Two inputs and labels, uncompressed."""
    np.savez(
        folder / "a.npz",
        x=np.arange(24, dtype=np.float32).reshape(4, 2, 3),
        ids=np.arange(8).reshape(4, 2),
        y=np.array([3, 1, 2, 0]),
    )
    return source_of('{"kind": "arrays", "path": "a.npz", "labels": "y"}')


def compressed(folder: Path):
    """An npz with a compressed array."""
    np.savez_compressed(folder / "c.npz", input=np.eye(4, dtype=np.float16))
    return source_of('{"kind": "arrays", "path": "c.npz"}')


def npy(folder: Path):
    """An array in Fortran order."""
    np.save(folder / "a.npy", np.asfortranarray(np.arange(12, dtype=np.float64).reshape(4, 3)))
    return source_of('{"kind": "arrays", "path": "a.npy", "input": "x"}')


def python(folder: Path):
    """A callable with labels, as it is."""
    (folder / "code.py").write_text(CODE)
    return source_of('{"kind": "python", "entrypoint": "code.py:samples", "labels": "label"}')


def preprocessed(folder: Path):
    """A callable whose pictures are cropped and scaled."""
    (folder / "code.py").write_text(CODE)
    return source_of(
        '{"kind": "python", "entrypoint": "code.py:samples", "labels": "label",'
        ' "preprocess": {"crop": [4, 4]}}'
    )


def random(folder: Path):
    """Four samples of a picture and ids."""
    return source_of(
        '{"kind": "random", "count": 4, "inputs": {'
        '"input": {"shape": [3, 2], "low": -1}, "ids": {"shape": [], "dtype": "int64", "high": 9}}}'
    )


def shards(folder: Path):
    """Two npz files, one after the other."""
    for name, length in (("a", 1), ("b", 3)):
        (folder / "shards").mkdir(exist_ok=True)
        np.savez(folder / "shards" / f"{name}.npz", x=np.eye(length, 3))
    return source_of('{"kind": "arrays", "path": "shards"}')


def one_a_file(folder: Path):
    """An npz file a sample."""
    (folder / "ones").mkdir()
    for index in range(4):
        np.savez(folder / "ones" / f"{index}.npz", x=np.arange(index + 2), y=index)
    return source_of(
        '{"kind": "arrays", "path": "ones", "one_a_file": true, "labels": "y", "input": "x"}'
    )


def yolo(folder: Path):
    """Four pictures that a data.yaml lists."""
    for index in range(4):
        picture(folder / "images/val" / f"{index}.png", index)
    (folder / "data.yaml").write_text("val: images/val\nnames: [a]\n")
    return source_of('{"kind": "yolo", "path": "data.yaml", "preprocess": {"scale": 1}}')


def coco(folder: Path):
    """Four pictures that a JSON file annotates."""
    pictures = [{"id": n, "file_name": f"{n}.png", "width": 8, "height": 6} for n in range(4)]
    for each in pictures:
        picture(folder / "val" / each["file_name"], each["id"])
    annotated = {"images": pictures, "annotations": [], "categories": []}
    (folder / "a.json").write_text(json.dumps(annotated))
    return source_of('{"kind": "coco", "path": "a.json", "pictures": "val", "preprocess": {}}')


def video(folder: Path):
    """Every second frame of two videos."""
    media.video(folder / "clips/a.mkv", [0, 40, 80])
    media.video(folder / "clips/b.mkv", [120, 160, 200, 240])
    return source_of(
        '{"kind": "video", "path": "clips", "stride": 2, "preprocess": {"resize": [6, 8]}}'
    )


def text(folder: Path):
    """Four lines, one of them a word that the tokenizer does not know."""
    media.tokenizer(folder / "tokenizer.json")
    (folder / "lines.txt").write_text("the cat\n\non the mat\nsat\nemu\n")
    return source_of('{"kind": "text", "path": "lines.txt", "tokenizer": "tokenizer.json"}')


def audio(folder: Path):
    """Four sounds of one length."""
    for index in range(4):
        media.sound(folder / f"sounds/{index // 2}/{index}.wav", np.linspace(-0.5, 0.5, 99) * index)
    return source_of('{"kind": "audio", "path": "sounds", "sample_rate": 8000}')


def datasets(folder: Path):
    """Four rows of numbers, in two files."""
    media.saved_dataset(folder / "saved", x=[[1, 2], [3, 4], [5, 6], [7, 8]], label=[0, 1, 0, 1])
    return source_of(
        '{"kind": "datasets", "path": "saved", "columns": {"ids": "x"}, "labels": "label"}'
    )


_MAKERS = (images, npz, compressed, npy, python, preprocessed, random, shards, one_a_file, yolo)
KINDS = {make.__name__: make for make in (*_MAKERS, coco, video, text, audio, datasets)}


def pinned(source, base: Path) -> tuple[Pinned, ...]:
    """Pin a source's files, as planning does."""
    return tuple(Pinned(path=str(p), digest=digest_of_file(p)) for p in source.find_files(base))


def capture(source, base: Path, out: Path, *, files=None, threads=1) -> tuple[DataInput, Context]:
    """Capture a source; return it as another step's input, with a context to read it by."""
    files = pinned(source, base) if files is None else files
    step = CaptureData(source=source, files=files, labels=source.find_labels(base))
    out.mkdir(parents=True, exist_ok=True)
    context = Context(
        inputs={f"capture/{name}": out / file for name, file in step.outputs.items()},
        out=out,
        threads=threads,
        events=QuietEvents(),
    )
    with hold_files(step):
        step.run(context)
    data = DataInput(
        source=source,
        files=files,
        manifest=Ref(step="capture", output="manifest"),
        stored=Ref(step="capture", output="samples"),
    )
    return data, context


def plain(samples) -> list:
    """Return samples as plain values, to compare."""
    return [
        (each.name, {k: (v.dtype.name, v.tolist()) for k, v in each.arrays.items()}, each.label)
        for each in samples
    ]
