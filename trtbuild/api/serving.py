"""A small server for what was built."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from trtbuild.api.executors import using_executor

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
    tell: Callable[[ServedModels, str], None] = lambda *_: None,
) -> None:
    """Serve recipes that are built, bundles, engines and ONNX models until it is ended.

    It speaks the Open Inference Protocol (KServe's version 2, with binary tensors) over HTTP, for
    trying and testing. `tell` is called once all are loaded, with where they are found
    (`http://127.0.0.1:8000`): of port 0, a free one.

    Raises:
        MissingFile: one is not there, or not built.
        UsageError: two have one name, or one is nothing that can be served, or built of its recipe
            as that was; the host or the port is
            not to be had.
        StepInputError: one does not load.
        MissingDependency: what serves, or runs it, is not installed.
    """
    from trtbuild.api.doubts import make_doubt
    from trtbuild.serve.app import demand_server
    from trtbuild.serve.app import serve as serve_models
    from trtbuild.serve.limits import Limits
    from trtbuild.serve.listening import bind_sockets, write_address
    from trtbuild.serve.models import open_models

    demand_server()
    chosen, sockets = limits or Limits(), bind_sockets(host, port)
    try:
        with using_executor("local") as place:
            models = open_models(
                [Path(path) for path in paths],
                build_dir=Path(build_dir),
                device=device,
                contexts=chosen.at_once,
                threads=threads,
                doubt=make_doubt(place),
            )
        tell(models, write_address(host, sockets))
        serve_models(models, chosen, sockets)
    finally:
        for each in sockets:
            each.close()
