"""Metrics, gates, precision by layer, timing."""
