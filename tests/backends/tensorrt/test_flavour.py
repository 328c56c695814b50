"""Which TensorRT a process gets, and what it says where that is not there."""

from __future__ import annotations

import os
import sys
import types

import pytest

from trtbuild.backends.tensorrt.flavour import RTX, TRT10, TRT11, load_tensorrt
from trtbuild.core.errors import MissingDependency


@pytest.fixture(autouse=True)
def _as_before(monkeypatch):
    """Polygraphy's settings, and the modules, are those of before when a test is done."""
    from polygraphy import config

    for name in ("USE_TENSORRT_RTX", "AUTOINSTALL_DEPS"):
        monkeypatch.setattr(config, name, getattr(config, name))
        monkeypatch.setenv(f"POLYGRAPHY_{name}", os.environ.get(f"POLYGRAPHY_{name}", ""))
    for name in ("tensorrt", "tensorrt_bindings", "tensorrt_rtx", "tensorrt_rtx_bindings"):
        monkeypatch.setitem(sys.modules, name, None)  # as if not installed


@pytest.fixture
def installed(monkeypatch):
    """Have a module of a version installed."""

    def made(name, version):
        module = types.ModuleType(name)
        module.__version__ = version
        monkeypatch.setitem(sys.modules, name, module)
        return module

    return made


@pytest.mark.parametrize(
    ("flavour", "name", "version", "rtx"),
    [
        (TRT10, "tensorrt", "10.16.1.11", False),
        (TRT11, "tensorrt", "11.4.0.106", False),
        (RTX, "tensorrt_rtx", "1.7.1.116", True),
    ],
)
def test_polygraphy_is_told_which_it_is(installed, flavour, name, version, rtx):
    """It asks once; and it installs nothing by itself."""
    from polygraphy import config

    module = installed(name, version)

    assert module is load_tensorrt(flavour)
    assert (rtx, rtx, False) == (flavour.rtx, config.USE_TENSORRT_RTX, config.AUTOINSTALL_DEPS)
    assert ("1" if rtx else "0") == os.environ["POLYGRAPHY_USE_TENSORRT_RTX"]


def test_bindings_alone_will_do(installed, monkeypatch):
    """The wheel that has no libraries of its own builds; it answers to the usual name then."""
    monkeypatch.delitem(sys.modules, "tensorrt_rtx")
    bindings = installed("tensorrt_rtx_bindings", "1.7.1")
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "path_importer_cache", {})

    assert bindings is load_tensorrt(RTX)
    assert bindings is sys.modules["tensorrt_rtx"]


@pytest.mark.parametrize("flavour", [TRT10, TRT11, RTX], ids=lambda each: each.name)
def test_what_is_not_installed_says_how_to_install_it(flavour):
    """By the extra that brings it."""
    with pytest.raises(MissingDependency, match=f"{flavour.name} cannot be loaded") as caught:
        load_tensorrt(flavour)
    assert flavour.install == caught.value.hint


@pytest.mark.parametrize(("flavour", "version"), [(TRT10, "11.4.0"), (TRT11, "10.16.1")])
def test_another_version_is_not_taken_for_the_one_asked_for(installed, flavour, version):
    """It may stand beside it, in a Python of its own."""
    installed("tensorrt", version)

    with pytest.raises(MissingDependency, match=f"this Python has TensorRT {version}") as caught:
        load_tensorrt(flavour)
    assert f"TRTBUILD_PYTHON_TENSORRT{flavour.major}=" in caught.value.hint
