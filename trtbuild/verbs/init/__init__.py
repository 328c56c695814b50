"""`trtbuild init`: from a model, data, or an old command line to a first recipe."""
