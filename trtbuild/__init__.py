"""trtbuild: declarative, config-driven builds of TensorRT engines."""

__version__ = "0.1.0"
