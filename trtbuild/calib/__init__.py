"""From what is seen of a model's tensors to their ranges.

The unions of its kinds stand in `kinds`: here, processes that only count would load them all, and
Pydantic with them.
"""
