"""A build as a program of its own, of Polygraphy's calls alone.

Whatever a recipe or the name of a file says enters it as the `repr` of a value, or by `_quoted`.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

from trtbuild.backends.base import Profile
from trtbuild.backends.tensorrt.flavour import Flavour
from trtbuild.backends.tensorrt.options import TrtOptions
from trtbuild.backends.tensorrt.scratch import MARGIN
from trtbuild.backends.tensorrt.script_implicit import IMPORTS, ImplicitScript
from trtbuild.backends.tensorrt.settings import Member, Settings

__all__ = ["write_script"]

_HEAD = '''\
"""Build the target `{target}` of {recipe} as trtbuild {version} does, without it.

    python build.py {files}
"""

{plain}
os.environ["POLYGRAPHY_USE_TENSORRT_RTX"] = "{rtx}"  # read when Polygraphy is imported

try:
    import {module} as trt
except ModuleNotFoundError:  # the bindings alone are installed, which is enough to build
    import {bindings} as trt

    sys.modules["{module}"] = trt
{onnx}from polygraphy.backend.{where} import {create}
from polygraphy.backend.trt import {imports}

{arguments} = sys.argv[1:]

'''
_TAIL = """
plan = engine_bytes_from_network(network, config=config)
with open(engine, "wb") as file:
    file.write(memoryview(plan))
"""
_ONNX = "from polygraphy.backend.onnx import OnnxFromPath\n"


def write_script(
    options: TrtOptions,
    flavour: Flavour,
    settings: Settings,
    *,
    network: dict[str, Any],
    profiles: Sequence[Profile],
    names: dict[str, str],
    implied: ImplicitScript | None = None,
) -> str:
    """Return the program; `names` has `target`, `recipe`, `version` and `model` for its heading.

    Further files it is given are in `names` too: `ranges`, `timing_cache`.
    """
    files = [name for name in ("ranges", "timing_cache") if name in names]
    loaders = _network(options, network)
    used = ["NetworkFromOnnxPath", "engine_bytes_from_network"]
    used += ["Profile"] if profiles else []
    used += [name for name in ("LoadPlugins", "SetTensorDatatypes", "SetTensorFormats")
             if any(name in line for line in loaders)]  # fmt: skip
    if implied is not None:
        used += ["PostprocessNetwork", *(["Calibrator"] if implied.as_cache else [])]
        loaders.append("network = PostprocessNetwork(network, give_ranges)")
    given = [names["model"], "model.engine", *(names[file] for file in files)]
    head = _HEAD.format(
        **{key: _quoted(names[key]) for key in ("target", "recipe", "version")},
        files=_quoted(shlex.join(given)),
        arguments=", ".join(["model", "engine", *files]),
        plain=IMPORTS if implied else "import os\nimport sys\n",
        onnx=_ONNX if implied and implied.has_requests else "",
        rtx=int(flavour.rtx),
        module=flavour.module,
        bindings=flavour.bindings,
        where="tensorrt_rtx" if flavour.rtx else "trt",
        create=flavour.create_config,
        imports=", ".join(sorted(used, key=str.lower)),
    )
    lines = [*_profiles(profiles), *_create(flavour, settings, profiles, implied), ""]
    lines += [*_config(settings, cached="timing_cache" in files), "", *loaders]
    return head + (implied.write() if implied else "") + "\n".join(lines) + _TAIL


def _quoted(text: str) -> str:
    """Write a text as it may stand in a docstring: it neither ends it nor adds a line to it."""
    escapes = {"\\": "\\\\", '"': '\\"'}
    return "".join(
        escapes.get(each, each if each.isprintable() else ascii(each)[1:-1]) for each in text
    )


def _profiles(profiles: Sequence[Profile]) -> list[str]:
    if not profiles:
        return []
    lines = ["profiles = ["]
    for profile in profiles:
        lines.append("    Profile()")
        for name, (low, best, high) in profile.items():
            lines.append(f"    .add({name!a}, min={low!a}, opt={best!a}, max={high!a})")
        lines[-1] += ","
    return [*lines, "]"]


def _create(
    flavour: Flavour,
    settings: Settings,
    profiles: Sequence[Profile],
    implied: ImplicitScript | None,
) -> list[str]:
    lines = [f"create_config = {flavour.create_config}("]
    lines += ["    profiles=profiles,"] if profiles else []
    lines += [f"    {name}={value!a}," for name, value in settings.arguments.items()]
    lines += ["    calibrator=calibrator,"] if implied and implied.as_cache else []
    return [*lines, ")"]


def _config(settings: Settings, *, cached: bool) -> list[str]:
    lines = ["", "def config(builder, network):", "    made = create_config(builder, network)"]
    for name, on in settings.flags.items():
        lines.append(f"    made.{'set' if on else 'clear'}_flag(trt.BuilderFlag.{name})")
    lines += [f"    made.{name} = {value!a}" for name, value in settings.attributes.items()]
    if settings.auto:
        lines += [
            "    # Where none is set, the limit is all of the GPU's memory.",
            "    memory = made.get_memory_pool_limit(trt.MemoryPoolType.WORKSPACE)",
            f"    memory -= memory // {MARGIN}",
            "    made.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, memory)",
        ]
    if cached:
        lines += [
            '    with open(timing_cache, "rb") as file:',
            "        cache = made.create_timing_cache(file.read())",
            "    assert made.set_timing_cache(cache, ignore_mismatch=False)",
        ]
    return [*lines, "    return made", ""]


def _network(options: TrtOptions, network: dict[str, Any]) -> list[str]:
    more = "".join(f", {name}={value!a}" for name, value in network.items())
    lines = [f"network = NetworkFromOnnxPath(model{more})"]
    if options.plugins:
        lines.append(f"network = LoadPlugins({list(options.plugins)!a}, network)")
    types = {name: _upper("DataType", word) for name, word in _list_types(options).items()}
    if types:
        lines.append(f"network = SetTensorDatatypes(network, {types!a})")
    formats = {
        name: [_upper("TensorFormat", word) for word in words]
        for name, words in options.io_formats.items()
    }
    if formats:
        lines.append(f"network = SetTensorFormats(network, {formats!a})")
    return lines


def _list_types(options: TrtOptions) -> dict[str, str]:
    return dict(getattr(options, "io_types", {}))


def _upper(enum: str, word: str) -> Member:
    return Member(enum, word.upper())
