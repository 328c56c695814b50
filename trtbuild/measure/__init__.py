"""Metrics of outputs, and gates on them."""
