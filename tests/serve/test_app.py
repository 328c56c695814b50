"""The addresses of the Open Inference Protocol, answered."""

from __future__ import annotations

import asyncio
import json
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.serve.conftest import send
from trtbuild.serve.app import make_app
from trtbuild.serve.limits import Limits

INFER = "/v2/models/net/infer"
INPUT = {"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}


def test_health_and_metadata(ask):
    """Of the server and of a model, with and without its version."""
    assert [200, 200] == [ask("GET", f"/v2/health/{word}").status for word in ("live", "ready")]
    assert ["binary_tensor_data"] == ask("GET", "/v2").told["extensions"]
    for place in ("/v2/models/net", "/v2/models/net/versions/1"):
        told = ask("GET", place).told
        assert [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}] == told["inputs"]
        assert 200 == ask("GET", f"{place}/ready").status


def test_numbers_in_json_give_numbers_in_json(ask):
    """Flat or nested; the request's `id` comes back."""
    for data in ([1, 2], [[1.0, 2.0]]):
        told = ask("POST", INFER, {"id": "7", "inputs": [{**INPUT, "data": data}]}).told

        assert ("net", "1", "7") == (told["model_name"], told["model_version"], told["id"])
        assert [{"name": "y", "datatype": "FP32", "shape": [1, 2], "data": [2.0, 4.0]}] == told[
            "outputs"
        ]


def test_bytes_behind_the_json_give_bytes(ask):
    """Where the header says how much is JSON."""
    array = np.float32([[1, 2], [3, 4]])
    head = json.dumps(
        {
            "inputs": [
                {
                    **INPUT,
                    "shape": [2, 2],
                    "data": None,
                    "parameters": {"binary_data_size": 16},
                }
            ],
            "parameters": {"binary_data_output": True},
        }
    ).encode()
    headers = {"inference-header-content-length": str(len(head))}
    reply = ask("POST", INFER, head + array.tobytes(), headers)

    split = int(reply.headers["inference-header-content-length"])
    assert {"binary_data_size": 16} == json.loads(reply.body[:split])["outputs"][0]["parameters"]
    np.testing.assert_array_equal(2 * array.reshape(-1), np.frombuffer(reply.body[split:], "<f4"))


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "told"),
    [
        ("GET", "/v2/models/other", b"", 404, "there is no model of that name; there are net"),
        ("GET", "/v2/models/net/versions/2", b"", 404, "there is no such version"),
        ("GET", INFER, b"", 405, "GET /v2/models/net/infer: Method Not Allowed; there are /v2,"),
        ("GET", "/v3", b"", 404, "GET /v3: Not Found; there are /v2, /v2/health/live"),
        ("POST", INFER, b"", 400, "the request is no JSON"),
        ("POST", INFER, b"[" * 100_000, 400, "the request is no JSON"),
        ("POST", INFER, b"[]", 400, "no object"),
        ("POST", INFER, {}, 400, "no `inputs`"),
        ("POST", INFER, {"inputs": [{}]}, 400, "an input has no `name`"),
        ("POST", INFER, {"inputs": [INPUT, INPUT]}, 400, "`x` is there twice"),
        ("POST", INFER, {"inputs": [{**INPUT, "name": "z"}]}, 400, "no array for `x`"),
        ("POST", INFER, {"inputs": [{**INPUT, "shape": [1, -2]}]}, 400, "`shape` of input `x`"),
        ("POST", INFER, {"inputs": [{**INPUT, "shape": [1, 3]}]}, 400, "has 2 numbers"),
        ("POST", INFER, {"inputs": [{**INPUT, "shape": [2], "data": [1, 2]}]}, 400, "is taken"),
        ("POST", INFER, {"inputs": [{**INPUT, "datatype": "BYTES"}]}, 400, "is none of BOOL"),
        ("POST", INFER, {"inputs": [{**INPUT, "datatype": "FP64"}]}, 400, "`x` is float64"),
        ("POST", INFER, {"inputs": [{**INPUT, "data": ["a", {}]}]}, 400, "are no numbers of FP32"),
        ("POST", INFER, {"inputs": [{**INPUT, "data": [1e39, 1]}]}, 400, "are no numbers of FP32"),
        ("POST", INFER, {"inputs": [{**INPUT, "parameters": {"binary_data_size": 8}}]}, 400,
         "is no number of bytes that follow"),
        ("POST", INFER, {"inputs": [{**INPUT, "parameters": {"binary_data_size": 0}}]}, 400,
         "has both `data` and `binary_data_size`"),
        ("POST", INFER, {"inputs": [{**INPUT, "parameters": {"shared_memory_region": "a"}}]}, 400,
         "`shared_memory_region` of input `x` is not done here"),
        ("POST", INFER, {"inputs": [INPUT], "outputs": [{"name": "z"}]}, 400, "no output `z`"),
        ("POST", INFER, {"inputs": [INPUT], "outputs": [
            {"name": "y", "parameters": {"classification": 1}}]}, 400, "`classification` of"),
        ("POST", INFER, {"inputs": [INPUT], "outputs": [
            {"name": "y", "parameters": {"binary_data": "yes"}}]}, 400, "neither true nor false"),
        ("POST", INFER, {"inputs": [{**INPUT, "data": [3e38, 1]}]}, 400, "ask for binary data"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_told(ask, method, path, body, status, told):
    """By a status of 4xx and one sentence."""
    reply = ask(method, path, body)

    assert status == reply.status
    assert told in reply.told["error"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*INPUT, "parameters", "binary_data_size"]), inner)
    ),
    max_leaves=8,
)
ODD = st.one_of(
    st.binary(max_size=64),
    st.fixed_dictionaries({"inputs": JSON}),
    st.builds(
        lambda key, value: {"inputs": [{**INPUT, key: value}]},
        st.sampled_from([*INPUT, "parameters"]),
        JSON,
    ),
    st.builds(lambda key, value: {"inputs": [INPUT], key: value},
              st.sampled_from(["outputs", "parameters", "id"]), JSON),
)  # fmt: skip


def test_malformed_requests_are_each_a_4xx_with_a_sentence(models):
    """What happens to be sound is answered."""
    app = make_app(models, Limits())

    @settings(max_examples=60, deadline=None, database=None)
    @given(ODD, st.none() | st.sampled_from(["0", "5", "-1", "x", "9" * 30]))
    def hold(body, length):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {} if length is None else {"inference-header-content-length": length}
        reply = runner.run(send(app, "POST", INFER, data, headers))
        assert reply.status == 200 or (400 <= reply.status < 500 and reply.told["error"])

    with asyncio.Runner() as runner:
        hold()


def test_who_leaves_before_the_request_is_there_is_no_error_of_the_server(models):
    """Nothing is raised, and nothing computed."""
    gone = [{"type": "http.disconnect"}]

    reply = asyncio.run(send(make_app(models, Limits()), "POST", INFER, pieces=gone))

    assert b"" == reply.body


def test_too_much_and_too_slow_are_refused(ask):
    """A size told before, one that comes to pass, and what is compressed."""
    assert 413 == ask("POST", INFER, b"0" * 100, body_bytes=50).status
    assert 413 == ask("POST", INFER, b"", {"content-length": "51"}, body_bytes=50).status
    assert 415 == ask("POST", INFER, b"", {"content-encoding": "gzip"}).status


def test_who_comes_when_too_many_wait_is_sent_away(models, monkeypatch):
    """With 503 and when to come again; those who wait are answered."""
    free = threading.Event()
    run = models.run
    monkeypatch.setattr(
        type(models), "run", lambda _, engine, feed: free.wait(30) and run(engine, feed)
    )
    app = make_app(models, Limits(waiting=1))
    body = json.dumps({"inputs": [INPUT]}).encode()

    async def crowd():
        waiting = [asyncio.ensure_future(send(app, "POST", INFER, body)) for _ in range(2)]
        for _ in range(100):  # turns of the loop in which both come to the desk
            await asyncio.sleep(0)
        last = await send(app, "POST", INFER, body)
        free.set()
        return last, [each.status for each in await asyncio.gather(*waiting)]

    last, others = asyncio.run(crowd())
    assert (503, "1", [200, 200]) == (last.status, last.headers["retry-after"], others)


def test_an_answer_that_takes_too_long_is_given_up(models, monkeypatch):
    """With 504; the next is answered."""
    free = threading.Event()
    run = models.run
    monkeypatch.setattr(
        type(models), "run", lambda _, engine, feed: free.wait(30) and run(engine, feed)
    )
    app = make_app(models, Limits(seconds=0.05))
    body = json.dumps({"inputs": [INPUT]}).encode()

    async def twice():
        first = await send(app, "POST", INFER, body)
        free.set()
        await asyncio.sleep(0.05)
        return first.status, (await send(app, "POST", INFER, body)).status

    assert (504, 200) == asyncio.run(twice())
