"""Adjusting: the weights and biases of an INT8 model, fitted to what its layers read."""
