"""The search for the least float work that holds a recipe's gates."""
