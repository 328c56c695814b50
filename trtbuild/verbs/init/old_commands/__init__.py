"""Command lines of other tools, read for what a recipe says in their place."""
