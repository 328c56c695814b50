"""Which TensorRT: loaded under the name Polygraphy looks for, and held to the version promised."""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import dataclass
from types import ModuleType

from trtbuild.core.errors import MissingDependency

__all__ = ["RTX", "TRT10", "TRT11", "Flavour", "load_tensorrt"]


@dataclass(frozen=True)
class Flavour:
    """One of the TensorRTs that a process may use; a process can use only one."""

    name: str
    module: str
    bindings: str
    """The module of the wheel that has no libraries: all that a build needs."""
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
    "tensorrt_rtx_bindings",
    1,
    "CreateConfigRTX",
    "pip install 'trtbuild[rtx-aot]'",
)
TRT10 = Flavour(
    "TensorRT 10",
    "tensorrt",
    "tensorrt_bindings",
    10,
    "CreateConfig",
    "pip install 'trtbuild[trt10]'",
)
TRT11 = Flavour(
    "TensorRT 11",
    "tensorrt",
    "tensorrt_bindings",
    11,
    "CreateConfig",
    "pip install 'trtbuild[trt11]'",
)


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
            f"{flavour.name} cannot be loaded: {error}", hint=flavour.install
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
