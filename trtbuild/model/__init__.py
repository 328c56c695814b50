"""ONNX models and the runtime that runs them: read, indexed, edited, fed."""
