"""Many recipes at once: found in folders, chosen by what has changed, built whatever one does."""
