"""Where the time of a call goes: what profilers tell, joined with what was asked of each layer."""
