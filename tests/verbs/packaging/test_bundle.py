"""A bundle: complete, the same bytes twice, and its program runs without trtbuild."""

from __future__ import annotations

import subprocess
import sys

import numpy as np

from trtbuild.verbs.packaging.bundle import pack_bundle
from trtbuild.verbs.packaging.writing import write_archive, write_files

ENGINE = ("a", "tensorrt10", "10.14.1.48", ("8.9",))


def pack(build, **options):
    settings = {"classes": (), "sources": {"photos/a.png": "sha256:1"}, **options}
    return pack_bundle(build, render=lambda *_: {"model_card.md": "card"}, **settings)


def test_packed_twice_it_is_the_same_bytes(place, tmp_path):
    """Whatever the time."""
    build = place(ENGINE)
    for name in ("1.zip", "2.zip"):
        write_archive(tmp_path / name, pack(build))

    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()


def test_its_program_runs_it(place, tmp_path):
    """In a Python that cannot see trtbuild."""
    write_files(tmp_path / "out", pack(place(ENGINE)))
    pixels = np.random.default_rng(0).random((2, 3, 4, 4), np.float32)
    np.savez(tmp_path / "in.npz", x=pixels)

    run = [sys.executable, "-P", "out/run.py", "--onnx", "in.npz", "out.npz"]
    done = subprocess.run(run, cwd=tmp_path, env={}, capture_output=True, text=True, check=True)

    assert done.stdout.startswith("y float32 [2, 3]\n[[0.")
    assert done.stdout.endswith("]]\nby model/model.fp32.onnx\n")
    with np.load(tmp_path / "out.npz") as found:
        np.testing.assert_allclose(pixels.mean((2, 3)), found["y"], atol=1e-6)
