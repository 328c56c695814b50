"""Asks, in a process of its own, whether ONNX Runtime really computes on a GPU."""

from __future__ import annotations

import json

from trtbuild.core.errors import TrtbuildError

__all__ = ["main"]


def main() -> None:
    """Run a tiny convolution on the first GPU that shows; print why not, or nothing, as JSON."""
    import numpy as np

    from trtbuild.model.providers import make_cuda
    from trtbuild.model.session import open_session

    told = ""
    try:
        session = open_session(_make_model(), threads=1, providers=make_cuda())
        made = session.run({"x": np.ones((1, 1, 4, 4), np.float32)})["y"]
        if made.ravel().tolist() != [9.0] * 4:
            told = f"it computes wrongly: {made.ravel().tolist()} for four times 9"
    except TrtbuildError as error:
        told = error.message
    print(json.dumps({"hindrance": told}))  # noqa: T201  # whoever started this process reads it


def _make_model() -> bytes:
    """Return a convolution: it needs cuDNN too, which a mere sum would do without."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    weights = numpy_helper.from_array(np.ones((1, 1, 3, 3), np.float32), "w")
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"])],
        "probe",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 4, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 2, 2])],
        [weights],
    )
    opset = helper.make_opsetid("", 17)
    model: bytes = helper.make_model(graph, ir_version=8, opset_imports=[opset]).SerializeToString()
    return model


if __name__ == "__main__":
    main()
