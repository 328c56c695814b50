"""Single layers of a quantized model switched on and off, and what comes of it."""
