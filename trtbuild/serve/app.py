"""The server's addresses: health, metadata, inference."""

from __future__ import annotations

import contextlib
import importlib.util
import signal
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from trtbuild import __version__
from trtbuild.core.errors import MissingDependency
from trtbuild.serve.inference import HEADER_LENGTH, HttpAnswer, read_request, write_answer
from trtbuild.serve.limits import Desk, Limits, read_body
from trtbuild.serve.models import VERSION, ServedModels
from trtbuild.serve.problem import HttpProblem

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = ["demand_server", "make_app", "serve"]

Handler = Callable[["Request"], Awaitable["Response"]]
RETRY_SECONDS = "1"
SHUTDOWN_SECONDS = 10
_ENDING = (signal.SIGINT, signal.SIGTERM)


def make_app(models: ServedModels, limits: Limits) -> Starlette:
    """Return the server as an ASGI application; it closes the models when it ends."""
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.requests import ClientDisconnect
    from starlette.routing import Route

    desk = Desk(limits)

    @contextlib.asynccontextmanager
    async def live(_: Starlette) -> AsyncIterator[None]:
        yield
        desk.close()
        models.close()

    at = "/v2/models/{model}"
    version = at + "/versions/{version}"
    addresses: dict[str, Handler] = {
        "/v2": _make_server_metadata(),
        "/v2/health/live": _say_well,
        "/v2/health/ready": _say_well,
    }
    for place in (at, version):
        addresses |= {
            place: _make_metadata(models),
            f"{place}/ready": _make_ready(models),
            f"{place}/infer": _make_infer(models, desk, limits),
        }
    routes = [
        Route(path, handler, methods=["POST" if path.endswith("/infer") else "GET"])
        for path, handler in addresses.items()
    ]
    told: dict[Any, Any] = {
        HttpProblem: _tell,
        HTTPException: _make_tell_address(addresses),
        ClientDisconnect: _say_well,
        Exception: _tell_bug,
    }
    return Starlette(routes=routes, lifespan=live, exception_handlers=told)


def _make_server_metadata() -> Handler:
    from starlette.responses import JSONResponse

    told = {"name": "trtbuild", "version": __version__, "extensions": ["binary_tensor_data"]}

    async def answer(_: Request) -> Response:
        return JSONResponse(told)

    return answer


async def _say_well(_: Request, __: Exception | None = None) -> Response:
    """Answer with nothing; nobody reads it of who has left before the request was there."""
    from starlette.responses import Response

    return Response()


def _make_ready(models: ServedModels) -> Handler:
    async def answer(request: Request) -> Response:
        models.find(**_read_place(request))
        return await _say_well(request)

    return answer


def _make_metadata(models: ServedModels) -> Handler:
    from starlette.responses import JSONResponse

    async def answer(request: Request) -> Response:
        return JSONResponse(models.describe(**_read_place(request)))

    return answer


def _make_infer(models: ServedModels, desk: Desk, limits: Limits) -> Handler:
    from starlette.responses import Response

    async def answer(request: Request) -> Response:
        place = _read_place(request)
        engine = models.find(**place)
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise HttpProblem(415, "compressed requests are not read: send it as it is")
        length = request.headers.get("content-length")
        with desk.receiving():
            body = await read_body(request.stream(), length, limits)
        header = request.headers.get(HEADER_LENGTH)

        def compute() -> HttpAnswer:
            asked = read_request(body, header)
            outputs = models.run(engine, asked.feed)
            return write_answer(asked, outputs, place["name"], place.get("version") or VERSION)

        made = await desk.compute(compute)
        if made.json_bytes is None:
            return Response(made.body, media_type="application/json")
        headers = {HEADER_LENGTH: str(made.json_bytes)}
        return Response(made.body, headers=headers, media_type="application/octet-stream")

    return answer


def _read_place(request: Request) -> dict[str, str]:
    found = {"name": request.path_params["model"]}
    return found | (
        {"version": request.path_params["version"]} if "version" in request.path_params else {}
    )


async def _tell(_: Request, problem: Exception) -> Response:
    from starlette.responses import JSONResponse

    assert isinstance(problem, HttpProblem)  # noqa: S101  # it is for no other
    headers = {"retry-after": RETRY_SECONDS} if problem.status == 503 else None  # noqa: PLR2004
    return JSONResponse({"error": problem.sentence}, problem.status, headers)


def _make_tell_address(addresses: Iterable[str]) -> Any:
    """Return what tells that an address is none, or not of that method."""
    from starlette.responses import JSONResponse

    known = ", ".join(addresses)

    async def tell(request: Request, problem: Any) -> Response:
        told = f"{request.method} {request.url.path}: {problem.detail}; there are {known}"
        return JSONResponse({"error": told}, problem.status_code, problem.headers)

    return tell


async def _tell_bug(_: Request, __: Exception) -> Response:
    from starlette.responses import JSONResponse

    return JSONResponse({"error": "the server has a bug; its log says more"}, 500)


def demand_server() -> None:
    """Demand that what serves is installed.

    Raises:
        MissingDependency: it is not.
    """
    if importlib.util.find_spec("uvicorn") is None or importlib.util.find_spec("starlette") is None:
        raise MissingDependency(
            "uvicorn is not installed, which serves", hint="pip install 'trtbuild[serve]'"
        )


def serve(models: ServedModels, limits: Limits, sockets: list[socket.socket]) -> None:
    """Serve until SIGINT or SIGTERM; what is computed then is answered, for some seconds."""
    import uvicorn

    config = uvicorn.Config(
        make_app(models, limits),
        log_level="warning",
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        server_header=False,
    )
    with _ended_by_signals():
        uvicorn.Server(config).run(sockets)


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Have a signal that has ended the server be no error: uvicorn raises it again in the end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours = {each: signal.signal(each, lambda *_: None) for each in _ENDING}
    try:
        yield
    finally:
        for each, handler in ours.items():
            signal.signal(each, handler)
