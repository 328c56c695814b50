"""Recipe to steps, with digests and reasons."""
