"""Which TensorRT: loaded under the name Polygraphy looks for, and held to the version promised."""

from __future__ import annotations

import importlib
import os
import sys
from types import ModuleType

from trtbuild.core.errors import MissingDependency
from trtbuild.core.frozen import frozen
from trtbuild.core.words import quote_whole

__all__ = ["FLAVOURS", "RTX", "TRT10", "TRT11", "Flavour", "load_tensorrt"]


@frozen
class Flavour:
    """One of the TensorRTs that a process may use; a process can use only one."""

    name: str
    kind: str
    """The kind of target that it builds."""
    family: str
    """Its name in the header of a plan, which tells the version beside it."""
    module: str
    bindings: str
    """The module of the wheel that has no libraries: all that a build needs."""
    libraries: tuple[str, ...]
    """The distributions that bring its libraries, one of which runs engines."""
    major: int
    create_config: str
    """Polygraphy's class for its config."""
    install: str

    @property
    def rtx(self) -> bool:
        """Tell whether Polygraphy must be told to use TensorRT-RTX."""
        return self.module == "tensorrt_rtx"


RTX = Flavour(
    "TensorRT-RTX",
    "tensorrt_rtx",
    "TensorRT-RTX",
    "tensorrt_rtx",
    "tensorrt_rtx_bindings",
    ("tensorrt_rtx_cu13_libs", "tensorrt_rtx"),
    1,
    "CreateConfigRTX",
    "pip install 'trtbuild[rtx-aot]'",
)
TRT10 = Flavour(
    "TensorRT 10",
    "tensorrt10",
    "TensorRT",
    "tensorrt",
    "tensorrt_bindings",
    ("tensorrt",),
    10,
    "CreateConfig",
    "pip install 'trtbuild[trt10]'",
)
TRT11 = Flavour(
    "TensorRT 11",
    "tensorrt11",
    "TensorRT",
    "tensorrt",
    "tensorrt_bindings",
    ("tensorrt",),
    11,
    "CreateConfig",
    "pip install 'trtbuild[trt11]'",
)
FLAVOURS = {each.kind: each for each in (RTX, TRT11, TRT10)}
"""By the kind of target."""


def load_tensorrt(flavour: Flavour) -> ModuleType:
    """Import a TensorRT, and have Polygraphy use it.

    Raises:
        MissingDependency: it is not installed, its libraries cannot be loaded, or it is another
            version than the target is for.
    """
    # Polygraphy reads these once; where a runner has imported it already, by its own attribute.
    os.environ["POLYGRAPHY_USE_TENSORRT_RTX"] = "1" if flavour.rtx else "0"
    os.environ["POLYGRAPHY_AUTOINSTALL_DEPS"] = "0"
    from polygraphy import config

    config.USE_TENSORRT_RTX = flavour.rtx
    config.AUTOINSTALL_DEPS = False
    try:
        module = _import_module(flavour)
    except ImportError as error:
        raise MissingDependency(
            f"{flavour.name} cannot be loaded: {quote_whole(str(error))}", hint=flavour.install
        ) from None
    version = str(module.__version__)
    if int(version.partition(".")[0]) != flavour.major:
        raise MissingDependency(
            f"this Python has TensorRT {version}, and the target is for {flavour.name}",
            hint="install it in another environment, and name its Python: "
            f"TRTBUILD_PYTHON_TENSORRT{flavour.major}=/path/to/python",
        )
    return module


def _import_module(flavour: Flavour) -> ModuleType:
    try:
        return importlib.import_module(flavour.module)
    except ModuleNotFoundError:
        module = importlib.import_module(flavour.bindings)
        sys.modules[flavour.module] = module
        return module
