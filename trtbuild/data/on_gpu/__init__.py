"""Pictures made ready on the GPU: the same pixels as on the CPU, by one kernel."""
