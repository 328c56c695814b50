"""The real Python bindings of TensorRT 10 and 11, loaded over stub libraries.

The bindings come through the package index, without the libraries that they are for (gigabytes);
what they need of those is nine functions, which a C compiler makes in a moment.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

VERSIONS = {10: "10.16.1.11", 11: "11.4.0.106"}
LIBRARIES = ("nvinfer", "nvinfer_plugin", "nvonnxparser")
STUBS = """
void *createInferBuilder_INTERNAL(void *log, int version) { return 0; }
void *createInferRuntime_INTERNAL(void *log, int version) { return 0; }
void *createInferRefitter_INTERNAL(void *engine, void *log, int version) { return 0; }
void *createNvOnnxParser_INTERNAL(void *network, void *log, int version) { return 0; }
void *createNvOnnxParserRefitter_INTERNAL(void *refitter, void *log, int version) { return 0; }
int getNvOnnxParserVersion(void) { return 0; }
void *getPluginRegistry(void) { return 0; }
void *getBuilderPluginRegistry(int capability) { return 0; }
int initLibNvInferPlugins(void *log, const char *name) { return 1; }
"""
CUDART = """
#include <stdlib.h>
#include <string.h>
int cudaMalloc(void **p, size_t n) { *p = malloc(n); return 0; }
int cudaFree(void *p) { free(p); return 0; }
int cudaMemcpy(void *to, void *from, size_t n, int kind) { memcpy(to, from, n); return 0; }
int cudaStreamCreate(void **s) { *s = 0; return 0; }
int cudaStreamSynchronize(void *s) { return 0; }
int cudaStreamDestroy(void *s) { return 0; }
int cudaMemcpyAsync(void *to, void *from, size_t n, int kind, void *s)
    { memcpy(to, from, n); return 0; }
"""
"""A CUDA runtime whose device is the host: enough for Polygraphy to copy batches to it."""


class Unavailable(Exception):
    """The bindings cannot be had here; says why."""


@dataclass(frozen=True)
class Bindings:
    """Bindings that a subprocess can import."""

    major: int
    packages: Path
    libraries: Path

    def run(self, code, *arguments):
        """Run Python code that may `import tensorrt_bindings`; returns what it prints."""
        path = os.pathsep.join([str(Path(__file__).parents[2]), str(self.packages)])
        environment = {
            **os.environ,
            "PYTHONPATH": path,
            "LD_LIBRARY_PATH": str(self.libraries),
            "PYTHONWARNINGS": "ignore",
            "POLYGRAPHY_USE_TENSORRT_RTX": "0",  # a test before may have set it for itself
        }
        command = [sys.executable, "-c", code, *arguments]
        ran = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=60
        )
        assert 0 == ran.returncode, ran.stdout + ran.stderr
        return ran.stdout


def bindings(major, cache):
    """Install the bindings of a major version below `cache`, once, and the stubs beside them.

    Raises:
        Unavailable: there is no C compiler, or the package index cannot be reached.
    """
    home = Path(cache) / VERSIONS[major]
    if not home.is_dir():
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            made = Path(folder) / "made"
            _install(major, made / "packages")
            _compile(major, made / "libraries")
            shutil.copytree(made, home, dirs_exist_ok=True)
    return Bindings(major, home / "packages", home / "libraries")


def _install(major, target):
    requirement = f"tensorrt_cu13_bindings=={VERSIONS[major]}"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
    command += ["--disable-pip-version-check", "--retries", "1", "--target", str(target)]
    ran = subprocess.run([*command, requirement], capture_output=True, text=True, check=False)
    if ran.returncode:
        raise Unavailable(f"{requirement} cannot be installed: {ran.stderr.strip()[-200:]}")


def cuda_runtime(folder):
    """Compile a CUDA runtime whose device is the host; return its folder.

    Raises:
        Unavailable: there is no C compiler.
    """
    _library(folder / "libcudart.so", CUDART)
    return folder


def _compile(major, target):
    target.mkdir(parents=True)
    for name in LIBRARIES:
        _library(target / f"lib{name}.so.{major}", STUBS)
    _library(target / "libcudart.so", CUDART)


def _library(path, text):
    compiler = shutil.which("cc")
    if compiler is None:
        raise Unavailable("there is no C compiler (cc) to make stub libraries with")
    command = [compiler, "-shared", "-fPIC", "-w", "-x", "c", "-", f"-Wl,-soname,{path.name}"]
    subprocess.run([*command, "-o", str(path)], input=text, text=True, check=True)
