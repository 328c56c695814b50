"""A placement written into a model: Q/DQ pairs and INT8 weights."""
