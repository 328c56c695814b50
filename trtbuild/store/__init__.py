"""What was built, kept by digest: objects, actions, and answers to be said again."""
