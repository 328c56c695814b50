"""Small files that would come to much: refused before they do, in little memory and time."""

from __future__ import annotations

import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import onnx
import pytest
from onnx import helper

from tests.helpers.hostile import npy, npz
from tests.helpers.models import model_of
from tests.helpers.projects import RECIPE, small_project

MOST_MEGABYTES = 500
"""Python with NumPy, ONNX and ONNX Runtime takes 150 of them by itself."""
MOST_SECONDS = 30
"""For all bombs together; a slow machine takes a few."""
ANSWERS = """
import io
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from trtbuild.cli.app import run
from trtbuild.core.errors import TrtbuildError

def asked(*words):
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        return run(list(words))

def decoded(path):
    from trtbuild.data.pixels import decode_image
    try:
        decode_image(path.read_bytes(), path.name)
    except TrtbuildError as error:
        return error.code
    return 0

for path in sorted(Path().glob("bomb.*")):
    if path.suffix == ".yaml":
        print(path, asked("validate", str(path)))
    elif path.suffix == ".onnx":
        print(path, asked("check", str(path)))
    elif path.suffix == ".npz":
        print(path, asked("run", "recipe.yaml", "--input", str(path)))
    elif path.suffix in {".lock", ".toml"}:
        print(path, asked("diff", str(path), str(path)))
    elif path.suffix in {".json", ".cache"}:
        print(path, asked("ranges", "show", str(path)))
    else:
        print(path, decoded(path))
# Not the process's ru_maxrss, which starts at that of the process that forked it.
peak = Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]
print("megabytes", int(peak) >> 10)
"""


def png(width, height):
    """A picture that claims to be as large as it likes, of rows of zeros."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1 << 20), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def laughs():
    """Ten aliases of ten aliases, and so on: ten thousand million texts."""
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    return "\n".join(lines).encode()


def doubling():
    """Forty Concats of a shape with itself: a trillion values to follow."""
    lines = " ".join(f"c{n + 1} = Concat <axis: int = 0> (c{n}, c{n})" for n in range(40))
    return model_of(
        f"m (float[N, 3] x) => (int64[M] y) {{ c0 = Shape (x) {lines} y = Neg (c40) }}"
    ).SerializeToString()


def calling():
    """Thirty functions that each call the next one twice: a thousand million nodes."""
    opsets = [helper.make_opsetid("f", 1), helper.make_opsetid("", 17)]
    functions = [
        helper.make_function(
            "f", f"F{n}", ["x"], ["y"],
            [helper.make_node(f"F{n + 1}", ["x"], ["a"], domain="f"),
             helper.make_node(f"F{n + 1}", ["a"], ["y"], domain="f")]
            if n < 30 else [helper.make_node("Relu", ["x"], ["y"])],
            opsets,
        )
        for n in range(31)
    ]  # fmt: skip
    value = (helper.make_tensor_value_info(name, 1, [4]) for name in ("x", "y"))
    first, last = value
    graph = helper.make_graph(
        [helper.make_node("F0", ["x"], ["y"], domain="f")], "g", [first], [last]
    )
    return helper.make_model(
        graph, functions=functions, ir_version=8, opset_imports=opsets
    ).SerializeToString()


def packed():
    """A thousand times as large as it is on disk, and more than may be held at once."""
    return npz({"input.npy": npy((600_000, 3, 8, 8), body=bytes(1 << 25))}, zipfile.ZIP_DEFLATED)


BOMBS = {
    "bomb.laughs.yaml": laughs,
    "bomb.deep.yaml": lambda: b"[" * 200_000,
    "bomb.deeper.yaml": lambda: b"- " * 200_000,
    "bomb.digits.yaml": lambda: b"version: " + b"9" * 500_000,
    "bomb.doubling.onnx": doubling,
    "bomb.calling.onnx": calling,
    "bomb.claims.npz": lambda: npz({"input.npy": npy((10**12, 3, 8, 8))}),
    "bomb.packed.npz": packed,
    "bomb.deep.lock": lambda: b"a = " + b"[" * 200_000,
    "bomb.dots.lock": lambda: b".".join([b"a"] * 2000) + b" = 1",
    "bomb.deep.json": lambda: b'{"a":' * 200_000,
    "bomb.digits.json": lambda: b'{"a": ' + b"9" * 1_000_000 + b"}",
    "bomb.spaces.cache": lambda: b"TRT-8601-X\n" + b" " * 1_000_000 + b": " * 1000,
    "bomb.png": lambda: png(60_000, 60_000),
    "bomb.small.png": lambda: png(20_000, 20_000),
}


@pytest.fixture(scope="module")
def blown(tmp_path_factory):
    """What became of every bomb, and the memory that a process took for all of them."""
    folder = small_project(tmp_path_factory.mktemp("bombs") / "project").parent
    (folder / "build/small").mkdir(parents=True)
    (folder / "build/small/model.int8.onnx").write_bytes((folder / "model.onnx").read_bytes())
    for name, make in BOMBS.items():
        (folder / name).write_bytes(make())
    done = subprocess.run(
        [sys.executable, "-c", ANSWERS], cwd=folder, capture_output=True, text=True,
        timeout=MOST_SECONDS, check=True,
        env={"TRTBUILD_STORE": str(folder / "store"), "PATH": "/usr/bin"},
    )  # fmt: skip
    return dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused(blown, name):
    """As what was written wrongly, or cannot be used; a model is checked without growing."""
    assert blown[name] in ({"0"} if name == "bomb.doubling.onnx" else {"2", "3"})


def test_bombs_take_little_memory(blown):
    """All of them, one after the other, in one process."""
    assert int(blown["megabytes"]) < MOST_MEGABYTES


def test_the_small_recipe_is_no_bomb(tmp_path):
    """What is refused above is refused for its size, not for its form."""
    recipe = small_project(tmp_path)

    assert RECIPE == recipe.read_text()
    assert onnx.load(Path(tmp_path) / "model.onnx").graph.node
