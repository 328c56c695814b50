"""Which tensors become INT8: a placement, as a value that nothing has acted on."""
