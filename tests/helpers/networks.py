"""Networks as TensorRT's parser makes them, in plain Python: what the code under test asks of."""

from __future__ import annotations

from types import SimpleNamespace


class Constant:
    """Shows its weights once it is taken for what it is, as TensorRT's layers do."""

    @property
    def weights(self):
        return self.values


class Layer:
    """A layer: what kind it is, what it reads and makes, and the ONNX node that it came from."""

    def __init__(self, kind, reads=(), makes=(), *, node="", name="", values=None):
        self.type = SimpleNamespace(name=kind)
        self.name = name or node
        self.metadata = f"[ONNX Layer: {node}]" if node else None
        self.reads, self.makes = list(reads), list(makes)
        self.values = values

    num_inputs = property(lambda self: len(self.reads))
    num_outputs = property(lambda self: len(self.makes))

    def get_input(self, index):
        return self.reads[index]

    def get_output(self, index):
        return self.makes[index]


class Network:
    """Inputs and layers."""

    def __init__(self, inputs, layers):
        self.inputs, self.layers = list(inputs), list(layers)

    num_inputs = property(lambda self: len(self.inputs))
    num_layers = property(lambda self: len(self.layers))

    def get_input(self, index):
        return self.inputs[index]

    def get_layer(self, index):
        return self.layers[index]


def tensor(name, dtype="FLOAT", *, shape_tensor=False):
    return SimpleNamespace(
        name=name, dtype=SimpleNamespace(name=dtype), is_shape_tensor=shape_tensor
    )


def tensors(*names):
    """Several float tensors."""
    return [tensor(name) for name in names]


TRT = SimpleNamespace(
    __version__="10.16.1.11",
    IConstantLayer=type("IConstantLayer", (Constant, Layer), {}),
    IInt8EntropyCalibrator2=object,
    DataType=SimpleNamespace(FLOAT="float"),
)
"""As much of the module as ranges need."""
