"""A small server of the Open Inference Protocol, to try models and engines with.

The protocol is KServe's version 2, with Triton's extension for binary tensors:
https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol.
"""
