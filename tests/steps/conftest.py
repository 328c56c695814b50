"""Steps that load engines have the doubles of TensorRT to run on."""

from tests.backends.conftest import cuda, double, doubles

__all__ = ["cuda", "double", "doubles"]
