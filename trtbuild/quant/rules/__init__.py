"""Static checks: what TensorRT would refuse, change without a word, or make slow."""
