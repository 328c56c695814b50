"""Progress for programs: a line of JSON for each event."""

from __future__ import annotations

import json

from trtbuild.cli.progress_json import JsonListener


def test_messages_are_events_of_their_own(capsys):
    """Where it goes on, and what is done beyond the plan."""
    listener = JsonListener("small")
    listener.moved("on the CPU")
    listener.extended("a gate failed")
    said = [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    assert [("moved", "small", "on the CPU"), ("extended", "small", "a gate failed")] == [
        (each["event"], each["recipe"], each["message"]) for each in said
    ]
