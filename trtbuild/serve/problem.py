"""What a client is told where a request cannot be answered."""

from __future__ import annotations

__all__ = ["HttpProblem"]


class HttpProblem(Exception):
    """A status of HTTP, and one sentence of what is wrong."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
