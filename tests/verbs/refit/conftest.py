"""Builds that are made by hand."""

from tests.verbs.packaging.conftest import place

__all__ = ["place"]
