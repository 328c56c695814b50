"""Models in 16-bit floating point."""
