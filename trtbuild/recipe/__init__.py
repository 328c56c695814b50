"""Text to a checked Recipe, with positions for every problem."""
