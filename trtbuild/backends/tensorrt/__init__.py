"""What TensorRT 10, 11 and RTX share, and what only some of them need."""
