"""What a user types, and how answers look in a terminal."""
