"""The walk over a plan, and where steps run."""
