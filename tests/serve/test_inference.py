"""Requests are read, and answers written, as the protocol says."""

from __future__ import annotations

import json

import numpy as np
import pytest

from trtbuild.serve.inference import read_request, write_answer
from trtbuild.serve.problem import HttpProblem

X = {"name": "x", "shape": [2], "datatype": "INT8"}


def request(inputs, rest=b"", **more):
    head = json.dumps({"inputs": inputs, **more}).encode()
    return read_request(head + rest, str(len(head)))


def test_inputs_take_their_bytes_in_order():
    """Beside one that is in JSON."""
    asked = request(
        [
            {**X, "parameters": {"binary_data_size": 2}},
            {**X, "name": "y", "data": [5, 6]},
            {**X, "name": "z", "parameters": {"binary_data_size": 2}},
        ],
        b"\1\2\3\4",
    )

    assert {"x": [1, 2], "y": [5, 6], "z": [3, 4]} == {
        name: each.tolist() for name, each in asked.feed.items()
    }
    with pytest.raises(HttpProblem, match="2 bytes follow that are of no input"):
        request([{**X, "data": [1, 2]}], b"\1\2")


@pytest.mark.parametrize("length", ["-1", "x", "9999", "", "1e3", "٣"])
def test_a_wrong_length_is_told(length):
    """It must be a number of bytes that there are."""
    with pytest.raises(HttpProblem, match="is no number of bytes of the body"):
        read_request(b"{}", length)


def test_outputs_are_those_that_are_asked_for_each_in_its_form():
    """In the order in which they are asked for; bytes follow in that order too."""
    asked = request([{**X, "data": [1, 2]}], outputs=[
        {"name": "b", "parameters": {"binary_data": True}}, {"name": "a"},
    ], id="7")  # fmt: skip
    outputs = {"a": np.int8([1]), "b": np.int16([2, 3]), "c": np.int8([4])}
    answer = write_answer(asked, outputs, "net", "1")
    told = json.loads(answer.body[: answer.json_bytes])

    assert ["b", "a"] == [each["name"] for each in told["outputs"]]
    assert ("7", [1]) == (told["id"], told["outputs"][1]["data"])
    assert b"\2\0\3\0" == answer.body[answer.json_bytes :]
    assert write_answer(request([]), outputs, "net", "1").json_bytes is None
