"""Implicit quantization (TensorRT 10): ranges on a network's tensors, or given as a cache."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from trtbuild.backends.base import BuildResult, ImplicitQuantization
from trtbuild.backends.tensorrt.spread_ranges import list_tensors, read_onnx_nodes, spread_limits
from trtbuild.core.errors import StepInputError

__all__ = ["NetworkRanges"]

MANY = 5
_NO_CALIBRATOR = "Network does not have explicit precision and no calibrator was provided"


class NetworkRanges:
    """Ranges as they are given to one network, and what became of them."""

    def __init__(self, implicit: ImplicitQuantization, *, cache: Path | None = None) -> None:
        """Take the ranges; with `cache`, they are given as one, which is written there."""
        self._implicit = implicit
        self._cache = cache
        self._asked_for_data = False
        self.limits: dict[str, float] = {}
        """The limit of each tensor of the network that got one."""
        self.without: tuple[str, ...] = ()
        """Tensors of the network that no range is known for."""

    def edit(self, trt: Any, network: Any) -> None:
        """Give every tensor its range, and hold back the nodes that must stay float.

        Raises:
            StepInputError: the network has Q/DQ layers, or lacks a tensor or node that was named.
        """
        layers = [network.get_layer(index) for index in range(network.num_layers)]
        _demand_no_pairs(layers)
        tensors = dict(list_tensors(network, layers))
        self._demand_manual(tensors)
        table = self._implicit.ranges.tensors
        known = {name: each.limit for name, each in table.items()}
        self.limits = spread_limits(trt, known, layers, tensors)
        self.without = tuple(name for name in tensors if name not in self.limits)
        if not self.limits:
            raise StepInputError(
                "no tensor that has a range is in the network TensorRT made of the model",
                hint="calibrate again: the ranges are of another model",
            )
        if self._cache is not None:
            self._cache.write_bytes(self._encode_cache(trt))
        else:
            for name, limit in self.limits.items():
                tensors[name].dynamic_range = (-limit, limit)
        self._hold_back(trt, layers)

    def calibrator(self, trt: Any) -> Any:
        """Return a calibrator that has nothing but the cache; DLA takes this one alone."""
        from polygraphy.backend.trt import Calibrator

        base = trt.IInt8EntropyCalibrator2
        return Calibrator(self._no_data(), cache=str(self._cache), BaseClass=base)

    def note_unused(self, built: BuildResult) -> BuildResult:
        """Add to what a build says which tensors had no range.

        Raises:
            StepInputError: TensorRT did not take the cache, and asked for data instead.
        """
        if self._asked_for_data:
            raise StepInputError(
                "TensorRT did not take the calibration cache, and asked for data instead",
                hint="give the ranges to the tensors: `ranges_as: tensors`",
            )
        options = {**built.options, "ranges": f"{len(self.limits)} tensors"}
        # Polygraphy knows no other way to INT8 than a calibrator, and warns.
        notes = tuple(note for note in built.notes if not note.startswith(_NO_CALIBRATOR))
        if self.without:
            shown = ", ".join(self.without[:MANY]) + (", ..." if len(self.without) > MANY else "")
            total = len(self.limits) + len(self.without)
            note = f"{len(self.without)} of {total} tensors have no range, so the layers around "
            notes += (f"{note}them stay float: {shown}",)
        return replace(built, options=options, notes=notes)

    def _no_data(self) -> Any:
        given = self

        class NoData:
            def __iter__(self) -> Iterator[dict[str, Any]]:
                return self

            def __next__(self) -> dict[str, Any]:
                given._asked_for_data = True
                raise StopIteration

        return NoData()

    def _demand_manual(self, tensors: Mapping[str, Any]) -> None:
        for name in self._implicit.manual:
            if name not in tensors:
                raise StepInputError(
                    f"the range for `{name}` would have no effect: TensorRT's network has no such "
                    "tensor (it was folded, or belongs to a constant)",
                    hint="remove it from `ranges`",
                )

    def _encode_cache(self, trt: Any) -> bytes:
        encode = self._implicit.encode
        assert encode is not None  # noqa: S101  # the step gives one
        return encode(
            str(trt.__version__), {name: limit / 127 for name, limit in self.limits.items()}
        )

    def _hold_back(self, trt: Any, layers: list[Any]) -> None:
        wanted = set(self._implicit.floats)
        found = set()
        for layer in layers:
            nodes = {layer.name, *read_onnx_nodes(layer)} & wanted
            if nodes and layer.type.name not in ("CONSTANT", "SHAPE"):
                layer.precision = trt.DataType.FLOAT
                found |= nodes
        if wanted - found:
            raise StepInputError(
                f"`{min(wanted - found)}` was to stay float, and no layer of TensorRT's network "
                "is called so",
                hint="name the node, or give it a name in the model",
            )


def _demand_no_pairs(layers: list[Any]) -> None:
    for layer in layers:
        if layer.type.name in ("QUANTIZE", "DEQUANTIZE"):
            raise StepInputError(
                f"the model has Q/DQ nodes (`{layer.name}`), with which TensorRT takes no ranges",
                hint="use `mode: explicit`, or a model without Q/DQ nodes",
            )
