"""What this machine is: installed versions, GPUs, other Pythons, the user's settings."""
