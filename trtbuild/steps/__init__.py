"""One file a step kind; `any_step` has their union."""
