"""A small server for what was built."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from trtbuild.serve.limits import Limits
    from trtbuild.serve.models import ServedModels

__all__ = ["serve"]


def serve(  # noqa: PLR0913  # all that a user may ask for
    paths: Sequence[Path | str],
    *,
    build_dir: Path | str = "build",
    host: str = "127.0.0.1",
    port: int = 8000,
    device: Literal["auto", "cpu", "cuda"] = "auto",
    threads: int = 0,
    limits: Limits | None = None,
    tell: Callable[[ServedModels], None] = lambda _: None,
) -> None:
    """Serve recipes that are built, bundles, engines and ONNX models until it is ended.

    It speaks the Open Inference Protocol (KServe's version 2, with binary tensors) over HTTP, for
    trying and testing. `tell` is called once all are loaded.

    Raises:
        MissingFile: one is not there, or not built.
        UsageError: two have one name, or one is nothing that can be served.
        StepInputError: one does not load.
        MissingDependency: what serves, or runs it, is not installed.
    """
    from trtbuild.serve.app import serve as serve_models
    from trtbuild.serve.limits import Limits
    from trtbuild.serve.models import open_models

    chosen = limits or Limits()
    models = open_models(
        [Path(path) for path in paths],
        build_dir=Path(build_dir),
        device=device,
        contexts=chosen.at_once,
        threads=threads,
    )
    tell(models)
    serve_models(models, chosen, host=host, port=port)
