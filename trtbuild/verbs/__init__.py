"""What each verb does, from a recipe to its answer; nothing here shows anything."""
