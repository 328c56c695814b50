"""A fix in Python, as a team would write one."""

from __future__ import annotations

from typing import Any


def drop(graph: Any) -> None:
    """Let readers of an Identity read what it reads."""
    for node in graph.nodes:
        if node.op == "Identity" and not any(node.outputs[0] is each for each in graph.outputs):
            for reader in list(node.outputs[0].outputs):
                reader.inputs = [
                    node.inputs[0] if each is node.outputs[0] else each for each in reader.inputs
                ]
            node.outputs.clear()
