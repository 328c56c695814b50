"""What was built, run by hand: what it is fed, what runs it, and what is shown of the answer."""
