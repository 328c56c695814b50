"""Calibration where the values are: tensors are reduced on the GPU, and never leave it."""
