"""How fast models and engines are, from a recipe or files to a result."""
