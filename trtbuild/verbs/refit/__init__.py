"""Let an engine that is built take other weights."""
