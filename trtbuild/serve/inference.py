"""A request for an inference, read; and the answer, written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trtbuild.serve.problem import HttpProblem
from trtbuild.serve.tensors import name_type, read_bytes, read_numbers, read_shape, write_numbers

if TYPE_CHECKING:
    import numpy as np

__all__ = ["HEADER_LENGTH", "HttpAnswer", "InferenceRequest", "read_request", "write_answer"]

HEADER_LENGTH = "inference-header-content-length"
"""The header that says how many bytes of a body are JSON; tensors as bytes follow."""
MOST_DIGITS, MOST_ID = 15, 1024
_LACKING = ("shared_memory_region", "classification")
"""Extensions of Triton's that change what goes in or comes out, and that are none here."""


@dataclass(frozen=True)
class InferenceRequest:
    """What is asked for."""

    id: str
    feed: dict[str, np.ndarray]
    outputs: dict[str, bool] | None
    """Names of outputs, each with whether it shall be bytes; None for all."""
    binary: bool
    """Whether outputs that say nothing of it shall be bytes."""


@dataclass(frozen=True)
class HttpAnswer:
    """A body, and how much of it is JSON: None where it is nothing else."""

    body: bytes
    json_bytes: int | None


def read_request(body: bytes, header_length: str | None) -> InferenceRequest:
    """Read the body of a request.

    Raises:
        HttpProblem: it is no such request; says what is wrong.
    """
    split = _read_length(header_length, len(body))
    told = _read_json(body[:split])
    inputs = told.get("inputs")
    if not isinstance(inputs, list) or not all(isinstance(each, dict) for each in inputs):
        raise HttpProblem(400, "the request has no `inputs`: a list of objects")
    feed: dict[str, np.ndarray] = {}
    rest = memoryview(body)[split:]
    for each in inputs:
        name, array, rest = _read_input(each, rest)
        if name in feed:
            raise HttpProblem(400, f"input `{name}` is there twice")
        feed[name] = array
    if rest:
        raise HttpProblem(400, f"{len(rest)} bytes follow that are of no input")
    parameters = _read_object(told, "parameters")
    binary = parameters.get("binary_data_output") is True
    return InferenceRequest(_read_id(told), feed, _read_outputs(told, binary), binary)


def _read_length(told: str | None, total: int) -> int:
    if told is None:
        return total
    if not (told.isascii() and told.isdigit() and len(told) <= MOST_DIGITS) or int(told) > total:
        raise HttpProblem(400, f"the header {HEADER_LENGTH} is no number of bytes of the body")
    return int(told)


def _read_json(text: bytes) -> dict[str, Any]:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        raise HttpProblem(400, "the request is no JSON") from None
    if not isinstance(told, dict):
        raise HttpProblem(400, "the request is no object of JSON")
    return told


def _read_id(told: Mapping[str, Any]) -> str:
    found = told.get("id", "")
    if not isinstance(found, str) or len(found) > MOST_ID:
        raise HttpProblem(400, f"`id` is no text of up to {MOST_ID} characters")
    return found


def _read_object(told: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = told.get(key, {})
    if not isinstance(found, dict):
        raise HttpProblem(400, f"`{key}` is no object")
    return found


def _read_input(told: dict[str, Any], rest: memoryview) -> tuple[str, np.ndarray, memoryview]:
    """Return an input's name and array, and the bytes that follow its own."""
    name = told.get("name")
    if not isinstance(name, str):
        raise HttpProblem(400, "an input has no `name`")
    shape = read_shape(told.get("shape"), name)
    datatype = told.get("datatype")
    size = _read_parameters(told, f"input `{name}`").get("binary_data_size")
    if size is None:
        return name, read_numbers(told.get("data"), shape, datatype, name), rest
    if type(size) is not int or not 0 <= size <= len(rest):
        raise HttpProblem(
            400, f"`binary_data_size` of input `{name}` is no number of bytes that follow"
        )
    if told.get("data") is not None:
        raise HttpProblem(400, f"input `{name}` has both `data` and `binary_data_size`")
    return name, read_bytes(bytes(rest[:size]), shape, datatype, name), rest[size:]


def _read_outputs(told: Mapping[str, Any], binary: bool) -> dict[str, bool] | None:  # noqa: FBT001
    outputs = told.get("outputs")
    if outputs is None:
        return None
    if not isinstance(outputs, list):
        raise HttpProblem(400, "`outputs` is no list")
    found = {}
    for each in outputs:
        if not isinstance(each, dict) or not isinstance(each.get("name"), str):
            raise HttpProblem(400, "an output has no `name`")
        what = f"output `{each['name']}`"
        own = _read_parameters(each, what).get("binary_data", binary)
        if not isinstance(own, bool):
            raise HttpProblem(400, f"`binary_data` of {what} is neither true nor false")
        found[each["name"]] = own
    return found


def _read_parameters(told: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Return the parameters of an input or output, all of which are heeded.

    Raises:
        HttpProblem: one is of an extension that there is none of here.
    """
    found = _read_object(told, "parameters")
    for each in _LACKING:
        if found.get(each):
            raise HttpProblem(400, f"`{each}` of {what} is not done here: leave it out")
    return found


def write_answer(
    request: InferenceRequest, outputs: Mapping[str, np.ndarray], model: str, version: str
) -> HttpAnswer:
    """Write the outputs that a request asks for.

    Raises:
        HttpProblem: there is no such output.
    """
    asked = request.outputs or dict.fromkeys(outputs, request.binary)
    written: list[dict[str, Any]] = []
    parts: list[bytes] = []
    for name, binary in asked.items():
        if name not in outputs:
            raise HttpProblem(400, f"there is no output `{name}`; there are {', '.join(outputs)}")
        array = outputs[name]
        told = {"name": name, "datatype": name_type(array.dtype.name), "shape": [*array.shape]}
        if binary:
            parts.append(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
            written.append({**told, "parameters": {"binary_data_size": len(parts[-1])}})
        else:
            written.append({**told, "data": write_numbers(array, name)})
    head: dict[str, Any] = {"model_name": model, "model_version": version}
    head |= {"id": request.id} if request.id else {}
    text = json.dumps({**head, "outputs": written}).encode()
    return HttpAnswer(b"".join([text, *parts]), len(text) if parts else None)
