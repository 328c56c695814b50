"""What was built, packed for those who run it: a Triton model repository, or a bundle."""
