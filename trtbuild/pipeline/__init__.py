"""Several models in one: a source of pictures, stages that overlap, and what becomes of the end."""
