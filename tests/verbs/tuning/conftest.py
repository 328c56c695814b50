"""What tests of tuning share."""

from tests.helpers.tuning import few_stages

__all__ = ["few_stages"]
