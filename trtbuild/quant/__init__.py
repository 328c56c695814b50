"""Which tensors become INT8, and the Q/DQ pairs that make them so."""
