"""Weights of an engine that is built, replaced by those of a model of the same structure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trtbuild.backends.tensorrt.engine import EngineKind, load_engine
from trtbuild.core.errors import StepInputError
from trtbuild.core.words import join_few, quote_whole

__all__ = ["refit_engine"]

REBUILD = "build it anew: `trtbuild apply`, with the new weights in the recipe"
MANY = 5


def refit_engine(
    kind: EngineKind,
    engine: Path,
    model: Path,
    *,
    changed: Sequence[str],
    out: Path,
    plugins: Sequence[Path] = (),
) -> int:
    """Write an engine with the weights of an ONNX model; return how many it has taken.

    The engine that is written can be refitted again.

    Args:
        kind: which TensorRT it is of.
        engine: its file.
        model: an ONNX model that differs from the engine's in weights alone.
        changed: the names of the initializers that differ: the engine must take all of these.
        out: where to write.
        plugins: libraries that the engine needs.

    Raises:
        StepInputError: the engine cannot be refitted, or not with these weights; says which.
        MissingDependency, NoGpu: that TensorRT or a GPU is not here.
    """
    with load_engine(kind, engine, plugins) as (trt, built):
        if not built.refittable:
            raise StepInputError("the engine was not built to be refitted", hint=REBUILD)
        logger = _find_logger()
        refitter = trt.Refitter(built, logger)
        taken = set(refitter.get_all_weights())
        fixed = [name for name in changed if name not in taken]
        if fixed:
            raise StepInputError(
                f"TensorRT lets {len(fixed)} of {len(changed)} weights that differ not be "
                f"replaced, as it has folded them into others: {join_few(fixed, MANY)}",
                hint=REBUILD,
            )
        parser = trt.OnnxParserRefitter(refitter, logger)
        _demand(parser.refit_from_file(str(model)), _list_errors(parser))
        missing = refitter.get_missing_weights()
        if missing:
            raise StepInputError(
                f"{len(missing)} weights of the engine would stay as they were: "
                f"{join_few(missing, MANY)}",
                hint=REBUILD,
            )
        _demand(refitter.refit_cuda_engine(), [])
        config = built.create_serialization_config()
        config.set_flag(trt.SerializationFlag.INCLUDE_REFIT)
        out.write_bytes(memoryview(built.serialize_with_config(config)))
        return len(taken)


def _find_logger() -> Any:
    """Return the logger that Polygraphy has given the runtime: what it hears is kept."""
    from polygraphy.backend.trt import get_trt_logger

    return get_trt_logger()


def _list_errors(parser: Any) -> list[str]:
    return [str(parser.get_error(index).desc()) for index in range(parser.num_errors)]


def _demand(done: object, errors: Sequence[str]) -> None:
    if not done:
        told = quote_whole("; ".join(errors)) if errors else "the step's log has what it says"
        raise StepInputError(f"TensorRT does not take the new weights: {told}", hint=REBUILD)
