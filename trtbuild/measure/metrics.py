"""Metrics: how close a candidate's outputs are to the reference's."""

from __future__ import annotations

from typing import Literal

__all__ = ["Metric"]

Metric = Literal["cosine", "sqnr_db", "max_abs", "top1_agreement", "top1", "top5"]
